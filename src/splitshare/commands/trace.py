"""Write a seeded request trace for the request classes of an instance."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from splitshare.choices import Scaling, TraceKind
from splitshare.commands.arguments import RATE, SPAN, InstanceFile, Output, Seed

FROM = {"min": 0.0, "max": 1e9}


@dataclass(frozen=True)
class Options:
    """Options of ``splitshare trace``."""

    instance: InstanceFile
    output: Output
    kind: Annotated[TraceKind, typer.Option(help="How requests arrive.")]
    rate_per_s: Annotated[
        float | None, typer.Option(**RATE, help="Requests a second, the mean over all classes; recorded: as recorded.")
    ] = None
    requests: Annotated[int | None, typer.Option(min=1, max=10**12, help="How many requests; recorded: at most.")] = (
        None
    )
    horizon_s: Annotated[float | None, typer.Option(**SPAN, help="How many seconds, instead of how many requests.")] = (
        None
    )
    parameters: Annotated[
        list[str], typer.Option("--parameter", help="name=value of the process, such as cv=2 of gamma; repeatable.")
    ] = ()  # type: ignore[assignment]  # typer asks for a list and gives one
    arrivals: Annotated[
        Path | None,
        typer.Option(help="What was recorded: counts (bursty), or requests (recorded: CSV, JSONL, Parquet)."),
    ] = None
    mapping: Annotated[
        Path | None, typer.Option(help="Which class and size a recorded row stands for (YAML); else by the rates.")
    ] = None
    from_s: Annotated[float | None, typer.Option(**FROM, help="Recorded requests from this second on.")] = None
    until_s: Annotated[float | None, typer.Option(**SPAN, help="Recorded requests before this second.")] = None
    warp: Annotated[
        Path | None, typer.Option(help="How a recorded rate changes: time_s,rate_factor (CSV, s); before --rate-per-s.")
    ] = None
    scale_by: Annotated[
        Scaling, typer.Option(help="How a recorded trace comes to another rate: by stretching time, or thinning.")
    ] = "stretch"
    sort: Annotated[bool, typer.Option("--sort", help="Recorded rows may come in any order of time.")] = False
    plot: Annotated[
        Path | None, typer.Option(help="Folder for a figure of it: arrivals over time, dispersion, mix (pdf, png).")
    ] = None
    seed: Seed = 0
