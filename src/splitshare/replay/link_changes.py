"""Links that change: bandwidth and latency over time, from a file, as flat arrays for the event loop (ours).

Values hold from their time until the next one of the link, the last for ever; before the first one the instance's own
hold. A transfer that is under way when its link changes goes on at the new rate; it arrives the latency later that
holds when its last byte has left.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from splitshare.errors import InputError, shown
from splitshare.placement.instance import PlacementInstance
from splitshare.ranges import MOST_SECONDS
from splitshare.records import nearest
from splitshare.replay.plan import StagePlan
from splitshare.replay.tables import at_row, check_table_path, parse_floats, read_csv
from splitshare.replay.traces import RequestTrace

_Floats = NDArray[np.float64]
_Ints = NDArray[np.int64]
COLUMNS = ("link", "time_s", "bandwidth_bytes_per_s", "latency_s")
LEAST_BYTES_PER_S, MOST_BYTES_PER_S = 1e-3, 1e18
"""As an instance's links have it."""


@dataclass(frozen=True, eq=False)
class LinkChanges:
    """When directions of links change, and to what."""

    by_link: dict[str, tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]]
    """By direction, ``from->to``: times from 0 on, strictly ascending, bytes a second and seconds of latency from then
    on; each of shape (changes,)."""

    def at(self, direction: str, time_s: float) -> tuple[float, float] | None:
        """Bytes a second and latency that a direction has at a time; ``None`` where it never changes."""
        if direction not in self.by_link:
            return None
        times, rates, latencies = self.by_link[direction]
        i = int(np.searchsorted(times, time_s, side="right")) - 1
        return float(rates[i]), float(latencies[i])


@dataclass(frozen=True, eq=False)
class ChangeArrays:
    """Changes as the event loop takes them; ``of`` has the shape (stages,), what follows lies flat, by direction."""

    of: NDArray[np.int64]
    """Number of the direction that a stage's transfer goes over; -1: it never changes, or nothing travels."""
    size_bytes: NDArray[np.float64]
    first: NDArray[np.int64]
    """Where each direction's changes start, and their number; shape (directions + 1,)."""
    time_s: NDArray[np.float64]
    carried_bytes: NDArray[np.float64]
    """Bytes that the direction could have carried by then."""
    bytes_per_s: NDArray[np.float64]
    latency_s: NDArray[np.float64]

    @property
    def flat(self) -> tuple[_Ints, _Floats, _Ints, _Floats, _Floats, _Floats, _Floats]:
        """In the order in which the event loop takes them."""
        return (
            self.of,
            self.size_bytes,
            self.first,
            self.time_s,
            self.carried_bytes,
            self.bytes_per_s,
            self.latency_s,
        )

    def _part(self, direction: int) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
        part = slice(self.first[direction], self.first[direction + 1])
        return self.time_s[part], self.carried_bytes[part], self.bytes_per_s[part]

    def _carried(self, direction: int, time_s: NDArray[np.float64]) -> NDArray[np.float64]:
        """Bytes that a direction could have carried by a time."""
        times, carried, rates = self._part(direction)
        at = np.searchsorted(times, time_s, side="right") - 1
        result: NDArray[np.float64] = carried[at] + (time_s - times[at]) * rates[at]
        return result

    def held_s(
        self,
        stage: NDArray[np.int64],
        start_s: NDArray[np.float64],
        size: NDArray[np.float64],
        service_s: NDArray[np.float64],
    ) -> NDArray[np.float64]:
        """Seconds at size 1 for which rows held their resource; ``service_s`` where nothing changes.

        Args:
            stage: position of each row's stage in the plan, shape (rows,), like what follows.
            start_s: when it began.
            size: of its request.
            service_s: what it takes where its link does not change.
        """
        held = service_s.copy()
        for direction in range(len(self.first) - 1):
            rows = np.flatnonzero((self.of[stage] == direction) & (size > 0) & (self.size_bytes[stage] > 0))
            times, carried, rates = self._part(direction)
            goal = self._carried(direction, start_s[rows]) + self.size_bytes[stage[rows]] * size[rows]
            at = np.searchsorted(carried, goal, side="left") - 1
            at = np.maximum(at, np.searchsorted(times, start_s[rows], side="right") - 1)
            freed_s = times[at] + (goal - carried[at]) / rates[at]
            held[rows] = np.maximum(freed_s - start_s[rows], 0.0) / size[rows]
        return held

    def mean_service_s(self, plan: StagePlan, trace: RequestTrace) -> NDArray[np.float64]:
        """Seconds of each stage's resource at size 1, at its link's mean bandwidth from first to last arrival."""
        service_s = plan.service_s.copy()
        span = trace.arrival_s[[0, -1]]
        for direction in range(len(self.first) - 1):
            carried = self._carried(direction, span)
            mean = (carried[1] - carried[0]) / (span[1] - span[0]) if span[1] > span[0] else 0.0
            stages = np.flatnonzero(self.of == direction)
            if mean > 0:
                service_s[stages] = self.size_bytes[stages] / mean
        return service_s


