"""Fetch benchmarks from the hub into the directory OUTPUT; run again to go on after a failure."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import typer

from splitshare.choices import BenchmarkParts
from splitshare.commands.arguments import COUNT, CatalogRoot, OutputFolder, PinsPath, Seed
from splitshare.places import DATA, HUB_PINS


@dataclass(frozen=True)
class Options:
    """Options of ``splitshare benchmarks``."""

    output: OutputFolder = Path("results/benchmarks")
    names: Annotated[list[str], typer.Argument(metavar="NAME...", help="Which; default all.")] = field(
        default_factory=list
    )
    part: Annotated[BenchmarkParts, typer.Option(help="What is judged, what heads learn from.")] = "both"
    samples: Annotated[int | None, typer.Option(**COUNT, help="Seeded subset; default whole splits.")] = None
    lock: Annotated[Path | None, typer.Option(help="File of digests; default OUTPUT/benchmarks.lock.json.")] = None
    seed: Seed = 0
    pins: PinsPath = HUB_PINS
    check: Annotated[
        bool, typer.Option("--check", help="Download nothing: tell commits, sizes, licences and what is missing.")
    ] = False
    table: Annotated[Path | None, typer.Option("--table", help="With --check: keep what it tells (CSV).")] = None
    catalog_root: CatalogRoot = DATA
