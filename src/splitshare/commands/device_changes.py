"""Write devices that come and go, seeded, as `splitshare adapt` takes them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated

import typer

from splitshare.commands.arguments import SPAN, InstanceFile, Output, Seed


@dataclass(frozen=True)
class Options:
    """Options of ``splitshare device-changes``."""

    instance: InstanceFile
    output: Output
    horizon_s: Annotated[float, typer.Option(**SPAN, help="Until which second they come and go.")]
    stay_s: Annotated[float, typer.Option(**SPAN, help="Mean seconds of being there.")] = 600.0
    away_s: Annotated[float, typer.Option(**SPAN, help="Mean seconds of being away.")] = 60.0
    devices: Annotated[
        list[str], typer.Option("--device", help="Repeatable; default all from which no requests come.")
    ] = field(default_factory=list)
    seed: Seed = 0
