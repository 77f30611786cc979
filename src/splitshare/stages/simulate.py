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
from splitshare.placement.instance import PlacementInstance
from splitshare.placement.pairs import read_replayable
from splitshare.replay.batching import read_batching
from splitshare.replay.capacity import WARM_UP
from splitshare.replay.confidence import BATCHES, LEVEL, BatchMeans, batch_means
from splitshare.replay.link_changes import read_link_changes
from splitshare.replay.load import OfferedLoad
from splitshare.replay.metrics import request_metrics, utilisation, with_energy
from splitshare.replay.perfetto import Window, check_trace_path, write_trace_events
from splitshare.replay.simulator import ReplayResult, simulate
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
    instance, _, worth = read_replayable(options.instance, options.placement)
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
        keep_stages=any((options.stages_output, options.perfetto, options.max_batch > 1, changes)),
        changes=changes,
    )
    if options.perfetto is not None:
        write_trace_events(options.perfetto, result, instance, window)
    result.write(options.output, options.stages_output)
    metrics = request_metrics(result.requests)
    if options.max_batch == 1 and tells_energy(instance):
        metrics = with_energy(metrics, requests, energy_j(instance, worth.routes))
    assert result.load is not None
    used = result.load.resources[["kind", "name", "offered"]]
    return Replayed(metrics, used.assign(busy=_busy(result, instance)), result.load, _mean(result))


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
    return batch_means(latency_s[int(len(latency_s) * WARM_UP) :])


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
    typer.echo(replayed.load.in_words())


def _in_words(mean: BatchMeans) -> str:
    of = mean.interval
    told = (
        f"A request takes {of.mean:.4g} s on average, {LEVEL:.0%} interval {of.low:.4g} to {of.high:.4g} "
        f"({BATCHES} batch means after the first {WARM_UP:.0%})"
    )
    more = "" if mean.independent else "; too narrow, as the batches still depend on each other: simulate more requests"
    return f"{told}{more}."
