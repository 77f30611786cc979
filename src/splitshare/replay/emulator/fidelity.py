"""Emulated beside simulated: the same instance, placement and trace through both (method ours).

What a running system adds is measured on idle requests, apart from the trace that is compared, and given to the
simulator as ``Overheads``: so the comparison shows how far the ideal simulation is off and what of that is explained.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from splitshare.placement.instance import PlacementInstance
from splitshare.placement.objective import Route
from splitshare.replay.batching import ONE_BY_ONE, Batching
from splitshare.replay.metrics import OVERALL, request_metrics
from splitshare.replay.plan import IDEAL, Overheads
from splitshare.replay.simulator import simulate
from splitshare.replay.traces import RequestTrace

SLO_FACTOR = 2.5
"""A request is in time if it takes at most so many times its class's latency on an idle system (ours).

No whole multiple: service times do not vary, so latencies gather there. A request that finds nobody and whose head then
waits for one whole run of another one's encoder takes twice its idle latency, give or take a thousandth, and whether it
meets a limit of two says nothing of either replay.
"""
NEAR = 0.01
"""Attainment is fragile where much of a class lies within so much of its limit, relative."""
METRICS = ("mean_s", "p50_s", "p95_s", "p99_s", "slo_attainment")
SPACING_S = 0.05
"""Seconds between the idle requests, beyond the latency of each."""


def idle_trace(instance: PlacementInstance, latency_s: Mapping[str, float], rounds: int) -> RequestTrace:
    """Every class ``rounds`` times, each request alone in the system."""
    names = [request.name for request in instance.requests] * rounds
    gaps_s = [latency_s[name] * 1.2 + SPACING_S for name in names]
    classes = tuple(request.name for request in instance.requests)
    return RequestTrace(
        request_id=np.arange(len(names), dtype=np.int64),
        arrival_s=np.concatenate([[0.0], np.cumsum(gaps_s[:-1])]),
        classes=classes,
        request_class=np.array([classes.index(name) for name in names], dtype=np.int64),
        size=np.ones(len(names)),
    )


def busiest_demand_s(instance: PlacementInstance, routes: Mapping[str, Route]) -> float:
    """Seconds that a request of the instance's mix takes of the device or link that is asked most of."""
    total = sum(request.rate_per_s for request in instance.requests)
    classes = tuple(request.name for request in instance.requests)
    one = RequestTrace(
        np.arange(len(classes)), np.zeros(len(classes)), classes, np.arange(len(classes)), np.ones(len(classes))
    )
    stages = simulate(instance, routes, one).stages
    share = {request.name: request.rate_per_s / total for request in instance.requests}
    weighted_s = stages["busy_s"] * stages["request"].astype(str).map(share)
    return max(float(weighted_s.groupby(stages[lane].astype(object)).sum().max()) for lane in ("device", "link"))


def held_s(runs: pd.DataFrame) -> pd.Series[float]:
    """How long each run of a real module held its device: computing, and waiting for the rest of the profiled time."""
    return runs[["profiled_s", "wall_s"]].max(axis=1)


def measured_overheads(
    instance: PlacementInstance,
    routes: Mapping[str, Route],
    trace: RequestTrace,
    stages: pd.DataFrame,
    runs: pd.DataFrame | None = None,
    batching: Batching = ONE_BY_ONE,
) -> Overheads:
    """The terms that an idle system shows.

    Args:
        instance: what was emulated; with real modules, with the compute times of this host.
        routes: of its request classes.
        trace: requests, each alone in the system.
        stages: the emulated stages of that trace.
        runs: what real modules took in it (``outcome.runs_table``): computing is no overhead, however slow.
        batching: as emulated; a request alone has a batch only where it uses one module twice.
    """
    ideal = simulate(instance, routes, trace, batching=batching).stages
    lasted_s = stages["finish_s"] - stages["start_s"]
    computed = stages["device"].notna()
    computing_s = ideal["finish_s"] - ideal["start_s"]
    if runs is not None and len(runs):
        place = stages.groupby("request_id").cumcount()
        took_s = pd.Series(held_s(runs).to_numpy(), index=pd.MultiIndex.from_frame(runs[["request_id", "place"]]))
        took_s = took_s.reindex(pd.MultiIndex.from_arrays([stages["request_id"], place]))
        computing_s = pd.Series(took_s.to_numpy(), index=stages.index).fillna(computing_s)
    run_s = (lasted_s - computing_s)[computed]
    waited_s = stages["finish_s"] - stages["ready_s"]
    # A transfer that waited for another one of its request says nothing of messages: the ideal one waits too.
    message_s = (waited_s - (ideal["finish_s"] - ideal["ready_s"]))[stages["link"].notna()]
    return Overheads(
        message_s=max(0.0, float(message_s.median())) if len(message_s) else 0.0,
        run_s=max(0.0, float(run_s.median())) if len(run_s) else 0.0,
        signals=True,  # with sequential routing devices tell each other; with parallel routing there are none
    )


