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

    device: Annotated[Path, typer.Argument(metavar="DEVICE", help="Device type (YAML).")]
    modules: Descriptions
    output: Output
    catalog_root: CatalogRoot = DATA
