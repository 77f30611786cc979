"""Make the zoo of published figures."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from splitshare.commands.arguments import Output


@dataclass(frozen=True)
class Options:
    """Options of ``splitshare onloading zoo``."""

    table: Annotated[Path, typer.Argument(metavar="TABLE", help="Published accuracy and latency (CSV).")]
    output: Output
