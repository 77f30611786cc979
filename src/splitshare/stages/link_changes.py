"""Write how links of an instance change over time: outages, or levels of bandwidth, seeded."""

from __future__ import annotations

import pandas as pd
import typer

from splitshare.commands.link_changes import Options
from splitshare.errors import InputError
from splitshare.placement.instance import PlacementInstance
from splitshare.replay.link_processes import link_changes_table
from splitshare.results.write import write_csv


def run(options: Options) -> pd.DataFrame:
    """Write the table that `simulate` and `emulate` take as ``--link-changes``.

    Raises:
        InputError: the output is no CSV, a link is unknown, or there would be too many changes, or none.
    """
    if options.output.suffix != ".csv":
        raise InputError(options.output, "", "the suffix must be .csv")
    table = link_changes_table(
        PlacementInstance.read(options.instance),
        options.kind,
        links=options.links,
        horizon_s=options.horizon_s,
        stay_s=options.stay_s,
        outage_s=options.outage_s,
        seed=options.seed,
    )
    if table.empty:
        raise InputError("--horizon-s", f"{options.horizon_s:g}", "is so short that nothing changes; make it longer")
    write_csv(table, options.output)
    return table


def show(table: pd.DataFrame) -> None:
    """Say how much changes."""
    typer.echo(f"{len(table)} changes of {table['link'].nunique()} links until {table['time_s'].max():.6g} s")
