"""Find how much of links and processors a plan should use up: replayed accuracy in time, by limit and load."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import typer

from splitshare.commands.arguments import SPAN, InstanceFile, OutputFolder, Seed

SHARE = {"min": 0.01, "max": 1.0}


@dataclass(frozen=True)
class Options:
    """Options of ``splitshare onloading headroom``."""

    instance: InstanceFile
    output: OutputFolder
    limits: Annotated[
        list[float],
        typer.Option("--limit", **SHARE, help="Share that a plan may use; repeatable; default 0.5 to 1, 1 always too."),
    ] = field(default_factory=list)
    loads: Annotated[
        list[float],
        typer.Option(
            "--load",
            min=0.01,
            max=100.0,
            help="Share of the planned demand; repeatable; default 0.8, 1, 1.1.",
        ),
    ] = field(default_factory=list)
    algorithm: Annotated[str, typer.Option(help="Decides; a name, or path/to/file.py:Class.")] = "j3o-batching"
    horizon_s: Annotated[float, typer.Option(**SPAN, help="Seconds of queries in each replay.")] = 120.0
    warm_up_s: Annotated[
        float, typer.Option(min=0.0, max=1e9, help="Seconds at the start whose queries are not counted.")
    ] = 20.0
    seeds: Annotated[int, typer.Option(min=1, max=1000, help="Replays of each.")] = 3
    plot: Annotated[Path | None, typer.Option(help="Folder for a figure: headroom.pdf, headroom.png.")] = None
    seed: Seed = 0
