"""Load placements from idle to saturation, seed by seed: a part of a sweep, into the directory OUTPUT."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import typer

from splitshare.choices import LinkModel
from splitshare.commands.arguments import InstanceFile, OutputFolder, Placements
from splitshare.ranges import MOST_SEED


@dataclass(frozen=True)
class Options:
    """Options of ``splitshare load-sweep``."""

    instance: InstanceFile
    output: OutputFolder
    placements: Placements
    methods: Annotated[list[str], typer.Option("--method", help="Method to load; repeatable.")]
    reference: Annotated[str, typer.Option(help="Method whose placement rates and limits are taken from, for all.")]
    shares: Annotated[
        list[float],
        typer.Option("--share", min=1e-6, max=100.0, help="Rate, as a share of what the reference holds; repeatable."),
    ]
    latencies_at: Annotated[
        list[float],
        typer.Option(min=1e-6, max=100.0, help="Share of which all percentiles of latency are kept; repeatable."),
    ]
    limit_factor: Annotated[
        float,
        typer.Option(min=1.0, max=1e6, help="A request is in time up to so many times the reference's idle latency."),
    ] = 2.5
    attainment: Annotated[float, typer.Option(min=0.01, max=0.999, help="Share of requests in time at the knee.")] = (
        0.95
    )
    requests: Annotated[int, typer.Option(min=150, max=10**8, help="Requests of each replay.")] = 5000
    first_seed: Annotated[int, typer.Option(min=0, max=MOST_SEED, help="Seed of the first replays.")] = 0
    seeds: Annotated[int, typer.Option(min=1, max=10_000, help="How many seeds, from the first on.")] = 1
    link_model: Annotated[LinkModel, typer.Option(help="How transfers delay each other.")] = "serial"
