"""Write a seeded request trace for the request classes of an instance."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from splitshare.choices import TraceKind
from splitshare.commands.arguments import RATE, SPAN, InstanceFile, Output, Seed


@dataclass(frozen=True)
class Options:
    """Options of ``splitshare trace``."""

    instance: InstanceFile
    output: Output
    kind: Annotated[TraceKind, typer.Option(help="How requests arrive.")]
    rate_per_s: Annotated[float | None, typer.Option(**RATE, help="Requests a second, the mean over all classes.")] = (
        None
    )
    requests: Annotated[int | None, typer.Option(min=1, max=10**12, help="How many requests.")] = None
    horizon_s: Annotated[float | None, typer.Option(**SPAN, help="How many seconds, instead of how many requests.")] = (
        None
    )
    arrivals: Annotated[
        Path | None, typer.Option(help="Recorded arrivals: counts (bursty) or a trace (azure-llm-2023).")
    ] = None
    seed: Seed = 0
