"""Write what batches take on the devices of an instance, from profiles of several batch sizes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from splitshare.commands.arguments import CatalogRoot, InstanceFile, Output, Profiles
from splitshare.places import DATA


@dataclass(frozen=True)
class Options:
    """Options of ``splitshare batch-curves``."""

    instance: InstanceFile
    output: Output
    testbed: Annotated[Path, typer.Option(help="Testbed of the instance (YAML).")]
    profiles: Profiles
    catalog_root: CatalogRoot = DATA
