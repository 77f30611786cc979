"""Draw tables and figures from a run's results into the directory OUTPUT."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import typer

from splitshare.commands.arguments import CatalogRoot, OutputFolder, RunConfig
from splitshare.places import CONFIG, DATA


@dataclass(frozen=True)
class Options:
    """Options of ``splitshare figures``."""

    output: OutputFolder
    results: Annotated[Path, typer.Option(help="Directory of a run's results: canonical or local.")]
    names: Annotated[list[str], typer.Argument(metavar="NAME...", help="Which; default all.")] = field(
        default_factory=list
    )
    strict: Annotated[
        bool, typer.Option("--strict", help="Refuse figures that break the rules of style, after drawing.")
    ] = False
    config: RunConfig = CONFIG
    catalog_root: CatalogRoot = DATA
