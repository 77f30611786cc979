"""Put a placement through the four scenarios of MLPerf LoadGen, simulated."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from splitshare.choices import LinkModel
from splitshare.commands.arguments import AnswerFile, InstanceFile, Seed


@dataclass(frozen=True)
class Options:
    """Options of ``splitshare loadgen``."""

    instance: InstanceFile
    placement: AnswerFile
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Also write them as a table (CSV).")] = None
    queries: Annotated[int, typer.Option(min=100, max=10**7, help="Queries of each replay.")] = 10_000
    samples: Annotated[int, typer.Option(min=2, max=1000, help="Requests of a multi-stream query.")] = 8
    limit_factor: Annotated[
        float, typer.Option(min=1.0, max=1e6, help="Server: in time up to so many times the idle latency.")
    ] = 2.5
    seeds: Annotated[int, typer.Option(min=2, max=1000, help="Server: replays of each rate.")] = 5
    link_model: Annotated[LinkModel, typer.Option(help="How transfers delay each other.")] = "serial"
    seed: Seed = 0
