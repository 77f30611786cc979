"""Print the objective of a placement or an onloading decision, and what it is made of, as JSON."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from splitshare.commands.arguments import InstanceFile


@dataclass(frozen=True)
class Options:
    """Options of ``splitshare evaluate``."""

    instance: InstanceFile
    answer: Annotated[
        Path,
        typer.Argument(
            metavar="PLACEMENT",
            help="Placement or decision (JSON), or the solution that another solver found of the program (.sol).",
        ),
    ]
