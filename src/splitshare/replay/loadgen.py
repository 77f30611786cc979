"""The four scenarios of MLPerf LoadGen for a placement: one at a time, a few at a time, a server, all at once.

Single stream and multi stream send the next query when the one before is answered. A placed system is then idle
whenever a query begins, so each is replayed by itself: far enough apart that none meets another. Scenarios and their
metrics are LoadGen's (Reddi et al. 2020, MLPerf Inference Benchmark); the bound of the server scenario is ours, a
factor of each class's idle latency.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from splitshare.placement.instance import PlacementInstance
from splitshare.placement.objective import Route
from splitshare.replay.arrivals import AtOnce
from splitshare.replay.capacity import LoadedSystem, knee
from splitshare.replay.generators import drawn_trace, poisson_trace, trace_at
from splitshare.replay.metrics import percentile
from splitshare.replay.plan import LinkModel, build_plan
from splitshare.replay.simulator import simulate
from splitshare.replay.traces import RequestTrace

SINGLE_PERCENTILE, MULTI_PERCENTILE, SERVER_SHARE = 90, 99, 0.99
"""Of LoadGen's rules: which percentile of latency counts, and the share of a server's queries that must be in time."""


@dataclass(frozen=True)
class Scenario:
    """What a scenario found."""

    scenario: str
    metric: str
    """What the value is, with its unit."""
    value: float
    queries: int
    note: str


def single_stream(
    instance: PlacementInstance,
    routes: Mapping[str, Route],
    *,
    queries: int,
    seed: int,
    link_model: LinkModel,
    samples: int = 1,
) -> Scenario:
    """One query after another; with ``samples`` above 1 each is of several requests (multi stream).

    Args:
        instance: what is placed.
        routes: of its request classes.
        queries: how many.
        seed: of the classes.
        link_model: how transfers share links.
        samples: requests of a query, which arrive together; the query is answered with the last of them.
    """
    plan = build_plan(instance, routes, [request.name for request in instance.requests], link_model)
    # No query takes longer than all its stages one after another, each of the slowest class.
    stages_s = (plan.service_s + plan.delay_s + plan.signal_s).tolist()
    longest_s = max(sum(stages_s[a:b]) for a, b in zip(plan.first[:-1], plan.first[1:], strict=True))
    starts_s = np.arange(queries) * (2 * samples * longest_s + 1.0)
    trace = trace_at(instance, np.repeat(starts_s, samples), seed=seed)
    finish_s = simulate(instance, routes, trace, link_model=link_model, keep_stages=False).requests["finish_s"]
    latency_s = np.sort(finish_s.to_numpy().reshape(queries, samples).max(axis=1) - starts_s)
    percent = SINGLE_PERCENTILE if samples == 1 else MULTI_PERCENTILE
    name = "single-stream" if samples == 1 else "multi-stream"
    note = "one request at a time" if samples == 1 else f"{samples} requests at a time, answered with the last"
    return Scenario(name, f"{percent}th percentile of latency, s", percentile(latency_s, percent), queries, note)


def server(
    instance: PlacementInstance,
    routes: Mapping[str, Route],
    *,
    queries: int,
    seeds: int,
    limit_factor: float,
    link_model: LinkModel,
) -> Scenario:
    """Poisson arrivals: the highest rate at which 99 of 100 keep their limits."""

    def draw(rate_per_s: float, seed: int) -> RequestTrace:
        return poisson_trace(instance, rate_per_s, requests=queries, seed=seed)

    system = LoadedSystem(instance, routes, draw, limit_factor, link_model)
    found = knee(system, attainment=SERVER_SHARE, seeds=range(seeds))
    note = f"95% interval {found.low:.4g} to {found.high:.4g}; in time: {limit_factor:g} times the idle latency"
    return Scenario("server", "requests/s in time", found.rate_per_s, queries, note)


def offline(
    instance: PlacementInstance, routes: Mapping[str, Route], *, queries: int, seed: int, link_model: LinkModel
) -> Scenario:
    """All at once: requests over the time until the last one is answered."""
    trace = drawn_trace(instance, AtOnce(), 1.0, requests=queries, seed=seed, kind="at-once")
    result = simulate(instance, routes, trace, link_model=link_model, keep_stages=False)
    assert result.load is not None
    rate_per_s = queries / float(result.requests["finish_s"].max())
    note = f"the {result.load.bottleneck} serves {result.load.holds_per_s:.4g} at most"
    return Scenario("offline", "requests/s", rate_per_s, queries, note)
