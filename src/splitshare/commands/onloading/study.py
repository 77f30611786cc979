"""What the parts of J3O are worth, and how its rounds converge; tables into the directory OUTPUT."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import typer

from splitshare.commands.arguments import OutputFolder, RecordFile, Suite


@dataclass(frozen=True)
class Options:
    """Options of ``splitshare onloading study``."""

    suite: Suite
    output: OutputFolder
    record: RecordFile
    size: Annotated[str, typer.Option(help="Size class of the ablation.")]
    converging: Annotated[list[str], typer.Option(help="Instance whose rounds are written down; repeatable.")]
