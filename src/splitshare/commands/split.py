"""Cut models into the functional modules that they are made of: encoders, projectors, decoders, heads.

A model is a folder as transformers writes it, or a name on the hub. Configuration and headers are read, no weights.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import typer

from splitshare.commands.arguments import CatalogRoot, PinsPath
from splitshare.places import DATA, HUB_PINS

Models = Annotated[
    list[str], typer.Argument(metavar="MODEL...", help="Folder, or hub name (owner/name, owner/name@commit).")
]


@dataclass(frozen=True)
class Options:
    """Options of ``splitshare split``."""

    models: Models
    check: Annotated[
        bool,
        typer.Option("--check", help="Chain the modules by tensors sent as bytes and hold them against the whole."),
    ] = False
    table: Annotated[Path | None, typer.Option("--table", help="Keep the modules as CSV.")] = None
    pins: PinsPath = HUB_PINS
    catalog_root: CatalogRoot = field(default=DATA)
