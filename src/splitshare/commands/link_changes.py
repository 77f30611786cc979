"""Write how links of an instance change over time: drawn, or as somebody recorded a mobile network."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import typer

from splitshare.choices import LinkProcess
from splitshare.commands.arguments import SPAN, InstanceFile, Output, Seed


@dataclass(frozen=True)
class Options:
    """Options of ``splitshare link-changes``."""

    instance: InstanceFile
    output: Output
    kind: Annotated[
        LinkProcess, typer.Option(help="Up and down, levels of bandwidth (1, 1/2, 1/4, 1/10), or a recording.")
    ]
    horizon_s: Annotated[
        float | None, typer.Option(**SPAN, help="Until which second links change; recorded: default, as long as it is.")
    ] = None
    links: Annotated[
        list[str],
        typer.Option("--link", help="Such as a--b; recorded also a->b, towards the phone; repeatable; default all."),
    ] = field(default_factory=list)
    stay_s: Annotated[
        float | None, typer.Option(**SPAN, help="Mean seconds of being up, or at a level; default 60.")
    ] = None
    outage_s: Annotated[float | None, typer.Option(**SPAN, help="Mean seconds of an outage; default 5.")] = None
    recording: Annotated[
        Path | None, typer.Option(help="Of a mobile network: UCC 4G or 5G, Ghent 4G, or a Mahimahi trace.")
    ] = None
    every_s: Annotated[
        float | None, typer.Option(**SPAN, help="Seconds over which a recording's means are taken; default 1.")
    ] = None
    from_s: Annotated[
        float | None,
        typer.Option(min=0.0, max=1e9, help="From which second of the recording on; default 0."),
    ] = None
    seed: Seed = 0
