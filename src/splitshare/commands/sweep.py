"""Replay several traces on the placements of several methods; tables into the directory OUTPUT."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from splitshare.commands.arguments import InstanceFile, OutputFolder, Placements


@dataclass(frozen=True)
class Options:
    """Options of ``splitshare sweep``."""

    instance: InstanceFile
    traces: Annotated[list[Path], typer.Argument(metavar="TRACE...", help="Traces <kind>-<rate>.parquet.")]
    output: OutputFolder
    placements: Placements
    methods: Annotated[list[str], typer.Option("--method", help="Method to replay; repeatable.")]
    link_models: Annotated[list[str], typer.Option("--link-model", help="How transfers delay each other; repeatable.")]
