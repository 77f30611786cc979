"""Count parameters, operations and bytes of the catalogue's modules."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated

import typer

from splitshare.commands.arguments import CatalogRoot, Output, Precision
from splitshare.places import DATA


@dataclass(frozen=True)
class Options:
    """Options of ``splitshare describe``."""

    output: Output
    modules: Annotated[list[str], typer.Option("--module", help="Module to describe; repeatable; default all.")] = (
        field(default_factory=list)
    )
    precision: Precision = None
    catalog_root: CatalogRoot = DATA
