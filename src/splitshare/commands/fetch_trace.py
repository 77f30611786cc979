"""Fetch a public request trace, held to its size and digest; see `splitshare list traces`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import typer

from splitshare.commands.arguments import CatalogRoot, Output
from splitshare.places import DATA


@dataclass(frozen=True)
class Options:
    """Options of ``splitshare fetch-trace``."""

    trace: Annotated[str, typer.Argument(metavar="TRACE", help="Its name in the catalogue.")]
    output: Output
    digest: Annotated[
        str | None, typer.Option(help="SHA-256 that the file must have, where the catalogue states none.")
    ] = None
    catalog_root: CatalogRoot = DATA
