"""Re-deciding which models to hold as things change, under a price on moving them (ours).

Who answers what follows each span's demand at no cost (its offloading program); holding another model costs its bytes.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from splitshare.adaptation.onloading_timeline import Span, cut_off, state_of
from splitshare.choices import MovingPolicy
from splitshare.errors import WorkError
from splitshare.onloading.arrays import Arrays, Flags, Floats, Ints, arrays_of
from splitshare.onloading.contract import OnloadingAlgorithm
from splitshare.onloading.instance import OnloadingInstance
from splitshare.onloading.lp import LpSolution, OffloadingLp
from splitshare.onloading.objective import Hosts, hosts_of
from splitshare.onloading.run import solve
from splitshare.onloading.side_constraints import refuse_limits
from splitshare.plugins import warm_up
from splitshare.progress import track
from splitshare.rounding import without_rounding

POLICIES: tuple[MovingPolicy, ...] = ("keep", "anew", "priced")
"""Never decide again; decide from scratch at each span; take from that, server by server, what is worth its bytes."""
CLAIRVOYANT = "clairvoyant"


@dataclass(frozen=True)
class Terms:
    """What moving costs."""

    right_per_gb: float
    """Right answers that a gigabyte moved must bring."""
    ahead: int = 4
    """Spans for which a policy expects what it gains to last."""


@dataclass(frozen=True, eq=False)
class Outcome:
    """What a policy got in a span, and what stood where for it."""

    right: float
    """Right answers; while models travel, only those count that stood before and stay."""
    asked: float
    moved_bytes: float
    moving_s: float
    """Until the last model has arrived."""
    decide_s: float
    during: Hosts
    """What answers until the last model has arrived."""
    after: Hosts
    """What answers from then on."""


def held(hosts: Hosts) -> Flags:
    """Models by location, clients first; shape (locations, J)."""
    return np.vstack([hosts.client, hosts.server >= 0])


def new_bytes(arrays: Arrays, before: Hosts, after: Hosts) -> Floats:
    """Bytes that each location must be sent, shape (locations,); what models share counts once."""
    old, new = held(before), held(after)
    # What is needed for both sets together, less what is there.
    sent: Floats = arrays.used_bytes(old | new) - arrays.used_bytes(old)
    return sent


def moving_s(arrays: Arrays, sent: Floats) -> Floats:
    """Seconds until each location has what it is sent, shape (locations,), clients first.

    All side by side, but for a server's backhaul, which carries what its clients and the servers below it are sent,
    too, one after another.
    """
    clients = len(arrays.client_server)
    instance = arrays.instance
    backhaul = np.array([s.backhaul_bytes_per_s for s in instance.servers])
    uplink = np.array([c.uplink_bytes_per_s for c in instance.clients])
    own = sent[clients:] + np.bincount(arrays.client_server, sent[:clients], minlength=len(backhaul))
    below, through = np.zeros(len(backhaul)), np.zeros(len(backhaul))
    for link in arrays.way.T:
        below += np.bincount(link[link >= 0], own[link >= 0], minlength=len(backhaul))
    for link in arrays.way.T:
        through = np.maximum(through, np.where(link >= 0, (below / backhaul)[link], 0.0))
    at_clients = np.maximum(sent[:clients] / uplink, through[arrays.client_server])
    seconds: Floats = np.concatenate([at_clients, through])
    return np.where(sent > 0, seconds, 0.0)


def _both(before: Hosts, after: Hosts) -> Hosts:
    """What stands before and after: what answers while the rest travels."""
    kept = (before.server >= 0) & (after.server >= 0)
    return Hosts(before.client & after.client, np.where(kept, before.server, -1))


def without_lost(instance: OnloadingInstance, hosts: Hosts, span: Span) -> Hosts:
    """What is held once servers are lost."""
    lost = np.array([server.name in span.lost for server in instance.servers])
    return Hosts(hosts.client, np.where(lost[:, None], -1, hosts.server))


def reached(instance: OnloadingInstance, span: Span, before: Hosts, wanted: Hosts) -> Hosts:
    """What is held where all is done that can be: a lost server holds nothing, and what it cuts off keeps what stands.

    Args:
        instance: at rest.
        span: what is lost in it, and where its clients are.
        before: what stands.
        wanted: what is to stand.
    """
    kept, clients = cut_off(instance, span)[:, None], len(instance.clients)
    hosts = Hosts(
        np.where(kept[:clients], before.client, wanted.client), np.where(kept[clients:], before.server, wanted.server)
    )
    return without_lost(instance, hosts, span)


def offloaded(program: OffloadingLp, hosts: Hosts) -> tuple[Hosts, LpSolution]:
    """Who answers what, and the models as they run: where batches cannot fill, without batching."""
    solution = program.solve(hosts)
    if solution is None:
        hosts = replace(hosts, server=np.minimum(hosts.server, 0))
        solution = program.solve(hosts)
    assert solution is not None
    return hosts, solution


def right_per_s(program: OffloadingLp, hosts: Hosts) -> float:
    """Right answers a second, by ``offloaded``."""
    return offloaded(program, hosts)[1].right_per_s


def nothing(instance: OnloadingInstance) -> Hosts:
    """No model anywhere."""
    shape = (len(instance.clients), len(instance.models))
    return Hosts(np.zeros(shape, dtype=bool), np.full((len(instance.servers), shape[1]), -1, dtype=np.int64))


def _by_server(program: OffloadingLp, span: Span, now: Hosts, goal: Hosts, terms: Terms) -> Hosts:
    """From what is held, server by server (with its clients) to a goal, where the bytes are worth it.

    While models travel only what stays answers, and what would not arrive within the span is given up.
    """
    arrays = program.arrays
    later_s = (span.end_s - span.start_s) * (terms.ahead - 1)

    def right_of(wanted: Hosts) -> float:
        return _lived(program, span, now, wanted, 0.0, later_s).right

    price = terms.right_per_gb / 1e9
    sent = new_bytes(arrays, now, goal)
    clients = len(arrays.client_server)
    weight = sent[clients:] + np.bincount(arrays.client_server, sent[:clients], minlength=len(now.server))
    best, best_right = now, right_of(now)
    for server in np.argsort(weight, kind="stable"):
        mine = arrays.client_server == server
        tried = Hosts(
            np.where(mine[:, None], goal.client, best.client),
            np.where((np.arange(len(now.server)) == server)[:, None], goal.server, best.server),
        )
        right = right_of(tried)
        if right - best_right > price * weight[server]:
            best, best_right = tried, right
    return best


def follow(
    instance: OnloadingInstance,
    timeline: Sequence[Span],
    algorithm: OnloadingAlgorithm,
    policies: Sequence[MovingPolicy],
    terms: Terms,
) -> dict[str, list[Outcome]]:
    """Each policy from the same first decision through the same timeline, and the clairvoyant.

    The first decision is made for the first span in which somebody asks, and its bytes are not counted.

    Args:
        instance: at rest.
        timeline: of ``splitshare.adaptation.onloading_timeline.spans_of``.
        algorithm: decides from scratch.
        policies: which of ``POLICIES``.
        terms: what moving costs.

    Raises:
        InputError: the instance has side constraints: whether they are kept would hang on the span.
        WorkError: the algorithm's answer for a span is wrong, or there is none.
    """
    refuse_limits(instance, "re-deciding over time")
    states = [state_of(instance, span) for span in timeline]
    programs = [None if state is None else OffloadingLp(arrays_of(state)) for state in states]
    goals: list[Hosts | None] = []
    decide_s: list[float] = []
    warm_up(algorithm)
    for i, state in enumerate(track(states, "deciding each span", total=len(states))):
        began = time.perf_counter()
        goals.append(None if state is None else _decided(state, algorithm, i + 1))
        decide_s.append(time.perf_counter() - began)
    first = next((goal for goal in goals if goal is not None), nothing(instance))
    candidates: list[Hosts] = [first, *(goal for goal in goals if goal is not None)]
    found: dict[str, list[Outcome]] = {}
    for name in policies:
        now, outcomes = first, []
        for i, (span, program, goal) in enumerate(zip(timeline, programs, goals, strict=True)):
            there = without_lost(instance, now, span)
            began = time.perf_counter()
            if program is None or goal is None:
                wanted = there
            elif name == "keep":
                wanted = first
            elif name == "anew":
                wanted = goal
            else:
                wanted = _by_server(program, span, there, reached(instance, span, there, goal), terms)
            wanted = reached(instance, span, there, wanted)
            spent_s = time.perf_counter() - began + (0.0 if name == "keep" else decide_s[i])
            outcomes.append(_lived(program, span, there, wanted, spent_s))
            now = outcomes[-1].after
            candidates.append(now)
        found[name] = outcomes
    found[CLAIRVOYANT] = _clairvoyant(instance, timeline, programs, first, _distinct(candidates), terms)
    return found


def _decided(state: OnloadingInstance, algorithm: OnloadingAlgorithm, span: int) -> Hosts:
    decision = solve(state, algorithm)
    if decision.onloading is None:
        problem = f"{decision.status} ({decision.reason or 'no decision'})"
        raise WorkError(f"{algorithm.name} on span {span} of {state.name}: {problem}")
    return hosts_of(state, decision.onloading)


def _lived(
    program: OffloadingLp | None, span: Span, before: Hosts, wanted: Hosts, decide_s: float, later_s: float = 0.0
) -> Outcome:
    """What a decision brings in a span; what has not arrived by its end is given up.

    Args:
        program: of the span; nothing: nobody asks.
        span: how long it is.
        before: what stands.
        wanted: what is to stand.
        decide_s: wall seconds of the decision.
        later_s: time after the span, with its demand, whose right answers count, too.
    """
    if program is None:
        return Outcome(0.0, 0.0, 0.0, 0.0, decide_s, wanted, wanted)
    length_s = span.end_s - span.start_s
    sent = new_bytes(program.arrays, before, wanted)
    seconds = moving_s(program.arrays, sent)
    both = _both(before, wanted)
    there, clients = (seconds <= length_s)[:, None], len(before.client)
    after = Hosts(
        np.where(there[:clients], wanted.client, both.client), np.where(there[clients:], wanted.server, both.server)
    )
    until_s = min(float(seconds.max(initial=0.0)), length_s)
    after_per_s = right_per_s(program, after)
    right = after_per_s * (length_s - until_s)
    if until_s > 0:
        right += right_per_s(program, both) * until_s
    right += after_per_s * later_s
    asked = program.arrays.demand * length_s
    return Outcome(right, asked, float(sent.sum()), until_s, decide_s, both, after)


def _distinct(candidates: Sequence[Hosts]) -> list[Hosts]:
    return list({(one.client.tobytes(), one.server.tobytes()): one for one in candidates}.values())


def _clairvoyant(
    instance: OnloadingInstance,
    timeline: Sequence[Span],
    programs: Sequence[OffloadingLp | None],
    first: Hosts,
    candidates: Sequence[Hosts],
    terms: Terms,
) -> list[Outcome]:
    """The best sequence of all that was ever decided, by who knows all that comes and moves in no time."""
    price = terms.right_per_gb / 1e9
    total = np.full(len(candidates), -np.inf)
    came: list[Ints] = []
    rights: list[Floats] = []
    bytes_: list[Floats] = []
    arrays = arrays_of(instance)
    spans = list(zip(timeline, programs, strict=True))
    for i, (span, program) in enumerate(track(spans, "looking ahead", total=len(spans))):
        length_s = span.end_s - span.start_s
        here = [without_lost(instance, one, span) for one in candidates]
        right = np.array([0.0 if program is None else right_per_s(program, one) * length_s for one in here])
        # What was lost in the span before is not there, though its server may be back.
        kept = [first] if i == 0 else [without_lost(instance, one, timeline[i - 1]) for one in candidates]
        before = [without_lost(instance, one, span) for one in kept]
        sent = _sent(arrays, before, here, cut_off(instance, span))
        # Nothing may be sent where no way leads, even where moving costs nothing.
        cost = np.where(np.isinf(sent), np.inf, price * np.where(np.isinf(sent), 0.0, sent))
        worth = (np.zeros(1) if i == 0 else total)[:, None] - cost
        came.append(worth.argmax(axis=0))
        total = worth.max(axis=0) + right
        rights.append(right)
        bytes_.append(sent[came[-1], np.arange(len(candidates))])
    at = int(total.argmax())
    outcomes: list[Outcome] = []
    for i in range(len(spans) - 1, -1, -1):
        back = int(came[i][at])
        program = programs[i]
        asked = 0.0 if program is None else program.arrays.demand * (timeline[i].end_s - timeline[i].start_s)
        stood = without_lost(instance, candidates[at], timeline[i])
        moved = float(bytes_[i][at])
        outcomes.append(Outcome(float(rights[i][at]), asked, moved, 0.0, float("nan"), stood, stood))
        at = back
    return outcomes[::-1]


def _sent(arrays: Arrays, before: Sequence[Hosts], after: Sequence[Hosts], cut: Flags) -> Floats:
    """Bytes from each decision to each, over all locations; infinite where some that are cut off would be sent any.

    The sums of ``new_bytes``, all at once: what is sent is what stands after and not before, models and backbones each
    by itself. Shape (before, after).
    """
    size = np.concatenate([arrays.memory, arrays.backbone_memory])
    missing, stands = ~_items(arrays, before), _items(arrays, after)

    def summed(missing: Flags, stands: Floats) -> Floats:
        # As floats: products of flags and of integers take many times as long.
        return missing.reshape(len(missing), -1).astype(float) @ stands.reshape(len(stands), -1).T

    barred = summed(missing[:, cut], (stands[:, cut] & (size > 0)).astype(float)) > 0
    return np.where(barred, np.inf, summed(missing, np.where(stands, size, 0.0)))


def _items(arrays: Arrays, decisions: Sequence[Hosts]) -> Flags:
    """Models, then backbones, that stand at each location; shape (decisions, locations, J + K)."""
    models = np.stack([held(one) for one in decisions])
    uses = arrays.backbone[:, None] == np.arange(len(arrays.backbone_memory))
    return np.concatenate([models, models @ uses], axis=2)


def table_of(found: dict[str, list[Outcome]], timeline: Sequence[Span]) -> pd.DataFrame:
    """A row a policy and span: ``policy, start_s, end_s, accuracy, moved_bytes, moving_s, decide_s, changed``."""
    rows = [
        {
            "policy": name,
            "start_s": span.start_s,
            "end_s": span.end_s,
            "accuracy": outcome.right / outcome.asked if outcome.asked > 0 else np.nan,
            "moved_bytes": outcome.moved_bytes,
            "moving_s": outcome.moving_s,
            "decide_s": outcome.decide_s,
            "changed": span.reason,
        }
        for name, outcomes in found.items()
        for span, outcome in zip(timeline, outcomes, strict=True)
    ]
    return pd.DataFrame(rows)


def summary(found: dict[str, list[Outcome]], terms: Terms) -> pd.DataFrame:
    """A row a policy.

    Columns: ``policy``, ``accuracy`` (mean over all queries), ``moved_bytes``, ``worth`` (right answers less the price
    of the bytes, a query), ``regret`` (share of the clairvoyant's worth that is missed), ``decide_mean_s``,
    ``decide_most_s``.
    """
    rows = []
    for name, outcomes in found.items():
        asked = sum(one.asked for one in outcomes)
        right, moved = sum(one.right for one in outcomes), sum(one.moved_bytes for one in outcomes)
        seconds = [one.decide_s for one in outcomes]
        rows.append(
            {
                "policy": name,
                "accuracy": right / asked if asked > 0 else np.nan,
                "moved_bytes": moved,
                "worth": (right - moved / 1e9 * terms.right_per_gb) / asked if asked > 0 else np.nan,
                "decide_mean_s": float(np.mean(seconds)),
                "decide_most_s": float(np.max(seconds)),
            }
        )
    table = pd.DataFrame(rows)
    known = float(table.loc[table["policy"] == CLAIRVOYANT, "worth"].iloc[0])
    table.insert(4, "regret", without_rounding(1 - table["worth"] / known) if known > 0 else np.nan)
    return table
