"""Let users ask a placement, each waiting for the answer before thinking of the next request, simulated."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd
import typer

from splitshare.commands.closed_loop import Options
from splitshare.placement.pairs import read_replayable
from splitshare.replay.closed_loop import closed_loop
from splitshare.replay.metrics import request_metrics
from splitshare.replay.simulator import simulate
from splitshare.replay.tables import check_table_path
from splitshare.replay.traces import write_trace


@dataclass(frozen=True)
class Asked:
    """What is told of users and their requests."""

    metrics: pd.DataFrame
    throughput_per_s: float
    bottleneck: str
    holds_per_s: float


def run(options: Options) -> Asked:
    """Write a row a request, as `simulate` does.

    Raises:
        InputError: a file is wrong, or the placement is empty or infeasible.
    """
    for path in (options.output, options.trace_output):
        if path is not None:
            check_table_path(path)
    instance, _, worth = read_replayable(options.instance, options.placement)
    found = closed_loop(
        instance,
        worth.routes,
        users=options.users,
        think_s=options.think_s,
        requests=options.requests,
        think=options.think,
        link_model=options.link_model,
        seed=options.seed,
    )
    # Replayed as a trace it is the same, and has all that tables and metrics of a replay have.
    result = simulate(
        instance,
        worth.routes,
        found.trace,
        link_model=options.link_model,
        source=options.placement,
        keep_stages=False,
    )
    result.write(options.output)
    if options.trace_output is not None:
        write_trace(found.trace, options.trace_output)
    assert result.load is not None
    return Asked(
        request_metrics(result.requests), found.throughput_per_s, result.load.bottleneck, result.load.holds_per_s
    )


def show(asked: Asked) -> None:
    """Print latencies and how many answers a second come."""
    typer.echo(asked.metrics.to_string(index=False, float_format=lambda value: f"{value:.4g}"))
    if not 0 < asked.throughput_per_s < float("inf"):
        typer.echo("too few requests to tell how many answers come a second")
        return
    typer.echo(
        f"{asked.throughput_per_s:.4g} answers a second; the {asked.bottleneck} serves {asked.holds_per_s:.4g} at most"
    )
