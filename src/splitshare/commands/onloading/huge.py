"""Write the family of large instances, a file each, into the directory OUTPUT."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from splitshare.commands.arguments import OutputFolder


@dataclass(frozen=True)
class Options:
    """Options of ``splitshare onloading huge``."""

    zoo: Annotated[Path, typer.Argument(metavar="ZOO", help="Zoo (JSON) that the models are taken from.")]
    output: OutputFolder
    most_clients: Annotated[
        int, typer.Option(min=200, max=10_000, help="No instances of more clients than that; the least have 200.")
    ] = 10_000
