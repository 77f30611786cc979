"""Write the placement instances of workloads on testbeds into the directory OUTPUT."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import typer

from splitshare.choices import Dtype
from splitshare.commands.arguments import CatalogRoot, Descriptions, OutputFolder, Profiles, Testbeds
from splitshare.places import DATA


@dataclass(frozen=True)
class Options:
    """Options of ``splitshare instances``."""

    output_dir: OutputFolder
    descriptions: Descriptions
    profiles: Profiles
    testbeds: Testbeds
    workloads: Annotated[list[str], typer.Option("--workload", help="Workload; repeatable; default all.")] = field(
        default_factory=list
    )
    pinned: Annotated[Path | None, typer.Option(help="Digests that the instances must have.")] = None
    precision: Annotated[
        Dtype | None,
        typer.Option(help="Of all devices; testbeds are then called <testbed>-<precision>; default: as they say."),
    ] = None
    catalog_root: CatalogRoot = DATA
