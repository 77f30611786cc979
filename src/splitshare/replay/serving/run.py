"""A replay by rules of serving: laid out as flat arrays, run, and told in the tables of every replay."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from splitshare.errors import InputError
from splitshare.placement.instance import PlacementInstance, Request
from splitshare.placement.objective import Route, request_latency_s
from splitshare.replay.link_changes import LinkChanges, change_arrays
from splitshare.replay.load import offered_load
from splitshare.replay.plan import IDEAL, LinkModel, Overheads, StagePlan, plan_of_routes
from splitshare.replay.result import ReplayResult, first_rows, request_table, stage_table, stages_of_rows
from splitshare.replay.serving.loop import BY_PLAN, LEAST_COMPLETION, SHORTEST_QUEUE, run_served
from splitshare.replay.serving.rules import Serving, Swapping
from splitshare.replay.traces import RequestTrace

MOST_ROUTES = 2048
"""Of one class: each arrival looks at all of them."""
_CHOICES = {"plan": BY_PLAN, "least-completion": LEAST_COMPLETION, "shortest-queue": SHORTEST_QUEUE}


def routes_of_copies(
    instance: PlacementInstance, request: Request, hosts: Mapping[str, Sequence[str]], source: Path | str = "placement"
) -> list[Route]:
    """Every route of a class that can be gone, the fastest on an idle system first; the first is the evaluator's.

    Args:
        instance: the instance.
        request: the class.
        hosts: devices of each module.
        source: file that they came from, for messages.

    Raises:
        InputError: there are more than ``MOST_ROUTES``, or none.
    """
    count = math.prod(len(hosts[name]) for name in (request.head, *(use.module for use in request.encoders)))
    if count > MOST_ROUTES:
        problem = f"has {count} routes, more than {MOST_ROUTES}; place fewer copies of its modules"
        raise InputError(source, f"requests.{request.name}", problem)
    routes = [
        Route(tuple(encoders), head)
        for head in hosts[request.head]
        for encoders in itertools.product(*(hosts[use.module] for use in request.encoders))
    ]
    timed = [(request_latency_s(instance, request, route), route) for route in routes]
    possible = sorted((pair for pair in timed if math.isfinite(pair[0])), key=lambda pair: pair[0])
    if not possible:
        raise InputError(source, f"requests.{request.name}", "no route of it can be gone")
    return [route for _, route in possible]


@dataclass(frozen=True, eq=False)
class _Memory:
    """What stands in memory at the start; arrays of the shape (devices, modules) but for ``memory``."""

    inside: NDArray[np.bool_]
    bytes_of: NDArray[np.float64]
    memory: NDArray[np.float64]
    load_s: NDArray[np.float64]


# Long: a list of arrays for the compiled loop.
def simulate_served(  # noqa: PLR0913 - what `simulate` was asked
    instance: PlacementInstance,
    routes: Mapping[str, Route],
    trace: RequestTrace,
    serving: Serving,
    *,
    link_model: LinkModel = "serial",
    source: Path | str = "placement",
    overheads: Overheads = IDEAL,
    keep_stages: bool = True,
    changes: LinkChanges | None = None,
) -> ReplayResult:
    """Replay a trace by rules of serving; arguments as of ``splitshare.replay.simulator.simulate``.

    Raises:
        InputError: the rules do not fit each other, the instance or the placement.
    """
    serving.check(instance)
    requests = {request.name: request for request in instance.requests}
    by_class = [
        [routes[name]]
        if serving.routing == "plan"
        else routes_of_copies(instance, requests[name], serving.hosts or {}, source)
        for name in trace.classes
    ]
    named = [(name, route) for name, own in zip(trace.classes, by_class, strict=True) for route in own]
    plan = plan_of_routes(instance, named, link_model, source, overheads)
    if changes is not None and serving.routing == "least-completion":
        problem = "tells no completion of what goes over links that change; choose shortest-queue or plan"
        raise InputError("--routing", serving.routing, problem)
    moving = change_arrays(plan, changes)
    route_first = np.cumsum([0, *(len(own) for own in by_class)])
    by_name = [serving.priority.get(name, 0) for name in trace.classes]
    ranks, rank = np.unique(np.array(by_name, dtype=np.int64), return_inverse=True)
    deadline_s = np.array([serving.deadline_s.get(name, math.inf) for name in trace.classes])
    memory = _memory(instance, serving, source)
    kinds = [serving.queues.get(device, "fcfs") for device in plan.devices]
    kinds += ["fcfs"] * (plan.resources - len(plan.devices))

    # The stages of a class's routes are alike, whichever is taken.
    row_first = first_rows(plan, replace(trace, request_class=route_first[trace.request_class]))
    ready_s, start_s, done_s, load_s, route, late_s = run_served(
        trace.arrival_s,
        trace.size,
        trace.request_class,
        rank[trace.request_class].astype(np.int64),
        trace.arrival_s + deadline_s[trace.request_class],
        row_first,
        route_first.astype(np.int64),
        *plan.flat,
        np.where(plan.device >= 0, plan.module, -1),
        (plan.device >= 0) | (plan.link >= 0),
        plan.resources,
        np.array([kind == "ps" for kind in kinds]),
        np.array([kind == "priority" for kind in kinds]),
        len(ranks),
        _CHOICES[serving.routing],
        memory.inside.copy(),
        memory.bytes_of,
        memory.memory,
        memory.load_s,
        *moving.flat,
    )
    routed = replace(trace, classes=tuple(f"{name} {i}" for i, (name, _) in enumerate(named)), request_class=route)
    stage = stages_of_rows(plan, routed, row_first)
    owner = np.repeat(np.arange(len(trace)), np.diff(row_first))
    held_s = moving.held_s(stage, start_s, trace.size[owner], plan.service_s[stage])
    busy_s = np.where(np.isnan(start_s), np.nan, held_s * trace.size[owner] + load_s)
    served_s = np.where((plan.link[stage] < 0) & (plan.device[stage] < 0) | np.isnan(start_s), np.inf, start_s)
    first_served_s = np.minimum.reduceat(served_s, row_first[:-1])
    kept = slice(None) if keep_stages else slice(0)
    times = (ready_s[kept], start_s[kept], done_s[kept])
    stages = stage_table(plan, trace, owner[kept], stage[kept], times, np.zeros(0) if not keep_stages else busy_s)
    held = np.maximum(plan.resource[stage], 0)
    also_s = np.bincount(held, weights=load_s, minlength=plan.resources).astype(np.float64)
    load = offered_load(
        instance, plan, routed, moving.mean_service_s(plan, routed), also_s=also_s, drops=bool(serving.deadline_s)
    )
    loads = _loads(instance, plan, stage, load_s) if serving.swapping is not None else None
    return ReplayResult(
        request_table(trace, first_served_s, done_s[row_first[1:] - 1], late_s),
        stages,
        load,
        loads,
    )


def _memory(instance: PlacementInstance, serving: Serving, source: Path | str) -> _Memory:
    """Everything is in memory, without limit, where nothing is swapped."""
    shape = (len(instance.devices), len(instance.modules))
    if serving.swapping is None:
        return _Memory(np.ones(shape, dtype=np.bool_), np.zeros(shape), np.zeros(shape[0]), np.zeros(shape))
    swapping, hosts = serving.swapping, serving.hosts or {}
    found = _Memory(np.zeros(shape, dtype=np.bool_), np.zeros(shape), np.zeros(shape[0]), np.zeros(shape))
    for d, device in enumerate(instance.devices):
        own = [m for m, module in enumerate(instance.modules) if device.name in hosts[module.name]]
        found.memory[d] = swapping.memory_bytes.get(device.name, device.memory_bytes)
        for m in own:
            found.bytes_of[d, m] = instance.modules[m].bytes_on(device.name)
            if found.bytes_of[d, m] > found.memory[d]:
                problem = f"takes {found.bytes_of[d, m]:g} bytes on {device.name!r}, which has {found.memory[d]:g}"
                raise InputError(source, f"assignment.{instance.modules[m].name}", f"{problem}; place it elsewhere")
            found.inside[d, m] = math.fsum(found.bytes_of[d, found.inside[d]]) + found.bytes_of[d, m] <= found.memory[d]
        if not found.inside[d, own].all():
            for m in own:
                found.load_s[d, m] = _load_s(swapping, device.name, instance.modules[m].name)
    return found


def _load_s(swapping: Swapping, device: str, module: str) -> float:
    if (device, module) not in swapping.load_s:
        problem = f"not all modules fit into {device!r}, and the seconds of loading this one are not told; add a row"
        raise InputError("--load-times", module, problem)
    return swapping.load_s[device, module]


def _loads(
    instance: PlacementInstance, plan: StagePlan, stage: NDArray[np.int64], load_s: NDArray[np.float64]
) -> pd.DataFrame:
    """What was loaded, by device and module, in their order; ``load_s`` is of each row, 0 where nothing was."""
    rows = []
    for d, device in enumerate(plan.devices):
        for m, module in enumerate(plan.modules):
            seconds = load_s[(plan.device[stage] == d) & (plan.module[stage] == m) & (load_s > 0)]
            if len(seconds):
                size_bytes = instance.modules[m].bytes_on(device)
                rows.append((device, module, len(seconds), float(seconds.sum()), len(seconds) * size_bytes))
    return pd.DataFrame(rows, columns=["device", "module", "loads", "load_s", "load_bytes"])
