"""Record what methods do over the held-out families, and the best known of each instance, into the directory OUTPUT."""

from __future__ import annotations

import pandas as pd
import typer

from splitshare.commands.record_families import Options
from splitshare.methods import Method, check_labels
from splitshare.placement.contract import FINDER
from splitshare.placement.held_out import HELD_OUT
from splitshare.profiling.machine import usable_threads
from splitshare.results.record_families import methods_of_families, prove_longer, record_families
from splitshare.stages.kinds import chosen


def run(options: Options) -> pd.DataFrame:
    """Run the methods and write ``families.csv`` and ``families_best.csv`` into ``output``.

    Returns:
        What is known best, a row an instance.

    Raises:
        InputError: a method, a family or a file that is there is wrong.
        WorkError: a bound is above a value that was found.
    """
    methods = options.methods or methods_of_families()
    check_labels(methods)
    for label in methods:
        Method.parse(label).load(FINDER)  # all are there before one is run
    record = prove_longer if options.only_best else record_families
    return record(
        chosen("--family", options.families, HELD_OUT),
        methods,
        time_limit_s=options.time_limit_s,
        output=options.output,
        processes=options.processes or usable_threads(),
    )


def show(best: pd.DataFrame) -> None:
    """A line a family: how many instances, and of how many the optimum is proved."""
    for family, part in best.groupby("family", sort=True):
        proved = int((part["optimal"] == 1).sum())
        typer.echo(f"{family}: {len(part)} instances, the optimum is proved of {proved}")
