"""Replay a trace on a placement, request by request, and print the metrics."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from splitshare.commands.simulate import Options
from splitshare.placement.energy import energy_j, tells_energy
from splitshare.placement.pairs import read_replayable
from splitshare.replay.batching import read_batching
from splitshare.replay.metrics import request_metrics, with_energy
from splitshare.replay.simulator import simulate
from splitshare.replay.tables import check_table_path
from splitshare.replay.traces import read_trace

if TYPE_CHECKING:
    import pandas as pd


def run(options: Options) -> pd.DataFrame:
    """Replay ``trace``; each request class takes the evaluator's route.

    Returns:
        Metrics by request class and overall (``request_metrics``), with joules where the instance tells them and
        nothing ran in batches.

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
    return metrics


def show(metrics: pd.DataFrame) -> None:
    """Print the metrics."""
    typer.echo(metrics.to_string(index=False, float_format=lambda value: f"{value:.4g}"))
