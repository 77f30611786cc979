"""Write generalised assignment problems of an OR-Library file as placement instances, whose optima are published."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from splitshare.choices import AssignmentSense
from splitshare.commands.arguments import OutputFolder


@dataclass(frozen=True)
class Options:
    """Options of ``splitshare assignment-instances``."""

    problems: Annotated[Path, typer.Argument(metavar="PROBLEMS", help="File of problems in the OR-Library's format.")]
    output: OutputFolder
    sense: Annotated[
        AssignmentSense,
        typer.Option(help="Whether sums are maximised, as in gap1 to gap12, or minimised, as in gapa to gapd."),
    ]
