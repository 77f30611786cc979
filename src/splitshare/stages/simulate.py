"""Replay a trace on a placement, request by request, and print the metrics."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd
import typer

from splitshare.commands.simulate import Options
from splitshare.errors import InputError
from splitshare.placement.energy import energy_j, tells_energy
from splitshare.placement.instance import Assignment, PlacementInstance
from splitshare.placement.pairs import read_replayable
from splitshare.replay.batching import read_batching
from splitshare.replay.capacity import WARM_UP
from splitshare.replay.confidence import BATCHES, LEVEL, BatchMeans, batch_means
from splitshare.replay.link_changes import read_link_changes
from splitshare.replay.load import OfferedLoad
from splitshare.replay.metrics import request_metrics, utilisation, with_deadlines, with_energy
from splitshare.replay.perfetto import Window, check_trace_path, write_trace_events
from splitshare.replay.result import ReplayResult
from splitshare.replay.serving.files import memory_of, queues_of, read_deadlines, read_load_times, read_priorities
from splitshare.replay.serving.rules import Serving, Swapping
from splitshare.replay.simulator import simulate
from splitshare.replay.tables import check_table_path
from splitshare.replay.traces import read_trace


@dataclass(frozen=True)
class Replayed:
    """What is told of a replay."""

    metrics: pd.DataFrame
    """``request_metrics``, with joules where the instance tells them and nothing ran in batches."""
    utilisation: pd.DataFrame
    """A row a device, link or cell that is used: ``kind, name, offered, busy``, shares of the time."""
    load: OfferedLoad
    mean: BatchMeans | None = None
    """The mean latency after the warm-up, where the trace is long enough and no queue grows."""
    loads: pd.DataFrame | None = None
    """``ReplayResult.loads``."""


def read_serving(options: Options, instance: PlacementInstance, hosts: Assignment) -> Serving:
    """The rules of serving that were asked for.

    Raises:
        InputError: a file or word is wrong, or options do not go together.
    """
    if options.memory and options.load_times is None:
        raise InputError("--memory", options.memory[0], "is for modules that are loaded; give --load-times, too")
    if options.deadlines is not None and options.deadline_s is not None:
        raise InputError("--deadline-s", f"{options.deadline_s:g}", "is told by --deadlines too; leave one of them out")
    deadline_s = {} if options.deadlines is None else read_deadlines(options.deadlines, instance)
    if options.deadline_s is not None:
        deadline_s = dict.fromkeys((request.name for request in instance.requests), options.deadline_s)
    swapping = None
    if options.load_times is not None:
        memory = memory_of(options.memory, instance)
        swapping = Swapping(read_load_times(options.load_times, instance), memory)
    serving = Serving(
        queues=queues_of(options.queue, instance),
        priority={} if options.priorities is None else read_priorities(options.priorities, instance),
        routing=options.routing,
        hosts=hosts,
        swapping=swapping,
        deadline_s=deadline_s,
    )
    serving.check(instance)
    return serving


def run(options: Options) -> Replayed:
    """Replay ``trace``; each request class takes the evaluator's route.

    Raises:
        InputError: a file is wrong, the files do not belong together, or the placement is empty or
            infeasible.
    """
    for path in (options.output, options.stages_output):
        if path is not None:
            check_table_path(path)
    window = _window(options)
    swapped = options.load_times is not None
    instance, hosts, worth = read_replayable(options.instance, options.placement, all_in_memory=not swapped)
    serving = read_serving(options, instance, hosts)
    batching = read_batching(options.batch_curves, options.max_batch, instance, needed=True)
    requests = read_trace(options.trace, instance)
    changes = None if options.link_changes is None else read_link_changes(options.link_changes, instance)
    result = simulate(
        instance,
        worth.routes,
        requests,
        link_model=options.link_model,
        source=options.placement,
        batching=batching,
        keep_stages=any((options.stages_output, options.perfetto, options.max_batch > 1, changes, not serving.plain)),
        changes=changes,
        serving=serving,
    )
    if options.perfetto is not None:
        write_trace_events(options.perfetto, result, instance, window)
    result.write(options.output, options.stages_output)
    metrics = request_metrics(result.requests)
    if serving.deadline_s:
        metrics = with_deadlines(metrics, result.requests, serving.deadline_s)
    if options.max_batch == 1 and serving.runs_as_planned and tells_energy(instance):
        metrics = with_energy(metrics, requests, energy_j(instance, worth.routes))
    assert result.load is not None
    used = result.load.resources[["kind", "name", "offered"]]
    return Replayed(metrics, used.assign(busy=_busy(result, instance)), result.load, _mean(result), result.loads)


def _window(options: Options) -> Window:
    """The part of the replay that the timeline shows."""
    if options.perfetto is None:
        for name, value in (("--from-s", options.from_s), ("--until-s", options.until_s)):
            if value is not None:
                raise InputError(name, "", "says what of the timeline is written; add --perfetto FILE")
        return Window()
    check_trace_path(options.perfetto)
    window = Window(options.from_s or 0.0, math.inf if options.until_s is None else options.until_s)
    if window.end_s <= window.begin_s:
        raise InputError("--until-s", "", f"is {window.end_s:g}, not after --from-s, {window.begin_s:g}")
    return window


def _mean(result: ReplayResult) -> BatchMeans | None:
    assert result.load is not None
    if result.load.grows:
        return None
    latency_s = result.requests["latency_s"].to_numpy(dtype=np.float64)
    counted = latency_s[int(len(latency_s) * WARM_UP) :]
    return batch_means(counted[np.isfinite(counted)])


def _busy(result: ReplayResult, instance: PlacementInstance) -> list[float]:
    """Share of the time, from the first arrival to the last finish, for which each used resource was busy."""
    assert result.load is not None
    resources = result.load.resources
    if len(result.stages):  # in batches what a run takes depends on who came together
        share = utilisation(result.requests, result.stages, instance).set_index(["kind", "name"])["utilisation"]
        names = zip(resources["kind"], resources["name"], strict=True)
        return [float(share.get((kind, name), math.nan)) for kind, name in names]
    span_s = float(result.requests["finish_s"].max() - result.requests["arrival_s"].min())
    asked_s = resources["seconds_per_request"] * len(result.requests)
    return [float(seconds / span_s) if span_s > 0 else math.nan for seconds in asked_s]


def show(replayed: Replayed) -> None:
    """Print the metrics, what was busy, and whether the system holds."""

    def shown(value: float) -> str:
        return f"{value:.4g}"

    typer.echo(replayed.metrics.to_string(index=False, float_format=shown))
    typer.echo(replayed.utilisation.to_string(index=False, float_format=shown))
    if replayed.mean is not None:
        typer.echo(_in_words(replayed.mean))
    if replayed.loads is not None:
        loads = replayed.loads
        typer.echo(loads.to_string(index=False, float_format=shown) if len(loads) else "No module had to be loaded.")
    typer.echo(replayed.load.in_words())


def _in_words(mean: BatchMeans) -> str:
    of = mean.interval
    told = (
        f"A request takes {of.mean:.4g} s on average, {LEVEL:.0%} interval {of.low:.4g} to {of.high:.4g} "
        f"({BATCHES} batch means after the first {WARM_UP:.0%})"
    )
    more = "" if mean.independent else "; too narrow, as the batches still depend on each other: simulate more requests"
    return f"{told}{more}."
