"""Measure this quiet machine and keep its profile as a device type in the directory OUTPUT."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated

import typer

from splitshare.commands.arguments import (
    Budget,
    CatalogRoot,
    Device,
    LongestRun,
    ModuleNames,
    OutputFolder,
    Precision,
    Threads,
)
from splitshare.places import DATA
from splitshare.ranges import LONGEST_RUN_S

BUSIEST_SHARE = 0.15
"""Share of the processors' time that other work may take (ours: a quiet machine's own services take a few percent)."""


@dataclass(frozen=True)
class Options:
    """Options of ``splitshare record-profile``."""

    output: OutputFolder
    modules: ModuleNames = field(default_factory=list)
    budget_s: Budget = None
    longest_run_s: LongestRun = LONGEST_RUN_S
    threads: Threads = None
    torch_device: Device = "cpu"
    device_name: Annotated[str | None, typer.Option(help="Device type; default: after the processor.")] = None
    busiest_share: Annotated[
        float, typer.Option(min=0.0, max=1.0, help="Share of the processors that other work may take.")
    ] = BUSIEST_SHARE
    precision: Precision = None
    catalog_root: CatalogRoot = DATA
