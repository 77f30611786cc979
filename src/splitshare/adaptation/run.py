"""Lives through a timeline with each policy, and with hindsight over all that they decided (ours)."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd

from splitshare.adaptation.policies import Policy, Seen
from splitshare.adaptation.steps import Held, Rules, Step, step, survivors
from splitshare.adaptation.timeline import Span, State, state_of
from splitshare.placement.instance import PlacementInstance
from splitshare.progress import track
from splitshare.rounding import without_rounding

HINDSIGHT = "hindsight"
"""The best sequence of the policies' decisions, chosen by who knows all that comes."""
MOST_STATES, MOST_TARGETS = 200, 50
"""That hindsight keeps of a span, and decisions that it tries in every span; where there are more, it is the best found
and no bound."""
Placed = tuple[tuple[str, str], ...]
"""Modules with their devices, sorted."""


@dataclass(frozen=True)
class Lived:
    """A policy's way through the timeline."""

    policy: str
    steps: tuple[Step, ...]
    decide_s: tuple[float, ...]
    """Wall seconds of each decision; of hindsight NaN."""

    def cost_s(self, rules: Rules) -> float:
        """Request-seconds in all."""
        return sum(one.cost_s(rules) for one in self.steps)


def live(
    base: PlacementInstance, timeline: Sequence[Span], home: Held, policies: Sequence[Policy], rules: Rules
) -> list[Lived]:
    """Each policy from the same placement through the same timeline; hindsight last.

    Args:
        base: the instance at rest.
        timeline: of ``splitshare.adaptation.timeline.spans``.
        home: where modules stand at time 0.
        policies: with names of their own.
        rules: what moving and not serving cost.
    """
    states = [state_of(base, span) for span in timeline]
    found: list[Lived] = []
    targets: list[dict[Placed, dict[str, str]]] = [{} for _ in timeline]
    for policy in track(list(policies), "living through it", total=len(policies)):
        held: dict[str, str] = dict(home)
        steps: list[Step] = []
        seconds: list[float] = []
        for i, (span, state) in enumerate(zip(timeline, states, strict=True)):
            known = tuple(one.start_s for one in timeline[: i + 1])
            seen = Seen(base, state, span, survivors(held, span), known, rules)
            began = time.perf_counter()
            target = policy.decide(seen)
            seconds.append(time.perf_counter() - began)
            targets[i][tuple(sorted(target.items()))] = target
            steps.append(step(base, state, span, held, target, rules))
            held = steps[-1].held
        found.append(Lived(policy.name, tuple(steps), tuple(seconds)))
    best = _hindsight(base, timeline, states, home, targets, rules)
    cheapest = min(found, key=lambda lived: lived.cost_s(rules))
    if cheapest.cost_s(rules) <= sum(one.cost_s(rules) for one in best):
        best = cheapest.steps
    return [*found, Lived(HINDSIGHT, tuple(best), tuple([float("nan")] * len(best)))]


@dataclass(frozen=True, eq=False)
class _Way:
    """How a state was reached: what it cost, its last step, and the way before that."""

    cost_s: float
    last: Step | None = None
    before: _Way | None = None

    def steps(self) -> tuple[Step, ...]:
        """From the first one on."""
        found: list[Step] = []
        way: _Way | None = self
        while way is not None and way.last is not None:
            found.append(way.last)
            way = way.before
        return tuple(reversed(found))


