"""Write the named suite of instances, and its digests, into the directory OUTPUT."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from splitshare.commands.arguments import OutputFolder


@dataclass(frozen=True)
class Options:
    """Options of ``splitshare onloading suite``."""

    zoos: Annotated[list[Path], typer.Argument(metavar="ZOO...", help="Zoos (JSON), the plain-named first.")]
    output: OutputFolder
    further: Annotated[bool, typer.Option("--further", help="All zoos are further ones: names carry theirs.")] = False
    each: Annotated[bool, typer.Option("--each", help="Write each instance as a file <name>.json, too.")] = False
    variants: Annotated[
        bool, typer.Option("--variants", help="Of a family of the zoo (variant_of) hold at most one model at a place.")
    ] = False