def change_arrays(plan: StagePlan, changes: LinkChanges | None) -> ChangeArrays:
    """The changes of the links that a plan uses."""
    known = {} if changes is None else changes.by_link
    used = [name for name in dict.fromkeys(plan.links[i] for i in plan.link.tolist() if i >= 0) if name in known]
    number = {name: i for i, name in enumerate(used)}
    first = np.cumsum([0, *(len(known[name][0]) for name in used)])
    parts = [known[name] for name in used]
    carried = [np.concatenate([[0.0], np.cumsum(np.diff(times) * rates[:-1])]) for times, rates, _ in parts]
    return ChangeArrays(
        of=np.array([number.get(plan.links[i], -1) if i >= 0 else -1 for i in plan.link.tolist()], dtype=np.int64),
        size_bytes=plan.size_bytes,
        first=first.astype(np.int64),
        time_s=np.concatenate([np.zeros(0), *(times for times, _, _ in parts)]),
        carried_bytes=np.concatenate([np.zeros(0), *carried]),
        bytes_per_s=np.concatenate([np.zeros(0), *(rates for _, rates, _ in parts)]),
        latency_s=np.concatenate([np.zeros(0), *(latencies for _, _, latencies in parts)]),
    )


def read_link_changes(path: Path, instance: PlacementInstance) -> LinkChanges:
    """Read ``link,time_s,bandwidth_bytes_per_s,latency_s``, a row a change; a link's rows in order of time.

    ``link`` is ``a--b`` for both directions, or ``a->b`` for one. A bandwidth of 0 is an outage: nothing leaves until
    the next change, so the last one of a link must be above 0.

    Raises:
        InputError: names the row of the first mistake.
    """
    check_table_path(path)
    if path.suffix != ".csv":
        raise InputError(path, "", "must be a CSV file")
    text = read_csv(path, COLUMNS)
    times = parse_floats(path, "time_s", text["time_s"])
    rates = parse_floats(path, "bandwidth_bytes_per_s", text["bandwidth_bytes_per_s"], MOST_BYTES_PER_S)
    slow = np.flatnonzero((rates > 0) & (rates < LEAST_BYTES_PER_S))
    if slow.size:
        i = int(slow[0])
        problem = f"must be 0, an outage, or at least {LEAST_BYTES_PER_S:g}, not {rates[i]:g}"
        raise InputError(path, at_row("bandwidth_bytes_per_s", i), problem)
    latencies = parse_floats(path, "latency_s", text["latency_s"], MOST_SECONDS)
    rows: dict[str, list[int]] = {}
    for i, name in enumerate(text["link"]):
        for direction in _directions(path, i, name, instance):
            before = rows.setdefault(direction, [])
            if before and times[i] <= times[before[-1]]:
                raise InputError(path, at_row("time_s", i), f"is not after the row above of {name}; sort by time")
            before.append(i)
    by_link = {}
    for direction, chosen in rows.items():
        if rates[chosen[-1]] <= 0:
            problem = "the last bandwidth of a link must be above 0, else its transfers never end; add a row"
            raise InputError(path, at_row("bandwidth_bytes_per_s", chosen[-1]), problem)
        link = instance.link_between(*direction.split("->"))
        assert link is not None
        own = ([0.0], [link.bandwidth_bytes_per_s], [link.latency_s]) if times[chosen[0]] > 0 else ([], [], [])
        by_link[direction] = (
            np.array([*own[0], *times[chosen]]),
            np.array([*own[1], *rates[chosen]]),
            np.array([*own[2], *latencies[chosen]]),
        )
    return LinkChanges(by_link)


def _directions(path: Path, row: int, name: str, instance: PlacementInstance) -> list[str]:
    known = [f"{link.a}--{link.b}" for link in instance.links]
    for sign in ("--", "->"):
        a, found, b = name.partition(sign)
        devices = instance.devices_by_name
        if found and a in devices and b in devices and instance.link_between(a, b) is not None:
            return [f"{a}->{b}", f"{b}->{a}"] if sign == "--" else [f"{a}->{b}"]
    raise InputError(path, at_row("link", row), f"{shown(name)} is no link of {instance.name}; {nearest(name, known)}")
