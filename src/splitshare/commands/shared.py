"""Find the modules that models have in common, and the bytes that sharing them saves.

A module's identity is a digest over its tensors: equal digests are one module. Modules of one architecture with other
values are compared, and never shared by themselves.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import typer

from splitshare.commands.arguments import CatalogRoot, PinsPath
from splitshare.commands.split import Models
from splitshare.places import DATA, HUB_PINS


@dataclass(frozen=True)
class Options:
    """Options of ``splitshare shared``."""

    models: Models
    share_similar: Annotated[
        bool,
        typer.Option(
            "--share-similar", help="Share modules that are equal after rounding or similar, and say what that does."
        ),
    ] = False
    table: Annotated[Path | None, typer.Option("--table", help="Keep the table as CSV.")] = None
    graph: Annotated[Path | None, typer.Option(help="Draw which model has which module (PNG, PDF, SVG).")] = None
    testbed: Annotated[
        Path | None,
        typer.Option(help="Testbed (YAML): its smallest set of devices that holds all models, whole, split, shared."),
    ] = None
    cache: Annotated[Path, typer.Option(help="Directory of kept digests.")] = Path("results/digests")
    pins: PinsPath = HUB_PINS
    catalog_root: CatalogRoot = field(default=DATA)
