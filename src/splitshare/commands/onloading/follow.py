"""Re-decide which models to hold as demand, clients and servers change, under a price on moving models."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import typer

from splitshare.choices import DemandShape
from splitshare.commands.arguments import AMOUNT, SPAN, InstanceFile, OutputFolder, Seed


@dataclass(frozen=True)
class Options:
    """Options of ``splitshare onloading follow``."""

    instance: InstanceFile
    output: OutputFolder
    demand: Annotated[DemandShape, typer.Option(help="How demand changes.")] = "diurnal"
    spans: Annotated[int, typer.Option(min=1, max=10_000, help="How often it is decided.")] = 24
    every_s: Annotated[float, typer.Option(**SPAN, help="Seconds between decisions.")] = 3600.0
    period_s: Annotated[float, typer.Option(**SPAN, help="Seconds of a day, or of calm and burst together.")] = 86_400.0
    depth: Annotated[float, typer.Option(min=0.0, max=1.0, help="How far below its mean the demand goes.")] = 0.6
    events: Annotated[
        Path | None, typer.Option(help="Clients and servers that change (CSV): time_s,what,name,value.")
    ] = None
    right_per_gb: Annotated[
        float, typer.Option(**AMOUNT, help="Right answers that a gigabyte moved must bring: the price of moving.")
    ] = 100.0
    ahead: Annotated[int, typer.Option(min=1, max=10_000, help="Spans for which a gain is expected to last.")] = 4
    algorithm: Annotated[str, typer.Option(help="Decides; a name, or path/to/file.py:Class.")] = "j3o-decomposed"
    policies: Annotated[list[str], typer.Option("--policy", help="keep, anew or priced; repeatable; default all.")] = (
        field(default_factory=list)
    )
    plot: Annotated[Path | None, typer.Option(help="Folder for a figure: follow.pdf, follow.png.")] = None
    seed: Seed = 0
