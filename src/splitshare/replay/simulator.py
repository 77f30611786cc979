"""Discrete-event simulation of a placement under a request trace (rules ours).

A device runs one module at a time, in order of readiness, or several requests' runs of one module as a batch
(``splitshare.replay.batching``). All inputs of a request leave its source on arrival; an encoder is ready when its
input is there (and, where the instance says ``routing: sequential``, the encoder before it is done: that it hears of
this on another device costs nothing, unless ``Overheads.signals`` says so); the head when all encoder outputs are
there; the request is finished when the result is back at its source. Links are used as the link model says
(``splitshare.replay.plan.LinkModel``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from splitshare.errors import InputError
from splitshare.placement.instance import PlacementInstance
from splitshare.placement.objective import Route
from splitshare.replay.batch_loop import run_batches
from splitshare.replay.batching import ONE_BY_ONE, Batching, batch_plan
from splitshare.replay.event_loop import run_events, run_requests
from splitshare.replay.link_changes import ChangeArrays, LinkChanges, change_arrays
from splitshare.replay.load import OfferedLoad, offered_load
from splitshare.replay.plan import IDEAL, STAGES, LinkModel, Overheads, StagePlan, build_plan
from splitshare.replay.tables import categorical, write_table
from splitshare.replay.traces import RequestTrace


@dataclass(frozen=True, eq=False)
class ReplayResult:
    """The two tables of a replay (contract ours)."""

    requests: pd.DataFrame
    """A row a request, as in the trace: ``request_id, request, arrival_s, start_s, finish_s, latency_s,
    status``.

    ``start_s`` is when a device or link first served it; ``status`` is always ``ok``, a simulated request is
    not lost.
    """
    stages: pd.DataFrame
    """A row a stage, by request and then as the class lists them: ``request_id, request, stage, module,
    device, link, ready_s, start_s, finish_s, busy_s``.

    ``stage`` is ``input``, ``encode``, ``send``, ``head`` or ``result``; ``device`` is null for a transfer,
    ``link`` (``from->to``) for computing, both for a handover inside one device. It entered the queue at
    ``ready_s``, held its device or link for ``busy_s`` from ``start_s``, and was there at ``finish_s``, a
    link's latency included. Stages that ran as one batch have one ``start_s`` and ``finish_s`` and each an equal
    share of the batch's time as ``busy_s``, so that sums are the time for which a device was busy.
    """
    load: OfferedLoad | None = None
    """What the trace asks of devices and links; of a simulation."""

    def write(self, requests: Path, stages: Path | None = None) -> None:
        """Write the tables as Parquet or CSV by suffix; ``stages`` only where a path is given."""
        write_table(self.requests, requests)
        if stages is not None:
            write_table(self.stages, stages)


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

    Raises:
        InputError: a route is missing or cannot be gone (see ``build_plan``), or links change and batches are formed.
    """
    plan = build_plan(instance, routes, trace.classes, link_model, source, overheads)
    moving = change_arrays(plan, changes)
    if changes is not None and batching.max_batch > 1:
        raise InputError("--link-changes", "", "is for replays without batches; leave one of the two out")
    load = offered_load(instance, plan, trace, moving.mean_service_s(plan, trace))
    if not keep_stages and batching.max_batch == 1:
        return _requests_alone(plan, trace, moving, load)
    row_first = _row_first(plan, trace)
    flat = (
        trace.arrival_s,
        trace.size,
        trace.request_class,
        row_first,
        *plan.flat,
        plan.resources,
    )
    stage = _stages(plan, trace, row_first)
    if batching.max_batch == 1:
        run = run_events(*flat, *moving.flat)
        row_size = np.repeat(trace.size, np.diff(row_first))
        held_s = moving.held_s(stage, run[1], row_size, plan.service_s[stage])
        return replace(_tables(plan, trace, row_first, stage, run, held_s), load=load)
    batches = batch_plan(plan, trace.classes, batching, overheads)
    owner = np.repeat(np.arange(len(trace)), np.diff(row_first))
    sizes, size = np.unique(trace.size, return_inverse=True)
    alike = batches.group[stage] * len(sizes) + size[owner]
    *times, batch = run_batches(*flat, stage, owner, alike, batches.batch_s)
    result = _tables(plan, trace, row_first, stage, times, batches.batch_s[stage, batch] / batch)
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
    empty = _stage_table(plan, trace, nothing, nothing, (np.zeros(0),) * 3, np.zeros(0))
    return ReplayResult(_request_table(trace, served_s, finish_s), empty, load)


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


def _row_first(plan: StagePlan, trace: RequestTrace) -> NDArray[np.int64]:
    """Where each request's stage rows start, and their number; shape (requests + 1,)."""
    first = np.zeros(len(trace) + 1, dtype=np.int64)
    np.cumsum(np.diff(plan.first)[trace.request_class], out=first[1:])
    return first


def _stages(plan: StagePlan, trace: RequestTrace, row_first: NDArray[np.int64]) -> NDArray[np.int64]:
    """Position in the plan of each row's stage."""
    return np.arange(row_first[-1]) - np.repeat(row_first[:-1] - plan.first[trace.request_class], np.diff(row_first))


def _tables(
    plan: StagePlan,
    trace: RequestTrace,
    row_first: NDArray[np.int64],
    stage: NDArray[np.int64],
    times: Sequence[NDArray[np.float64]],
    share_s: NDArray[np.float64],
) -> ReplayResult:
    """The tables; ``share_s`` is what each row has of its resource's time, at size 1."""
    _, start_s, finish_s = times
    owner = np.repeat(np.arange(len(trace)), np.diff(row_first))
    served_s = np.where((plan.link[stage] < 0) & (plan.device[stage] < 0), np.inf, start_s)
    request_finish_s = finish_s[row_first[1:] - 1]  # the result is a class's last stage
    requests = _request_table(trace, np.minimum.reduceat(served_s, row_first[:-1]), request_finish_s)
    return ReplayResult(requests, _stage_table(plan, trace, owner, stage, times, share_s))


def _request_table(trace: RequestTrace, served_s: NDArray[np.float64], finish_s: NDArray[np.float64]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "request_id": trace.request_id,
            "request": categorical(trace.request_class, trace.classes),
            "arrival_s": trace.arrival_s,
            "start_s": served_s,
            "finish_s": finish_s,
            "latency_s": finish_s - trace.arrival_s,
            "status": categorical(np.zeros(len(trace), dtype=np.int8), ["ok", "dropped", "failed"]),
        }
    )


def _stage_table(
    plan: StagePlan,
    trace: RequestTrace,
    owner: NDArray[np.int64],
    stage: NDArray[np.int64],
    times: Sequence[NDArray[np.float64]],
    share_s: NDArray[np.float64],
) -> pd.DataFrame:
    """A row a stage; ``owner`` is the position of its request, ``stage`` that in the plan."""
    ready_s, start_s, finish_s = times
    return pd.DataFrame(
        {
            "request_id": trace.request_id[owner],
            "request": categorical(trace.request_class[owner], trace.classes),
            "stage": categorical(plan.kind[stage], STAGES),
            "module": categorical(plan.module[stage], plan.modules),
            "device": categorical(plan.device[stage], plan.devices),
            "link": categorical(plan.link[stage], plan.links),
            "ready_s": ready_s,
            "start_s": start_s,
            "finish_s": finish_s,
            "busy_s": share_s * trace.size[owner],
        }
    )
