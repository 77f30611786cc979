"""Lay out a study of your own in the directory DIR: configuration, testbed, algorithm, Snakefile."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer


@dataclass(frozen=True)
class Options:
    """Options of ``splitshare init``."""

    directory: Annotated[Path, typer.Argument(metavar="DIR", help="New or empty; `.` for where you are.")]
