"""Measure modules on this machine, each in a process of its own."""

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
    Output,
    Precision,
    Seed,
    Threads,
)
from splitshare.places import DATA
from splitshare.ranges import LONGEST_RUN_S


@dataclass(frozen=True)
class Options:
    """Options of ``splitshare profile``."""

    output: Output
    modules: ModuleNames = field(default_factory=list)
    budget_s: Budget = None
    longest_run_s: LongestRun = LONGEST_RUN_S
    threads: Threads = None
    torch_device: Device = "cpu"
    device_name: Annotated[str, typer.Option(help="What the profile calls this machine.")] = "this-machine"
    seed: Seed = 0
    precision: Precision = None
    catalog_root: CatalogRoot = DATA
