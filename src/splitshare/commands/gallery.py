"""Write the gallery of a folder of figures: each with its caption, claims first, then as the papers go."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from splitshare.commands.arguments import Output


@dataclass(frozen=True)
class Options:
    """Options of ``splitshare gallery``."""

    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Folder that `splitshare figures` wrote into.")]
    output: Output
    """The page (Markdown), in that folder."""
