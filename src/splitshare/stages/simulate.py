"""Replay a trace on a placement, request by request, and print the metrics."""

from __future__ import annotations

import math
from dataclasses import dataclass

import pandas as pd
import typer

from splitshare.commands.simulate import Options
from splitshare.placement.energy import energy_j, tells_energy
from splitshare.placement.pairs import read_replayable
from splitshare.replay.batching import read_batching
from splitshare.replay.load import OfferedLoad
from splitshare.replay.metrics import request_metrics, utilisation, with_energy
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


def run(options: Options) -> Replayed:
    """Replay ``trace``; each request class takes the evaluator's route.

    Raises:
        InputError: a file is wrong, the files do not belong together, or the placement is empty or
            infeasible.
    """
    for path in (options.output, options.stages_output):
        if path is not None:
            check_table_path(path)
    instance, _, worth = read_replayable(options.instance, options.placement)
    batching = read_batching(options.batch_curves, options.max_batch, instance, needed=True)
    requests = read_trace(options.trace, instance)
    result = simulate(
        instance, worth.routes, requests, link_model=options.link_model, source=options.placement, batching=batching
    )
    result.write(options.output, options.stages_output)
    metrics = request_metrics(result.requests)
    if options.max_batch == 1 and tells_energy(instance):
        metrics = with_energy(metrics, requests, energy_j(instance, worth.routes))
    assert result.load is not None
    busy = utilisation(result.requests, result.stages, instance).set_index(["kind", "name"])["utilisation"]
    used = result.load.resources[["kind", "name", "offered"]]
    used = used.assign(
        busy=[busy.get((kind, name), math.nan) for kind, name in zip(used["kind"], used["name"], strict=True)]
    )
    return Replayed(metrics, used, result.load)


def show(replayed: Replayed) -> None:
    """Print the metrics, what was busy, and whether the system holds."""

    def shown(value: float) -> str:
        return f"{value:.4g}"

    typer.echo(replayed.metrics.to_string(index=False, float_format=shown))
    typer.echo(replayed.utilisation.to_string(index=False, float_format=shown))
    typer.echo(replayed.load.in_words())
