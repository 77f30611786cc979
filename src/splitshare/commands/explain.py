"""Explain on which instances a heuristic misses the optimum: features, gaps, and a few questions that tell."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import typer

from splitshare.choices import ExactSolver
from splitshare.commands.arguments import LIMIT, InstanceFiles, OutputFolder


@dataclass(frozen=True)
class Options:
    """Options of ``splitshare explain``."""

    instances: InstanceFiles
    output: OutputFolder
    algorithm: Annotated[str, typer.Option(help="The heuristic; a name, or path/to/file.py:Class.")] = "s2m3-greedy"
    solver: Annotated[ExactSolver, typer.Option(help="Which proves the optimum.")] = "builtin"
    time_limit_s: Annotated[float, typer.Option(**LIMIT, help="Seconds of proving for each instance.")] = 10.0
    questions: Annotated[int, typer.Option(min=0, max=10, help="Questions on a path at most.")] = 2
    least: Annotated[int, typer.Option(min=1, max=10**6, help="Instances that each answer must have.")] = 5
