"""Put the parts of a sweep of load together: means and intervals over seeds, as tables in the directory OUTPUT."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from splitshare.commands.arguments import OutputFolder


@dataclass(frozen=True)
class Options:
    """Options of ``splitshare load-tables``."""

    parts: Annotated[list[Path], typer.Argument(metavar="PART...", help="Directories of `splitshare load-sweep`.")]
    output: OutputFolder
