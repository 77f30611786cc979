"""Record what known methods do over a family of instances into the directory OUTPUT."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from splitshare.commands.arguments import LIMIT, OutputFolder


@dataclass(frozen=True)
class Options:
    """Options of ``splitshare record``."""

    instances: Annotated[
        list[Path],
        typer.Argument(metavar="INSTANCE...", help="Instances of one problem (JSON), or one a line (JSONL)."),
    ]
    output: OutputFolder
    methods: Annotated[list[str], typer.Option("--method", help="Algorithm, or optimum-<solver>; repeatable.")]
    family: Annotated[
        str | None, typer.Option(help="What the instances are called together; default the problem's.")
    ] = None
    time_limit_s: Annotated[float, typer.Option(**LIMIT, help="Seconds for each run.")] = 60.0
