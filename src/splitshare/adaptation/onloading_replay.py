"""A timeline of onloading decisions replayed query by query: what a switch does to those who ask meanwhile (ours).

Queries arrive as Poisson processes at each span's rates, or as they were recorded, the same ones for every policy.
Until the last model of a span has arrived they are routed over what stood before and stays, from then on over what
stands after, each time by the fractions of the offloading program; what is left of the fractions is refused. A query
keeps the way on which it began: at a switch, batches that are collecting go on collecting for the batch size that they
began with, and models that go answer what is under way first. What is under way at a server, to it or through it when
the server is lost has no answer. Models travel down links and queries up, so they do not wait for each other;
processors and links go on with the queues that they have.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

import numpy as np
import pandas as pd

from splitshare.adaptation.onloading import Outcome, nothing, offloaded
from splitshare.adaptation.onloading_demand import RecordedQueries
from splitshare.adaptation.onloading_timeline import Span, state_of
from splitshare.errors import WorkError
from splitshare.onloading.arrays import Arrays, Floats, Ints, arrays_of
from splitshare.onloading.headroom import limited
from splitshare.onloading.instance import OnloadingInstance
from splitshare.onloading.lp import LpSolution, OffloadingLp
from splitshare.onloading.objective import CLIENT, EDGE, Hosts
from splitshare.progress import track
from splitshare.replay.onloading import Queries, Ways, draw_arrivals, routes_of, summary, travel, ways_of

MOST_QUERIES = 10_000_000
"""Of a replay of one policy: about a minute and a half."""


@dataclass(frozen=True, eq=False)
class _Asked:
    """Queries of a span in order of arrival; each array has the shape (queries,)."""

    row: Ints
    """Client and task, as a row of the arrays of the span's state."""
    arrival_s: Floats
    """From the timeline's start on."""
    chance: Floats
    """From 0 to 1, by which each is routed."""


@dataclass(frozen=True, eq=False)
class _Stage:
    """A time of one way of answering, within a span."""

    start_s: float
    end_s: float
    hosts: Hosts
    solution: LpSolution


