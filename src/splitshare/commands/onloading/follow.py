"""Re-decide which models to hold as demand, clients and servers change, under a price on moving models."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import typer

from splitshare.choices import DemandShape
from splitshare.commands.arguments import AMOUNT, SPAN, InstanceFile, OutputFolder, Seed
from splitshare.commands.trace import FROM


@dataclass(frozen=True)
class Options:
    """Options of ``splitshare onloading follow``."""

    instance: InstanceFile
    output: OutputFolder
    demand: Annotated[DemandShape, typer.Option(help="How demand changes.")] = "diurnal"
    arrivals: Annotated[
        Path | None, typer.Option(help="What was recorded: requests (CSV, JSONL, Parquet), or counts of them (CSV).")
    ] = None
    mapping: Annotated[
        Path | None, typer.Option(help="Whose a recorded request is (YAML); else drawn by the demand.")
    ] = None
    from_s: Annotated[float | None, typer.Option(**FROM, help="Recorded requests from this second on.")] = None
    until_s: Annotated[float | None, typer.Option(**SPAN, help="Recorded requests before this second.")] = None
    sort: Annotated[bool, typer.Option("--sort", help="Recorded rows may come in any order of time.")] = False
    as_recorded: Annotated[
        bool, typer.Option("--as-recorded", help="Rates of the record, not scaled to the instance's mean demand.")
    ] = False
    spans: Annotated[int, typer.Option(min=1, max=10_000, help="How often it is decided.")] = 24
    every_s: Annotated[float, typer.Option(**SPAN, help="Seconds between decisions.")] = 3600.0
    period_s: Annotated[
        float | None,
        typer.Option(**SPAN, help="Seconds of a day, or of calm and burst together; default 86400."),
    ] = None
    depth: Annotated[
        float | None,
        typer.Option(min=0.0, max=1.0, help="How far below its mean the demand goes; default 0.6."),
    ] = None
    events: Annotated[
        Path | None,
        typer.Option(
            help="Clients and servers that change (CSV): time_s,what,name,value; counts from the next span's start."
        ),
    ] = None
    right_per_gb: Annotated[
        float, typer.Option(**AMOUNT, help="Right answers that a gigabyte moved must bring: the price of moving.")
    ] = 100.0
    ahead: Annotated[int, typer.Option(min=1, max=10_000, help="Spans for which a gain is expected to last.")] = 4
    algorithm: Annotated[str, typer.Option(help="Decides; a name, or path/to/file.py:Class.")] = "j3o-decomposed"
    policies: Annotated[list[str], typer.Option("--policy", help="keep, anew or priced; repeatable; default all.")] = (
        field(default_factory=list)
    )
    replay: Annotated[bool, typer.Option("--replay", help="Replay what each policy did, query by query.")] = False
    windows: Annotated[
        int | None, typer.Option(min=1, max=1000, help="Windows of each span that the replay tells of; default 1.")
    ] = None
    plot: Annotated[Path | None, typer.Option(help="Folder for a figure: follow.pdf, follow.png.")] = None
    seed: Seed = 0
