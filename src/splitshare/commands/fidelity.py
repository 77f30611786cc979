"""Replay the same requests emulated and simulated; tables into the directory OUTPUT."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from splitshare.commands.arguments import (
    COUNT,
    AnyLinks,
    CatalogRoot,
    Compute,
    InstanceFiles,
    MaxBatch,
    Network,
    OutputFolder,
    Placements,
    Seed,
)
from splitshare.places import DATA


@dataclass(frozen=True)
class Options:
    """Options of ``splitshare fidelity``."""

    instances: InstanceFiles
    output: OutputFolder
    placements: Placements
    method: Annotated[str, typer.Option(help="Method whose placements are replayed.")]
    network: Network = "proxy"
    load: Annotated[float, typer.Option(min=0.01, max=0.95, help="Utilisation of the busiest device or link.")] = 0.4
    requests: Annotated[int, typer.Option(**COUNT, help="Requests of each trace, for each request class.")] = 30
    least_requests: Annotated[int, typer.Option(**COUNT, help="Requests of each trace at least.")] = 1
    repeats: Annotated[int, typer.Option(**COUNT, help="Emulated runs of each trace.")] = 1
    compute: Compute = "recorded"
    any_links: AnyLinks = False
    crash: Annotated[str | None, typer.Option(help="Device to kill in a further run of the last instance.")] = None
    crashes: Annotated[int, typer.Option(**COUNT, help="How often, each time with other requests.")] = 1
    max_batch: MaxBatch = 1
    batch_curves: Annotated[Path | None, typer.Option(help="Directory of <instance>.json from `batch-curves`.")] = None
    seed: Seed = 0
    catalog_root: CatalogRoot = DATA
