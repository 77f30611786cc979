"""Decide the suite again by J3O, prove small optima again, and join what is recorded of the others."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from splitshare.commands.arguments import Output, RecordFile, Suite


@dataclass(frozen=True)
class Options:
    """Options of ``splitshare onloading solve-suite``."""

    suite: Suite
    output: Output
    record: RecordFile
    times: Annotated[Path, typer.Option(help="Where this machine's run times go.")]
    sizes: Annotated[list[str], typer.Option("--size", help="Size class to solve; repeatable.")]
