"""Join profiles of one device into one."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from splitshare.commands.arguments import Output


@dataclass(frozen=True)
class Options:
    """Options of ``splitshare merge-profiles``."""

    profiles: Annotated[list[Path], typer.Argument(metavar="PROFILE...", help="Profiles of one device.")]
    output: Output
