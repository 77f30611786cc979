"""Try every reading of S2M3's greedy that the abstract allows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import typer

from splitshare.commands.arguments import InstanceFiles, Output, Placements


@dataclass(frozen=True)
class Options:
    """Options of ``splitshare ablation``."""

    instances: InstanceFiles
    output: Output
    placements: Placements
    optimum: Annotated[str, typer.Option(help="Method that proved the optima.")] = "optimum-highs"
