"""Count and time the perception zoo's architectures on this machine, and make the zoo."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from splitshare.commands.arguments import THREADS, WAIT, CatalogRoot, OutputFolder
from splitshare.places import DATA


@dataclass(frozen=True)
class Options:
    """Options of ``splitshare onloading perception-zoo``."""

    table: Annotated[Path, typer.Argument(metavar="TABLE", help="Published scores by task and test set (CSV).")]
    output: OutputFolder
    work: Annotated[Path, typer.Option(help="Directory of finished modules; a later run goes on from there.")]
    threads: Annotated[int, typer.Option(**THREADS, help="Torch threads while modules are timed.")] = 1
    budget_s: Annotated[float, typer.Option(**WAIT, help="Seconds of timed runs for each batch.")] = 1.0
    longest_run_s: Annotated[
        float, typer.Option(**WAIT, help="Seconds of a run from which on it is the only one, and the largest batch.")
    ] = 10.0
    zoo_output: Annotated[
        Path | None, typer.Option("--zoo", help="Where the zoo is written; zoo.json in OUTPUT if not said.")
    ] = None
    counts_only: Annotated[bool, typer.Option("--counts-only", help="Take no times of this machine.")] = False
    catalog_root: CatalogRoot = DATA
