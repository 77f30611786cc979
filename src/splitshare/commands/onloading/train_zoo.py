"""Train, judge and time the models of the trained zoo on this machine."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from splitshare.catalog.paths import EMBEDDED
from splitshare.commands.arguments import THREADS, WAIT, CatalogRoot, Device, Output


@dataclass(frozen=True)
class Options:
    """Options of ``splitshare onloading train-zoo``."""

    output: Output
    work: Annotated[Path, typer.Option(help="Directory of finished models; a later run goes on from there.")]
    threads: Annotated[int, typer.Option(**THREADS, help="Torch threads while models are timed.")] = 1
    budget_s: Annotated[float, typer.Option(**WAIT, help="Seconds of timed runs for each batch.")] = 1.0
    torch_device: Device = "cpu"
    catalog_root: CatalogRoot = EMBEDDED
