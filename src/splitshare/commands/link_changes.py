"""Write how links of an instance change over time: outages, or levels of bandwidth, seeded."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated

import typer

from splitshare.choices import LinkProcess
from splitshare.commands.arguments import SPAN, InstanceFile, Output, Seed


@dataclass(frozen=True)
class Options:
    """Options of ``splitshare link-changes``."""

    instance: InstanceFile
    output: Output
    kind: Annotated[LinkProcess, typer.Option(help="Up and down, or levels of bandwidth (1, 1/2, 1/4, 1/10).")]
    horizon_s: Annotated[float, typer.Option(**SPAN, help="Until which second links change.")]
    links: Annotated[list[str], typer.Option("--link", help="Such as a--b; repeatable; default all.")] = field(
        default_factory=list
    )
    stay_s: Annotated[float, typer.Option(**SPAN, help="Mean seconds of being up, or at a level.")] = 60.0
    outage_s: Annotated[float, typer.Option(**SPAN, help="Mean seconds of an outage.")] = 5.0
    seed: Seed = 0
