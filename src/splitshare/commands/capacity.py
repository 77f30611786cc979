"""Find how much load placements stand: the highest rate at which requests keep their latency limits."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import typer

from splitshare.choices import DrawnKind, LinkModel
from splitshare.commands.arguments import InstanceFile, OutputFolder


@dataclass(frozen=True)
class Options:
    """Options of ``splitshare capacity``."""

    instance: InstanceFile
    placements: Annotated[list[Path], typer.Argument(metavar="PLACEMENT...", help="Placements of it (JSON).")]
    output: OutputFolder
    kind: Annotated[DrawnKind, typer.Option(help="How requests arrive.")] = "poisson"
    parameters: Annotated[
        list[str], typer.Option("--parameter", help="name=value of the process, such as cv=2 of gamma; repeatable.")
    ] = field(default_factory=list)
    limit_factor: Annotated[
        float, typer.Option(min=1.0, max=1e6, help="A request is in time up to so many times its idle latency.")
    ] = 2.5
    attainment: Annotated[float, typer.Option(min=0.01, max=0.999, help="Share of requests that must be in time.")] = (
        0.95
    )
    requests: Annotated[int, typer.Option(min=100, max=10**8, help="Requests of each replay.")] = 20_000
    seeds: Annotated[int, typer.Option(min=2, max=1000, help="Replays of each rate; the spread is told.")] = 5
    link_model: Annotated[LinkModel, typer.Option(help="How transfers delay each other.")] = "serial"
    plot: Annotated[Path | None, typer.Option(help="Folder for a figure: load.pdf, load.png.")] = None
