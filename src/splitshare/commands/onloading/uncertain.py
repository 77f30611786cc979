"""Decide which models to hold before the demand is known, and judge the plans on demands that were not looked at."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from splitshare.commands.arguments import InstanceFile, OutputFolder, Seed


@dataclass(frozen=True)
class Options:
    """Options of ``splitshare onloading uncertain``."""

    instance: InstanceFile
    output: OutputFolder
    cv: Annotated[
        float, typer.Option(min=0.0, max=10.0, help="Coefficient of variation of each client's and task's demand.")
    ] = 0.5
    common_cv: Annotated[
        float, typer.Option(min=0.0, max=10.0, help="Coefficient of variation of a factor that all demands share.")
    ] = 0.25
    worst: Annotated[float, typer.Option(min=0.001, max=1.0, help="Share of the draws that the worst are.")] = 0.1
    samples: Annotated[int, typer.Option(min=1, max=10_000, help="Demands by which candidates are compared.")] = 100
    candidates: Annotated[int, typer.Option(min=0, max=10_000, help="Of those, how many are decided for.")] = 20
    draws: Annotated[int, typer.Option(min=1, max=10_000, help="Other demands, on which plans are judged.")] = 100
    algorithm: Annotated[str, typer.Option(help="Decides; a name, or path/to/file.py:Class.")] = "j3o-batching"
    plot: Annotated[Path | None, typer.Option(help="Folder for a figure: uncertain.pdf, uncertain.png.")] = None
    seed: Seed = 0
