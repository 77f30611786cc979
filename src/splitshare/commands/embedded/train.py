"""Train models, those that share modules together; weights go into the directory OUTPUT."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated

import typer

from splitshare.catalog.paths import EMBEDDED
from splitshare.commands.arguments import COUNT, CatalogRoot, Device, OutputFolder, Seed


@dataclass(frozen=True)
class Options:
    """Options of ``splitshare embedded train``."""

    output: OutputFolder
    models: Annotated[list[str], typer.Option("--model", help="Model to train; repeatable; default all.")] = field(
        default_factory=list
    )
    epochs: Annotated[int | None, typer.Option(**COUNT, help="Passes over the training images.")] = None
    seed: Seed = 0
    torch_device: Device = "cpu"
    catalog_root: CatalogRoot = EMBEDDED
