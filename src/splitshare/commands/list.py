"""List what there is: algorithms, models, modules, workloads, testbeds, families, figures, problems or traces."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

import typer

from splitshare.commands.arguments import CatalogRoot
from splitshare.places import DATA

Kind = Literal["algorithms", "models", "modules", "workloads", "testbeds", "families", "figures", "problems", "traces"]


@dataclass(frozen=True)
class Options:
    """Options of ``splitshare list``."""

    kind: Annotated[Kind, typer.Argument(metavar="KIND", help="What to list.")]
    catalog_root: CatalogRoot = DATA
