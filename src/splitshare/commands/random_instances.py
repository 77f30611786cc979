"""Write a family of seeded random instances that have a feasible placement into the directory OUTPUT."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import typer

from splitshare.choices import InstanceRules
from splitshare.commands.arguments import COUNT, LIMIT, OutputFolder
from splitshare.ranges import MOST_SEED


@dataclass(frozen=True)
class Options:
    """Options of ``splitshare random-instances``."""

    output: OutputFolder
    name: Annotated[str, typer.Option(help="Name of the family.")]
    first_seed: Annotated[int, typer.Option(min=0, max=MOST_SEED, help="Where the seeds begin.")]
    rules: Annotated[InstanceRules, typer.Option(help="By which rules they are drawn.")] = "study"
    count: Annotated[int, typer.Option(**COUNT, help="How many feasible instances.")] = 40
    time_limit_s: Annotated[
        float,
        typer.Option(**LIMIT, help="Seconds to prove one of `study` feasible; those of other rules are so drawn."),
    ] = 60.0
