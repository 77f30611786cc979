"""Write the placements of several methods as tables into the directory OUTPUT."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from splitshare.commands.arguments import InstanceFiles, OutputFolder, Placements


@dataclass(frozen=True)
class Options:
    """Options of ``splitshare collect``."""

    instances: InstanceFiles
    output: OutputFolder
    placements: Placements
    methods: Annotated[list[str], typer.Option("--method", help="Method to collect; repeatable.")]
    runs: Annotated[Path, typer.Option(help="Directory of the tables with times and provenance.")]
