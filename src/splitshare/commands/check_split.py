"""Hold the split models' answers against the whole models', at true size."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated

import typer

from splitshare.commands.arguments import CatalogRoot, OutputFolder, Seed
from splitshare.places import DATA


@dataclass(frozen=True)
class Options:
    """Options of ``splitshare check-split``."""

    output: OutputFolder
    models: Annotated[list[str], typer.Option("--model", help="Model to compare; repeatable; default all.")] = field(
        default_factory=list
    )
    seed: Seed = 0
    catalog_root: CatalogRoot = DATA
