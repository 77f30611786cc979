"""Tell what a least accuracy or share served of every task, or less energy, costs: objective against the limit."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import typer

from splitshare.choices import SideLimit
from splitshare.commands.arguments import LIMIT, OutputFolder, Seed


@dataclass(frozen=True)
class Options:
    """Options of ``splitshare onloading price``."""

    instances: Annotated[list[Path], typer.Argument(metavar="INSTANCE...", help="Onloading instances (JSON).")]
    output: OutputFolder
    limit: Annotated[SideLimit, typer.Option(help="What is limited: of every task, or energy.")] = "served"
    shares: Annotated[
        list[float],
        typer.Option(
            "--share",
            min=1e-6,
            max=1.0,
            help="Of each task's queries, of its most accurate model's accuracy, or of the energy of the decision for "
            "the instance as it is; a stricter limit of the instance stays; repeatable; default 0.5 to 1.",
        ),
    ] = field(default_factory=list)
    algorithms: Annotated[
        list[str], typer.Option("--algorithm", help="Decides; a name, or path/to/file.py:Class; repeatable.")
    ] = field(default_factory=lambda: ["j3o-batching"])
    time_limit_s: Annotated[float | None, typer.Option(**LIMIT, help="Seconds for each decision.")] = None
    plot: Annotated[Path | None, typer.Option(help="Folder for a figure: price.pdf, price.png.")] = None
    seed: Seed = 0
