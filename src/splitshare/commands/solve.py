"""Place modules, or onload models, whichever problem the instances are of; several write into a directory.

Of several methods each has a folder of its own in the directory OUTPUT.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import typer

from splitshare.choices import ExactSolver
from splitshare.commands.arguments import LIMIT, Algorithms, InstanceFiles, OutputFileOrFolder, Seed


@dataclass(frozen=True)
class Options:
    """Options of ``splitshare solve``."""

    instances: InstanceFiles
    output: OutputFileOrFolder
    algorithms: Algorithms
    solver: Annotated[ExactSolver | None, typer.Option(help="For the exact algorithms; builtin: placements only.")] = (
        None
    )
    parameters: Annotated[list[str], typer.Option("--parameter", help="name=value of the algorithm; repeatable.")] = (
        field(default_factory=list)
    )
    seed: Seed = 0
    time_limit_s: Annotated[float | None, typer.Option(**LIMIT, help="Seconds for each instance.")] = None
    write_program: Annotated[
        Path | None, typer.Option(help="Also write the exact program of one instance (.mps), for any other solver.")
    ] = None