def _hindsight(
    base: PlacementInstance,
    timeline: Sequence[Span],
    states: Sequence[State],
    home: Held,
    targets: Sequence[Mapping[Placed, dict[str, str]]],
    rules: Rules,
) -> tuple[Step, ...]:
    """Dynamic programme over where modules stand.

    In each span it has what the policies decided there, and what they decided most often anywhere.
    """
    often = Counter(key for one in targets for key in one)
    everything = {key: target for one in targets for key, target in one.items()}
    common = {key: everything[key] for key, _ in often.most_common(MOST_TARGETS)}
    reached: dict[Placed, _Way] = {tuple(sorted(home.items())): _Way(0.0)}
    spans = list(zip(timeline, states, targets, strict=True))
    for span, state, decided in track(spans, "looking back", total=len(spans)):
        names = set() if state.instance is None else {m.name for m in state.instance.modules}
        devices = set() if state.instance is None else set(state.instance.devices_by_name)
        fitting = {k: one for k, one in common.items() if set(one) == names and set(one.values()) <= devices}
        usable = {**decided, **fitting}
        following: dict[Placed, _Way] = {}
        for stands, way in reached.items():
            for target in usable.values():
                one = step(base, state, span, dict(stands), target, rules)
                key, total_s = tuple(sorted(one.held.items())), way.cost_s + one.cost_s(rules)
                if key not in following or total_s < following[key].cost_s:
                    following[key] = _Way(total_s, one, way)
        cheapest = sorted(following.items(), key=lambda entry: entry[1].cost_s)
        reached = dict(cheapest[:MOST_STATES])
    return min(reached.values(), key=lambda way: way.cost_s).steps()


def summary(lived: Sequence[Lived], rules: Rules) -> pd.DataFrame:
    """A row a policy.

    Columns: ``policy``, ``mean_latency_s`` (of what is served), ``unserved`` (share of requests), ``cost_s`` (request-
    seconds a request, with what is not served), ``regret`` (``cost_s`` over hindsight's, minus 1), ``moves``,
    ``moved_bytes``, ``decide_mean_s``, ``decide_most_s``.
    """
    rows = []
    for one in lived:
        asked = sum(s.asked for s in one.steps)
        unserved = sum(s.unserved for s in one.steps)
        served = asked - unserved
        rows.append(
            {
                "policy": one.policy,
                "mean_latency_s": sum(s.waited_s for s in one.steps) / served if served > 0 else np.nan,
                "unserved": unserved / asked if asked > 0 else np.nan,
                "cost_s": one.cost_s(rules) / asked if asked > 0 else np.nan,
                "moves": sum(len(s.moves) for s in one.steps),
                "moved_bytes": sum(s.moved_bytes for s in one.steps),
                "decide_mean_s": float(np.mean(one.decide_s)),
                "decide_most_s": float(np.max(one.decide_s)),
            }
        )
    table = pd.DataFrame(rows)
    least = float(table.loc[table["policy"] == HINDSIGHT, "cost_s"].iloc[0])
    table.insert(4, "regret", without_rounding(table["cost_s"] / least - 1) if least > 0 else np.nan)
    return table


def over_time(lived: Sequence[Lived], timeline: Sequence[Span]) -> pd.DataFrame:
    """A row a policy and a time in which nobody's way changes.

    Columns: ``policy, start_s, end_s, latency_s`` (rate-weighted mean of what is served; NaN: nothing is),
    ``unserved`` (share of the rate that is asked), ``moved_bytes`` (of the moves that begin with the span, in its first
    row), ``changed`` (what did, there).
    """
    rows = []
    for one in lived:
        for span, done in zip(timeline, one.steps, strict=True):
            cuts = sorted({span.start_s, span.end_s, *(s.start_s for s in done.stretches)})
            lost_per_s = (done.asked / (span.end_s - span.start_s)) - _asked_per_s(done, span.start_s)
            for start_s, end_s in pairwise(cuts):
                here = [s for s in done.stretches if s.start_s <= start_s < s.end_s]
                served = [s for s in here if s.route is not None]
                rate = sum(s.rate_per_s for s in served)
                asked = sum(s.rate_per_s for s in here) + max(lost_per_s, 0.0)
                first = start_s == span.start_s
                rows.append(
                    {
                        "policy": one.policy,
                        "start_s": start_s,
                        "end_s": end_s,
                        "latency_s": sum(s.rate_per_s * s.latency_s for s in served) / rate if rate > 0 else np.nan,
                        "unserved": float(without_rounding(1 - rate / asked)) if asked > 0 else 0.0,
                        "moved_bytes": done.moved_bytes if first else 0.0,
                        "changed": span.reason if first else "",
                    }
                )
    return pd.DataFrame(rows)


def _asked_per_s(done: Step, at_s: float) -> float:
    return sum(s.rate_per_s for s in done.stretches if s.start_s <= at_s < s.end_s)
