"""Let users ask a placement, each waiting for the answer before thinking of the next request, simulated."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from splitshare.choices import LinkModel, Think
from splitshare.commands.arguments import AMOUNT, AnswerFile, InstanceFile, Output, Seed


@dataclass(frozen=True)
class Options:
    """Options of ``splitshare closed-loop``."""

    instance: InstanceFile
    placement: AnswerFile
    output: Output
    users: Annotated[int, typer.Option(min=1, max=10**6, help="How many users.")]
    think_s: Annotated[float, typer.Option(**AMOUNT, help="Mean seconds between an answer and the next request.")]
    requests: Annotated[int, typer.Option(min=1, max=10**8, help="After how many requests nobody asks any more.")] = (
        10_000
    )
    think: Annotated[Think, typer.Option(help="How times of thinking are drawn.")] = "exponential"
    trace_output: Annotated[
        Path | None,
        typer.Option("--trace", help="Where what was asked goes as a trace (Parquet or CSV)."),
    ] = None
    link_model: Annotated[LinkModel, typer.Option(help="How transfers delay each other.")] = "serial"
    seed: Seed = 0
