"""Write the testbed that this machine stands in, its GPUs as devices of their own."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from splitshare.commands.arguments import Output


@dataclass(frozen=True)
class Options:
    """Options of ``splitshare local-testbed``."""

    testbed: Annotated[Path, typer.Argument(metavar="TESTBED", help="Testbed with `this-machine` in it (YAML).")]
    output: Output
    gpus: Annotated[int, typer.Option(min=0, max=64, help="How many; 0 leaves the testbed as it is.")] = 0
