"""Put measured accuracies into the record OUTPUT, in the place of older ones."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from splitshare.commands.arguments import Output


@dataclass(frozen=True)
class Options:
    """Options of ``splitshare embedded record``."""

    accuracy: Annotated[Path, typer.Argument(metavar="ACCURACY", help="Output of `embedded evaluate`.")]
    output: Output
