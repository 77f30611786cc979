"""Put a placement through the four scenarios of MLPerf LoadGen, simulated."""

from __future__ import annotations

from dataclasses import asdict

import pandas as pd
import typer

from splitshare.commands.loadgen import Options
from splitshare.errors import InputError
from splitshare.placement.pairs import read_replayable
from splitshare.replay.loadgen import offline, server, single_stream
from splitshare.results.write import write_csv


def run(options: Options) -> pd.DataFrame:
    """A row a scenario: ``scenario, metric, value, queries, note``.

    Raises:
        InputError: a file is wrong, or the output is no CSV.
        WorkError: the placement queues for nothing, so that no rate is too high for a server.
    """
    if options.output is not None and options.output.suffix != ".csv":
        raise InputError(options.output, "", "the suffix must be .csv")
    instance, _, worth = read_replayable(options.instance, options.placement)
    routes, queries, seed, link_model = worth.routes, options.queries, options.seed, options.link_model
    rows = [
        single_stream(instance, routes, queries=queries, seed=seed, link_model=link_model),
        single_stream(instance, routes, queries=queries, seed=seed, link_model=link_model, samples=options.samples),
        server(
            instance,
            routes,
            queries=queries,
            seeds=options.seeds,
            limit_factor=options.limit_factor,
            link_model=link_model,
        ),
        offline(instance, routes, queries=queries, seed=seed, link_model=link_model),
    ]
    table = pd.DataFrame([asdict(row) for row in rows])
    if options.output is not None:
        write_csv(table, options.output)
    return table


def show(table: pd.DataFrame) -> None:
    """A line a scenario."""
    for row in table.itertuples():
        typer.echo(f"{row.scenario}: {row.value:.4g} ({row.metric}; {row.note})")
