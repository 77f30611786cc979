"""Discrete-event simulation of a placement under a request trace (rules ours).

A device runs one module at a time, in order of readiness, or several requests' runs of one module as a batch
(``splitshare.replay.batching``). All inputs of a request leave its source on arrival; an encoder is ready when its
input is there (and, where the instance says ``routing: sequential``, the encoder before it is done: that it hears of
this on another device costs nothing, unless ``Overheads.signals`` says so); the head when all encoder outputs are
there; the request is finished when the result is back at its source. Links are used as the link model says
(``splitshare.replay.plan.LinkModel``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from splitshare.errors import InputError
from splitshare.placement.instance import PlacementInstance
from splitshare.placement.objective import Route
from splitshare.replay.batch_loop import run_batches
from splitshare.replay.batching import ONE_BY_ONE, Batching, batch_plan
from splitshare.replay.event_loop import run_events, run_requests
from splitshare.replay.link_changes import ChangeArrays, LinkChanges, change_arrays
from splitshare.replay.load import OfferedLoad, offered_load
from splitshare.replay.plan import IDEAL, LinkModel, Overheads, StagePlan, build_plan
from splitshare.replay.result import (
    ReplayResult,
    first_rows,
    replay_tables,
    request_table,
    stage_table,
    stages_of_rows,
)
from splitshare.replay.serving.rules import AS_ALWAYS, Serving
from splitshare.replay.serving.run import simulate_served
from splitshare.replay.traces import RequestTrace


# Long: what each keyword means, and a list of arrays for the compiled loop.
def simulate(  # noqa: PLR0913 - a keyword a choice
    instance: PlacementInstance,
    routes: Mapping[str, Route],
    trace: RequestTrace,
    *,
    link_model: LinkModel = "serial",
    source: Path | str = "placement",
    overheads: Overheads = IDEAL,
    batching: Batching = ONE_BY_ONE,
    keep_stages: bool = True,
    changes: LinkChanges | None = None,
    serving: Serving = AS_ALWAYS,
) -> ReplayResult:
    """Replay a trace.

    Args:
        instance: the instance that the placement belongs to.
        routes: a complete route for each request class of the trace, such as the evaluator gives.
        trace: the requests.
        link_model: how transfers share links.
        source: file that the routes came from, for messages.
        overheads: what a system adds to the ideal times.
        batching: how devices form batches; their curves must be of this instance (``BatchCurves.check``).
        keep_stages: whether to return a row for each stage. Without them, and without batches, memory grows with the
            requests and not with their stages, and the replay is several times as fast; the table is then empty.
        changes: how links change; without batches.
        serving: other queues, routing among copies, memory that is short, deadlines; without batches.

    Raises:
        InputError: a route is missing or cannot be gone (see ``build_plan``), or what was asked for does not go
            together.
    """
    if not serving.plain:
        if batching.max_batch > 1:
            problem = "does not go with other queues, routing, load times or deadlines; leave one of the two out"
            raise InputError("--max-batch", "", problem)
        return simulate_served(
            instance,
            routes,
            trace,
            serving,
            link_model=link_model,
            source=source,
            overheads=overheads,
            keep_stages=keep_stages,
            changes=changes,
        )
    serving.check(instance)
    plan = build_plan(instance, routes, trace.classes, link_model, source, overheads)
    moving = change_arrays(plan, changes)
    if changes is not None and batching.max_batch > 1:
        raise InputError("--link-changes", "", "is for replays without batches; leave one of the two out")
    load = offered_load(instance, plan, trace, moving.mean_service_s(plan, trace))
    if not keep_stages and batching.max_batch == 1:
        return _requests_alone(plan, trace, moving, load)
    row_first = first_rows(plan, trace)
    flat = (
        trace.arrival_s,
        trace.size,
        trace.request_class,
        row_first,
        *plan.flat,
        plan.resources,
    )
    stage = stages_of_rows(plan, trace, row_first)
    if batching.max_batch == 1:
        run = run_events(*flat, *moving.flat)
        row_size = np.repeat(trace.size, np.diff(row_first))
        held_s = moving.held_s(stage, run[1], row_size, plan.service_s[stage])
        return replace(replay_tables(plan, trace, row_first, stage, run, held_s), load=load)
    batches = batch_plan(plan, trace.classes, batching, overheads)
    owner = np.repeat(np.arange(len(trace)), np.diff(row_first))
    sizes, size = np.unique(trace.size, return_inverse=True)
    alike = batches.group[stage] * len(sizes) + size[owner]
    *times, batch = run_batches(*flat, stage, owner, alike, batches.batch_s)
    result = replay_tables(plan, trace, row_first, stage, times, batches.batch_s[stage, batch] / batch)
    return replace(result, load=offered_load(instance, plan, trace, batches.least_s))


def _requests_alone(plan: StagePlan, trace: RequestTrace, moving: ChangeArrays, load: OfferedLoad) -> ReplayResult:
    """The replay without a table of stages."""
    served_s, finish_s = run_requests(
        trace.arrival_s,
        trace.size,
        trace.request_class,
        *plan.flat,
        ((plan.link >= 0) | (plan.device >= 0)).astype(np.int64),
        plan.resources,
        *moving.flat,
    )
    nothing = np.zeros(0, dtype=np.int64)
    empty = stage_table(plan, trace, nothing, nothing, (np.zeros(0),) * 3, np.zeros(0))
    return ReplayResult(request_table(trace, served_s, finish_s), empty, load)


def warm_up() -> None:
    """Compile the event loop (or load it from the cache on disk), so that no timing includes it."""
    nothing, none = np.zeros(1), np.zeros(1, dtype=np.int64)
    one = np.array([0, 1], dtype=np.int64)
    still = (none - 1, nothing, one, nothing, nothing, nothing, nothing)
    run_events(nothing, nothing, none, one, one, none, none, nothing, nothing, none - 1, none - 1, nothing, 1, *still)
    run_requests(
        nothing, nothing, none, one, none, none, nothing, nothing, none - 1, none - 1, nothing, none, 1, *still
    )


def idle_latency_s(
    instance: PlacementInstance, routes: Mapping[str, Route], *, link_model: LinkModel
) -> dict[str, float]:
    """Latency of each request class on an idle system, one request alone.

    With ``independent`` this is the evaluator's; what another link model adds is the price of sharing a link
    with oneself.
    """
    latency_s = {}
    for request in instance.requests:
        alone = RequestTrace(
            request_id=np.zeros(1, dtype=np.int64),
            arrival_s=np.zeros(1),
            classes=(request.name,),
            request_class=np.zeros(1, dtype=np.int64),
            size=np.ones(1),
        )
        result = simulate(instance, routes, alone, link_model=link_model)
        latency_s[request.name] = float(result.requests["latency_s"].iloc[0])
    return latency_s
