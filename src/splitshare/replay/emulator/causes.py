"""Why real modules take longer than the simulator says: measured causes, added to it one after another (method ours).

The worker tells of each run how long the module computed and how much CPU time its thread had, so that a host that is
slower than the profiled device, modules that slow each other, and a thread that waits for a core are told apart. Each
cause is simulated by an instance with other compute times, not by a term of its own.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import pandas as pd

from splitshare.placement.instance import PlacementInstance
from splitshare.placement.objective import Route
from splitshare.placement.what_if import with_compute_s
from splitshare.replay.emulator.fidelity import held_s
from splitshare.replay.metrics import OVERALL, request_metrics
from splitshare.replay.plan import IDEAL, Overheads
from splitshare.replay.simulator import simulate
from splitshare.replay.traces import RequestTrace

CAUSES = {"overheads": None, "host": "alone_s", "slowdown": "slowed_s", "waiting": "held_s"}
"""Causes in the order in which they are added, with the compute times (columns of ``computing_table``) that hold from
then on; ``None``: the instance's own.

- ``overheads``: a message's and a run's, measured on idle requests.
- ``host``: modules need the CPU time that they need here while the system is idle.
- ``slowdown``: they need that of the replay, in which they share caches and the insides of cores (it may be less than
  alone: a busy processor is a warm one).
- ``waiting``: they take the time of the replay, in which they are at times ready to run and no core is free.

None makes a module quicker than its profile: a worker waits for the rest of the profiled time.
"""
_KEY = ["request", "place", "stage", "module", "device"]


def computing_table(idle: pd.DataFrame, replayed: pd.DataFrame) -> pd.DataFrame:
    """What modules took here, alone and in a replay.

    Args:
        idle: runs of requests that were each alone in the system (``outcome.runs_table``).
        replayed: runs of the replay, of all repeats.

    Returns:
        A row a module of a request class: ``request, place, stage, module, device, profiled_s, idle_runs, idle_wall_s,
        idle_cpu_s, alone_s, runs, wall_s, cpu_s, moved_s, slowed_s, held_s``. Idle times are medians, the replay's
        means. Moving tensors to a GPU and back took ``moved_s`` of ``wall_s``.
        ``held_s`` is for how long the device was held, ``slowed_s`` for how long it would have been with a core for
        every module, ``alone_s`` the same on an idle system; each at least ``profiled_s``.
    """
    table = (
        idle.assign(alone_s=idle[["profiled_s", "cpu_s"]].max(axis=1))
        .groupby(_KEY, sort=True)
        .agg(
            profiled_s=("profiled_s", "first"),
            idle_runs=("wall_s", "size"),
            idle_wall_s=("wall_s", "median"),
            idle_cpu_s=("cpu_s", "median"),
            alone_s=("alone_s", "median"),
        )
    )
    busy = replayed.assign(slowed_s=replayed[["profiled_s", "cpu_s"]].max(axis=1), held_s=held_s(replayed))
    means = busy.groupby(_KEY, sort=True).agg(
        runs=("wall_s", "size"),
        **{column: (column, "mean") for column in ("wall_s", "cpu_s", "moved_s", "slowed_s", "held_s")},
    )
    return table.join(means).reset_index()


def with_computing(instance: PlacementInstance, computing: pd.DataFrame, column: str) -> PlacementInstance:
    """The instance with compute times of ``computing_table``; a module that never ran keeps its own."""
    seconds = (
        computing.dropna(subset=column).groupby(["request", "module", "device"])[column].mean()
    )  # a class may use a module twice
    named = seconds.reset_index().astype({column: float}).itertuples(index=False, name=None)
    return with_compute_s(instance, {(request, module, device): s for request, module, device, s in named})


def causes_table(
    instance: PlacementInstance,
    routes: Mapping[str, Route],
    trace: RequestTrace,
    emulated: Sequence[pd.DataFrame],
    overheads: Overheads,
    computing: pd.DataFrame,
) -> pd.DataFrame:
    """Mean latency emulated, and simulated with one cause after another.

    Args:
        instance: what was run, with profiled compute times.
        routes: of its request classes.
        trace: what was replayed.
        emulated: the requests table of each repeated run.
        overheads: measured on idle requests.
        computing: of ``computing_table``.

    Returns:
        A row a request class, and one for all: ``request, n, runs, emulated_s, emulated_low_s, emulated_high_s,
        ideal_s, with_overheads_s, with_host_s, with_slowdown_s, with_waiting_s, unexplained_s, unexplained``.
        ``emulated_s`` is of all runs pooled, low and high are of single ones; each simulated latency has the causes up
        to its own; ``unexplained_s`` is what the emulated one is above the last, ``unexplained`` its share of it.
    """

    def mean_s(requests: pd.DataFrame) -> pd.Series[float]:
        return request_metrics(requests).set_index("request")["mean_s"]

    steps = {"ideal_s": mean_s(simulate(instance, routes, trace, overheads=IDEAL, keep_stages=False).requests)}
    for cause, column in CAUSES.items():
        here = instance if column is None else with_computing(instance, computing, column)
        steps[f"with_{cause}_s"] = mean_s(
            simulate(here, routes, trace, overheads=overheads, keep_stages=False).requests
        )
    pooled = request_metrics(pd.concat(emulated, ignore_index=True)).set_index("request")
    single = [mean_s(requests) for requests in emulated]
    rows: list[dict[str, object]] = []
    for name in [*(request.name for request in instance.requests), OVERALL]:
        if name not in pooled.index:
            continue
        whole_s = float(pooled.loc[name, "mean_s"])  # type: ignore[arg-type]
        each_s = [float(run[name]) for run in single]
        simulated_s = {column: float(step[name]) for column, step in steps.items()}
        left_s = whole_s - list(simulated_s.values())[-1]
        rows.append(
            {
                "request": name,
                "n": int(pooled.loc[name, "n"]),  # type: ignore[arg-type]
                "runs": len(emulated),
                "emulated_s": whole_s,
                "emulated_low_s": min(each_s, default=math.nan),
                "emulated_high_s": max(each_s, default=math.nan),
                **simulated_s,
                "unexplained_s": left_s,
                "unexplained": left_s / whole_s,
            }
        )
    return pd.DataFrame(rows)
