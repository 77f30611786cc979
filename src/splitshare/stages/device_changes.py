"""Write devices that come and go, seeded, as `splitshare adapt` takes them."""

from __future__ import annotations

import pandas as pd
import typer

from splitshare.adaptation.timeline import churn_table
from splitshare.commands.device_changes import Options
from splitshare.errors import InputError
from splitshare.placement.instance import PlacementInstance
from splitshare.results.write import write_csv


def run(options: Options) -> pd.DataFrame:
    """Write the table: ``time_s, what, name``.

    Raises:
        InputError: the output is no CSV, a device is unknown, or there would be too many events, or none.
    """
    if options.output.suffix != ".csv":
        raise InputError(options.output, "", "the suffix must be .csv")
    table = churn_table(
        PlacementInstance.read(options.instance),
        devices=options.devices,
        horizon_s=options.horizon_s,
        stay_s=options.stay_s,
        away_s=options.away_s,
        seed=options.seed,
    )
    if table.empty:
        raise InputError("--horizon-s", f"{options.horizon_s:g}", "is so short that nobody leaves; make it longer")
    write_csv(table, options.output)
    return table


def show(table: pd.DataFrame) -> None:
    """Say how much changes."""
    away = int((table["what"] == "leaves").sum())
    typer.echo(f"{table['name'].nunique()} devices leave {away} times until {table['time_s'].max():.6g} s")
