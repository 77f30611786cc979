"""Write one HTML page, for any browser and without a network, in which every result of a run can be looked at."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from splitshare.commands.arguments import CatalogRoot, Output
from splitshare.places import DATA


@dataclass(frozen=True)
class Options:
    """Options of ``splitshare explore``."""

    output: Output
    """The page (HTML)."""
    results: Annotated[Path, typer.Option(help="Directory of a run's results: canonical or local.")]
    catalog_root: CatalogRoot = DATA
