"""Write an instance with regional servers between its servers and the cloud; run it on its result for another tier."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import typer

from splitshare.commands.arguments import COUNT, InstanceFile, Output

TIMES = {"min": 1e-3, "max": 1e3}


@dataclass(frozen=True)
class Options:
    """Options of ``splitshare onloading regions``."""

    instance: InstanceFile
    output: Output
    servers: Annotated[int, typer.Option(**COUNT, help="Most servers in a region.")] = 2
    memory: Annotated[float, typer.Option(**TIMES, help="A region's memory, over the mean of its servers'.")] = 2.0
    compute: Annotated[float, typer.Option(**TIMES, help="Its computing, over the mean of its servers'.")] = 1.0
    backhaul: Annotated[float, typer.Option(**TIMES, help="Its backhaul, over the sum of its servers'.")] = 1.0
    latency: Annotated[
        float, typer.Option(min=0.0, max=1.0, help="Share of the backhauls' latency between region and cloud.")
    ] = 0.5
