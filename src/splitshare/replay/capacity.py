"""How much load a placement stands: the highest rate at which requests keep their latency limits (ours).

A request is in time if it takes at most a factor of its class's latency on an idle system. The share in time falls as
the rate grows; the *knee* is the rate at which it falls to a target. It is found by bisection, for each seed by itself
with the same draws at every rate (common random numbers), so that the spread over seeds says how sure it is.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from splitshare.errors import WorkError
from splitshare.placement.instance import PlacementInstance
from splitshare.placement.objective import Route
from splitshare.replay.confidence import replications
from splitshare.replay.load import OfferedLoad, expected_load
from splitshare.replay.metrics import OVERALL, request_metrics
from splitshare.replay.plan import LinkModel
from splitshare.replay.result import ReplayResult
from splitshare.replay.simulator import idle_latency_s, simulate
from splitshare.replay.traces import RequestTrace

DrawTrace = Callable[[float, int], RequestTrace]
"""A trace at a rate (a second), of a seed."""
CLOSE = 0.005
"""Relative width at which bisection ends."""
SHARES = (0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.2)
"""Of what the system holds: the rates of the load curve, beside the knee."""
WARM_UP = 0.1
"""Share of the requests that is left out at the start, while queues fill."""


@dataclass(frozen=True)
class Knee:
    """The rate at which the share in time falls to the target."""

    rate_per_s: float
    """Mean over seeds."""
    low: float
    high: float
    """Ends of the 95 % interval of that mean (Student's t over seeds)."""
    by_seed: tuple[float, ...]
    holds_per_s: float
    """The rate up to which no queue grows."""
    bottleneck: str


@dataclass(frozen=True)
class LoadedSystem:
    """A placement under load, and when a request is in time."""

    instance: PlacementInstance
    routes: Mapping[str, Route]
    draw: DrawTrace
    limit_factor: float
    link_model: LinkModel = "serial"
    reference_s: Mapping[str, float] | None = None
    """Latencies by class that the factor is of; ``None``: its own ones on an idle system."""

    @property
    def idle_s(self) -> dict[str, float]:
        """Latency by class on an idle system."""
        return idle_latency_s(self.instance, self.routes, link_model=self.link_model)

    @property
    def limits_s(self) -> dict[str, float]:
        """Latency limit by class."""
        reference_s = self.idle_s if self.reference_s is None else self.reference_s
        return {name: seconds * self.limit_factor for name, seconds in reference_s.items()}

    @property
    def expected(self) -> OfferedLoad:
        """What its devices and links are asked for on average.

        Raises:
            WorkError: nothing queues for anything, so that no rate is too high.
        """
        load = expected_load(self.instance, self.routes, self.link_model)
        if not math.isfinite(load.holds_per_s):
            raise WorkError("no stage takes time on a device or a link, so that no rate is too high")
        return load

    def replay(self, rate_per_s: float, seed: int, *, keep_stages: bool = False) -> ReplayResult:
        """Requests at a rate."""
        trace = self.draw(rate_per_s, seed)
        return simulate(self.instance, self.routes, trace, link_model=self.link_model, keep_stages=keep_stages)


def knee(system: LoadedSystem, *, attainment: float, seeds: Sequence[int]) -> Knee:
    """Find the rate at which the share in time falls to ``attainment``.

    Args:
        system: what is loaded.
        attainment: share of requests that must be in time, above 0 and below 1.
        seeds: of the traces, at least two.

    Raises:
        WorkError: nothing queues for anything, so that no rate is too high.
    """
    limits_s = system.limits_s
    load = system.expected
    found = [knee_of(system, limits_s, attainment, load.holds_per_s, seed) for seed in seeds]
    mean = replications(found)
    return Knee(mean.mean, max(0.0, mean.low), mean.high, tuple(found), load.holds_per_s, load.bottleneck)


def knee_of(
    system: LoadedSystem, limits_s: Mapping[str, float], attainment: float, holds_per_s: float, seed: int
) -> float:
    """The knee of one seed, by bisection from rates at which requests hardly ever meet to twice what the system holds.

    Returns:
        The rate a second; 0 where limits are missed even on an idle system.
    """
    if _in_time_alone(system, limits_s, system.draw(holds_per_s, seed)) < attainment:
        return 0.0
    low, high = holds_per_s * 1e-6, 2 * holds_per_s
    while high - low > CLOSE * high:
        middle = (low + high) / 2
        if in_time(system.replay(middle, seed), limits_s) >= attainment:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def _in_time_alone(system: LoadedSystem, limits_s: Mapping[str, float], trace: RequestTrace) -> float:
    """The share that keeps its limits where requests never meet."""
    idle_s = system.idle_s
    keeps = np.array([idle_s[name] <= limits_s[name] for name in trace.classes])
    return float(keeps[trace.request_class[int(len(trace) * WARM_UP) :]].mean())


def in_time(result: ReplayResult, limits_s: Mapping[str, float]) -> float:
    """Share of the requests after the warm-up that keep their limits."""
    table = request_metrics(result.requests, latency_limit_s=limits_s, warm_up_fraction=WARM_UP)
    return float(table.set_index("request")["slo_attainment"][OVERALL])


def load_curve(system: LoadedSystem, of: Knee, seeds: Sequence[int], shares: Sequence[float] = SHARES) -> pd.DataFrame:
    """What becomes of latencies as load grows.

    Args:
        system: what is loaded.
        of: its knee.
        seeds: of the traces.
        shares: of what the system holds, the rates to look at; the knee is one too.

    Returns:
        A row a rate and seed: ``offered_per_s, seed, mean_s, p50_s, p95_s, p99_s, in_time, goodput_per_s`` (requests
        a second that are in time), ``busiest`` (share of the time that the bottleneck is asked for).
    """
    limits_s = system.limits_s
    rows = []
    for rate_per_s in sorted({of.rate_per_s, *(share * of.holds_per_s for share in shares)}):
        for seed in seeds:
            point = point_of(system.replay(rate_per_s, seed), limits_s)
            rows.append({"offered_per_s": rate_per_s, "seed": seed, **point})
    return pd.DataFrame(rows)


def point_of(result: ReplayResult, limits_s: Mapping[str, float]) -> dict[str, float]:
    """What a replay comes to after the warm-up: the columns of ``load_curve`` beside rate and seed."""
    assert result.load is not None
    table = request_metrics(result.requests, latency_limit_s=limits_s, warm_up_fraction=WARM_UP)
    (overall,) = table[table["request"] == OVERALL].to_dict("records")
    return {
        **{name: overall[name] for name in ("mean_s", "p50_s", "p95_s", "p99_s")},
        "in_time": overall["slo_attainment"],
        "goodput_per_s": overall["throughput_per_s"] * overall["slo_attainment"],
        "busiest": result.load.offered,
    }
