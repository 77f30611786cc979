"""Record the test accuracy of every model whole, split and shared as OUTPUT."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import typer

from splitshare.catalog.paths import EMBEDDED
from splitshare.commands.arguments import THREADS, CatalogRoot, Device, Output, Precisions


@dataclass(frozen=True)
class Options:
    """Options of ``splitshare embedded evaluate``."""

    weights: Annotated[Path, typer.Argument(metavar="WEIGHTS", help="Directory of `embedded train`.")]
    output: Output
    threads: Annotated[int, typer.Option(**THREADS, help="Torch threads.")] = 1
    torch_device: Device = "cpu"
    precisions: Precisions = field(default_factory=list)
    catalog_root: CatalogRoot = EMBEDDED
