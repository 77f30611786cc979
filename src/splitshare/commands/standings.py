"""Set several verdicts in one table, with the recorded methods that they were held against."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer


@dataclass(frozen=True)
class Options:
    """Options of ``splitshare standings``."""

    verdicts: Annotated[list[Path], typer.Argument(metavar="VERDICT...", help="Files verdict.json of `compare`.")]
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Also write it as a table (CSV).")] = None
