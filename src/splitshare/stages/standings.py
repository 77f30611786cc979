"""Set several verdicts in one table, with the recorded methods that they were held against."""

from __future__ import annotations

import pandas as pd
import typer

from splitshare.commands.standings import Options
from splitshare.errors import InputError
from splitshare.results.verdict import shown
from splitshare.results.verdict_file import standings
from splitshare.results.write import write_csv


def run(options: Options) -> pd.DataFrame:
    """Build the table, and write it where asked.

    Raises:
        InputError: the output is no CSV, a file is no verdict, two are of different problems, or of one family with
            other instances.
    """
    if options.output is not None and options.output.suffix != ".csv":
        raise InputError(options.output, "", "the suffix must be .csv")
    table = standings(options.verdicts)
    if options.output is not None:
        write_csv(table, options.output)
    return table


def show(table: pd.DataFrame) -> None:
    """Print it, to be pasted."""
    typer.echo(table.map(shown).to_markdown(index=False))