# Long: one table, a column after the other.
def compare(
    instance: PlacementInstance,
    routes: Mapping[str, Route],
    trace: RequestTrace,
    emulated: Sequence[pd.DataFrame],
    overheads: Overheads,
    latency_s: Mapping[str, float],
    batching: Batching = ONE_BY_ONE,
) -> pd.DataFrame:
    """Metrics of emulated runs and of the simulator, ideal and with overheads.

    Args:
        instance: what was run.
        routes: of its request classes.
        trace: what was replayed.
        emulated: the requests table of each repeated run.
        overheads: measured on another trace.
        latency_s: idle latency by class, of which a multiple is the limit.
        batching: as emulated.

    Returns:
        A row a request class and metric: ``request, n, metric, emulated, emulated_low, emulated_high, simulated,
        simulated_with_overheads, error, error_with_overheads, near_limit``. ``emulated`` is of all runs pooled, low
        and high are of single runs; an error is relative to the emulated value, of attainment the plain difference. A
        percentile of too few requests is null. ``near_limit``, of attainment only, is the share of the emulated
        requests whose latency is within ``NEAR`` of the limit: so much of it may hang on thousandths.
    """
    limits = {name: SLO_FACTOR * seconds for name, seconds in latency_s.items()}

    def metrics(requests: pd.DataFrame) -> pd.DataFrame:
        return request_metrics(requests, latency_limit_s=limits).set_index("request")

    ideal = simulate(instance, routes, trace, overheads=IDEAL, batching=batching).requests
    explained = simulate(instance, routes, trace, overheads=overheads, batching=batching).requests
    runs = len(emulated)
    together = pd.concat(emulated, ignore_index=True)
    near = (together["latency_s"] / together["request"].astype(str).map(limits) - 1).abs() <= NEAR
    pooled = metrics(together)
    single = [metrics(requests) for requests in emulated]
    simulated = metrics(pd.concat([ideal] * runs, ignore_index=True))
    with_overheads = metrics(pd.concat([explained] * runs, ignore_index=True))
    rows: list[dict[str, object]] = []
    for name in [*(request.name for request in instance.requests), OVERALL]:
        if name not in pooled.index:
            continue
        members = together["request"].astype(str) == name if name != OVERALL else np.full(len(together), True)
        for metric in METRICS:
            value, plain, full = (float(t.loc[name, metric]) for t in (pooled, simulated, with_overheads))  # type: ignore[arg-type]
            each = [float(run.loc[name, metric]) for run in single if name in run.index]  # type: ignore[arg-type]
            shares = metric == "slo_attainment"
            rows.append(
                {
                    "request": name,
                    "n": int(pooled.loc[name, "n"]),  # type: ignore[arg-type]
                    "runs": runs,
                    "metric": metric,
                    "emulated": value,
                    "emulated_low": min(each, default=math.nan),
                    "emulated_high": max(each, default=math.nan),
                    "simulated": plain,
                    "simulated_with_overheads": full,
                    "error": plain - value if shares else plain / value - 1,
                    "error_with_overheads": full - value if shares else full / value - 1,
                    "near_limit": float(near[members].mean()) if shares else math.nan,
                }
            )
    return pd.DataFrame(rows)
