"""Find instances on which algorithms do worst against others, by annealed perturbation of times, links and memory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import typer

from splitshare.commands.arguments import InstanceFiles, OutputFolder, Seed


@dataclass(frozen=True)
class Options:
    """Options of ``splitshare adversarial``."""

    instances: InstanceFiles
    output: OutputFolder
    of: Annotated[list[str], typer.Option("--of", help="Algorithm whose worst cases are sought; repeatable.")]
    against: Annotated[list[str], typer.Option("--against", help="Algorithm that it is held against; repeatable.")]
    steps: Annotated[int, typer.Option(min=0, max=10**7, help="Instances tried from each start, a pair.")] = 300
    reach: Annotated[
        float, typer.Option(min=1.0, max=1e6, help="How many times more or less than at first a number may become.")
    ] = 10.0
    seed: Seed = 0
    processes: Annotated[int, typer.Option(min=1, max=1024, help="Pairs that are searched side by side.")] = 1
