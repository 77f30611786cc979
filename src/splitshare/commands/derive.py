"""Write the profile of a device that is not at hand, by the rule that its file names."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from splitshare.commands.arguments import CatalogRoot, Descriptions, Output
from splitshare.places import DATA


@dataclass(frozen=True)
class Options:
    """Options of ``splitshare derive``."""

    device: Annotated[
        Path, typer.Argument(metavar="DEVICE", help="Device type: a file (YAML), or the program's by name.")
    ]
    modules: Descriptions
    output: Output
    measured_modules: Annotated[
        Path | None,
        typer.Option(
            help="Descriptions of what was measured on the device that the rule is fitted on; default --modules, or "
            "with a --data of one's own the program's catalogue, described anew."
        ),
    ] = None
    catalog_root: CatalogRoot = DATA