class TimelineReplay:
    """The replay of one timeline, for one policy after another.

    Args:
        instance: at rest; the replay has all of every link and processor, whatever share of them plans may use.
        timeline: of ``splitshare.adaptation.onloading_timeline.spans_of``.
        seed: of the queries, or of their routes.
        queries: those that come, where they are not to be drawn: within the timeline, whose demand is theirs; those of
            clients that are not there are left out.

    Raises:
        WorkError: there would be more than ``MOST_QUERIES``.
    """

    def __init__(
        self,
        instance: OnloadingInstance,
        timeline: Sequence[Span],
        *,
        seed: int = 0,
        queries: RecordedQueries | None = None,
    ) -> None:
        self._timeline = tuple(timeline)
        self._whole = arrays_of(limited(instance, None))
        states = [state_of(instance, span) for span in timeline]
        self._programs = [None if state is None else OffloadingLp(arrays_of(state)) for state in states]
        self._known: dict[tuple[int, bytes, bytes], tuple[Hosts, LpSolution]] = {}
        expected = sum(
            one.arrays.demand * (span.end_s - span.start_s)
            for one, span in zip(self._programs, timeline, strict=True)
            if one is not None
        )
        if expected > MOST_QUERIES:
            problem = f"a replay would have {expected:.3g} queries; {MOST_QUERIES:.0e} is the most"
            raise WorkError(f"{problem}; take fewer or shorter spans")
        self._asked = [
            self._drawn(i, seed) if queries is None else self._recorded(i, seed, queries)
            for i in range(len(self._timeline))
        ]

    def edges(self, windows: int) -> Floats:
        """Where windows begin and the last one ends, so many of them in each span."""
        first, last = self._timeline[0], self._timeline[-1]
        return np.linspace(first.start_s, last.end_s, windows * len(self._timeline) + 1)

    def run(self, outcomes: Sequence[Outcome]) -> pd.DataFrame:
        """Replay what a policy did.

        Returns:
            A row a query in order of arrival, with the columns of ``splitshare.replay.onloading.travel``, ``client``
            and ``task`` (their numbers in the instance).
        """
        parts = [self._ways(i, self.stages(i, outcome)) for i, outcome in enumerate(outcomes)]
        ways = _joined([ways for ways, _ in parts])
        table = travel(self._whole, replace(ways, ends_s=self._ends_s(ways)), self._losses())
        return table.assign(client=ways.client, task=np.concatenate([task for _, task in parts]))

    def stages(self, i: int, outcome: Outcome) -> tuple[_Stage, ...]:
        """How queries of span ``i`` are answered over time; nothing where nobody asks."""
        span, program = self._timeline[i], self._programs[i]
        if program is None:
            return ()
        over_s = span.start_s + outcome.moving_s
        times = ((span.start_s, over_s, outcome.during), (over_s, span.end_s, outcome.after))
        return tuple(
            _Stage(start_s, end_s, *self._offloaded(i, program, hosts))
            for start_s, end_s, hosts in times
            if end_s > start_s
        )

    def planned_right(self, outcomes: Sequence[Outcome], edges: Floats) -> Floats:
        """Right answers that the offloading programs expect between times; shape (edges - 1,)."""
        right = np.zeros(len(edges) - 1)
        for i, outcome in enumerate(outcomes):
            for stage in self.stages(i, outcome):
                within = np.minimum(edges[1:], stage.end_s) - np.maximum(edges[:-1], stage.start_s)
                right += stage.solution.right_per_s * np.maximum(within, 0.0)
        return right

    def asked(self, edges: Floats) -> Floats:
        """Queries that come between times in the mean; shape (edges - 1,)."""
        asked = np.zeros(len(edges) - 1)
        for span, program in zip(self._timeline, self._programs, strict=True):
            if program is not None:
                within = np.minimum(edges[1:], span.end_s) - np.maximum(edges[:-1], span.start_s)
                asked += program.arrays.demand * np.maximum(within, 0.0)
        return asked

    def _drawn(self, i: int, seed: int) -> _Asked:
        program, span, draw = self._programs[i], self._timeline[i], _stream(seed, i)
        rate = np.zeros(0) if program is None else program.arrays.rate
        row, arrival_s, chance = draw_arrivals(rate, span.end_s - span.start_s, draw)
        return _Asked(row, span.start_s + arrival_s, chance)

    def _recorded(self, i: int, seed: int, queries: RecordedQueries) -> _Asked:
        program, span, instance = self._programs[i], self._timeline[i], self._whole.instance
        row_of = np.full((len(instance.clients), len(instance.tasks)), -1)
        if program is not None:
            row_of[program.arrays.row_client, program.arrays.row_task] = np.arange(len(program.arrays.rate))
        mine = (queries.arrival_s >= span.start_s) & (queries.arrival_s < span.end_s)
        row = row_of[queries.client[mine], queries.task[mine]]
        chance = _stream(seed, i).random(len(row))
        return _Asked(row[row >= 0], queries.arrival_s[mine][row >= 0], chance[row >= 0])

    def _offloaded(self, i: int, program: OffloadingLp, hosts: Hosts) -> tuple[Hosts, LpSolution]:
        # The same models have the same offloading under every policy, though optima may be several.
        key = (i, hosts.client.tobytes(), hosts.server.tobytes())
        if key not in self._known:
            self._known[key] = offloaded(program, hosts)
        return self._known[key]

    def _ways(self, i: int, stages: Sequence[_Stage]) -> tuple[Ways, Ints]:
        """Ways and tasks of the queries of a span."""
        asked, program = self._asked[i], self._programs[i]
        arrays: Arrays = self._whole if program is None else program.arrays
        parts = []
        for stage in stages:
            # What rounding puts at a span's end is of the span still.
            last = stage is stages[-1]
            mine = (asked.arrival_s >= stage.start_s) & (last | (asked.arrival_s < stage.end_s))
            row = asked.row[mine]
            routes = routes_of(stage.solution.offloading, row, asked.chance[mine])
            parts.append(ways_of(arrays, stage.hosts, Queries(asked.arrival_s[mine], row, *routes)))
        none = np.zeros(0, dtype=np.int64)
        nobody = ways_of(self._whole, nothing(self._whole.instance), Queries(np.zeros(0), none, none, none, none))
        return _joined([nobody, *parts]), arrays.row_task[asked.row]

    def _losses(self) -> list[tuple[float, int]]:
        """When which servers are lost, in order of time."""
        number = {server.name: s for s, server in enumerate(self._whole.instance.servers)}
        before: frozenset[str] = frozenset()
        found = []
        for span in self._timeline:
            found += [(span.start_s, number[name]) for name in sorted(span.lost - before)]
            before = span.lost
        return found

    def _ends_s(self, ways: Ways) -> Floats:
        """When what each query needs is lost, if it ever is; shape (queries,)."""
        ends_s = np.full(len(ways.client), np.inf)
        way = self._whole.way[ways.server]
        last = np.where(ways.place == EDGE, (way == ways.answers[:, None]).argmax(axis=1), way.shape[1])
        needed = np.where(np.arange(way.shape[1]) <= last[:, None], way, -1)
        for time_s, server in reversed(self._losses()):
            needs = (needed == server).any(axis=1) & (ways.place != CLIENT)
            ends_s[needs & (ways.arrival_s < time_s)] = time_s
        return ends_s


def _stream(seed: int, i: int) -> np.random.Generator:
    """Of span ``i``."""
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(seed, spawn_key=(i,))))


def _joined(parts: Sequence[Ways]) -> Ways:
    """Ways one after another."""
    return Ways(**{one.name: np.concatenate([getattr(part, one.name) for part in parts]) for one in fields(Ways)})


def replayed(
    replay: TimelineReplay, found: dict[str, list[Outcome]], *, windows: int
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Replay what each policy did.

    Args:
        replay: of a timeline whose spans have one length; the queries are the same for all policies.
        found: of ``splitshare.adaptation.onloading.follow`` for that timeline.
        windows: into how many each span is cut.

    Returns:
        Two tables. A row a policy and window: ``policy, start_s, end_s``, ``planned`` (accuracy by the offloading
        programs) and what ``_told`` says of the queries that come in it; NaN where none does, ``batch_mean`` 0. A row a
        policy: the same of all queries, with ``replayed_`` before each name.
    """
    edges = replay.edges(windows)
    asked = replay.asked(edges)
    rows, whole = [], []
    for name in track(list(found), "replaying", total=len(found)):
        table = replay.run(found[name])
        right = replay.planned_right(found[name], edges)
        window = np.searchsorted(edges[1:-1], table["arrival_s"], side="right")
        for i, (start_s, end_s) in enumerate(zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True)):
            planned = right[i] / asked[i] if asked[i] > 0 else np.nan
            head = {"policy": name, "start_s": start_s, "end_s": end_s, "planned": planned}
            rows.append(head | _told(table[window == i]))
        whole.append({"policy": name} | {f"replayed_{key}": value for key, value in _told(table).items()})
    return pd.DataFrame(rows), pd.DataFrame(whole)


def _told(table: pd.DataFrame) -> dict[str, float]:
    """``summary`` of queries, and the share that was ``cut_off``: routed, and not answered as its server was lost."""
    cut_off = table["finish_s"].isna() & (table["place"] != "unserved")
    return summary(table) | {"cut_off": float(cut_off.mean())}
