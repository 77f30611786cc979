"""Hold a new algorithm, or results that were computed elsewhere, against the recorded baselines."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import typer

from splitshare.commands.arguments import LIMIT, Algorithms, OutputFolder, Seed
from splitshare.places import DATA


@dataclass(frozen=True)
class Options:
    """Options of ``splitshare compare``."""

    algorithms: Algorithms = field(default_factory=list)
    results: Annotated[
        Path | None, typer.Option(help="Instead: a table (CSV or Parquet) of results that were computed elsewhere.")
    ] = None
    output: OutputFolder = Path("results/compare")
    problem: Annotated[str | None, typer.Option(help="Where several have an algorithm of that name.")] = None
    baselines: Annotated[Path, typer.Option(help="Directory of recorded baselines.")] = DATA / "baselines"
    families: Annotated[
        list[str], typer.Option("--family", help="Family of instances; repeatable; default the problem's.")
    ] = field(default_factory=list)
    held_out: Annotated[
        bool, typer.Option("--held-out", help="Over the held-out instances of all the problem's harder families.")
    ] = False
    time_limit_s: Annotated[float, typer.Option(**LIMIT, help="Seconds for each run.")] = 10.0
    html: Annotated[
        bool, typer.Option("--html", help="Write verdict.html too: one page, for any browser and without a network.")
    ] = False
    seed: Seed = 0
