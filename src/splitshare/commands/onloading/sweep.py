"""Accuracy of several methods as memory, load, bandwidth and the number of clients vary."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from splitshare.commands.arguments import Output, RunConfig
from splitshare.places import CONFIG


@dataclass(frozen=True)
class Options:
    """Options of ``splitshare onloading sweep``."""

    output: Output
    zoo: Annotated[Path, typer.Option(help="Zoo that models are drawn from.")]
    config: RunConfig = CONFIG
