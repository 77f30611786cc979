"""Replay a trace on worker processes over shaped links, or on real devices."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import typer

from splitshare.choices import EmulatedLinks, EmulatedNetwork, MemoryLimits, OnFailure
from splitshare.commands.arguments import (
    NETWORK_HELP,
    AnswerFile,
    AnyLinks,
    BatchCurvesFile,
    CatalogRoot,
    Compute,
    Device,
    InstanceFile,
    LinkChangesFile,
    MaxBatch,
    Output,
    TraceFile,
)
from splitshare.places import DATA
from splitshare.ranges import MOST_WAIT_S


@dataclass(frozen=True)
class Options:
    """Options of ``splitshare emulate``."""

    instance: InstanceFile
    placement: AnswerFile
    trace: TraceFile
    output: Output
    stages_output: Annotated[Path | None, typer.Option("--stages", help="Where the stages of every request go.")] = None
    report_output: Annotated[
        Path | None, typer.Option("--report", help="Where links, losses and recoveries go (JSON).")
    ] = None
    runs_output: Annotated[Path | None, typer.Option("--runs", help="Where wall and CPU times of real modules go.")] = (
        None
    )
    network: Annotated[EmulatedNetwork | None, typer.Option(help=NETWORK_HELP, show_default="proxy")] = None
    link_model: Annotated[EmulatedLinks, typer.Option(help="What links share.")] = "serial"
    compute: Compute = "recorded"
    torch_device: Device = "cpu"
    limits: Annotated[MemoryLimits, typer.Option(help="Memory: control groups, or what modules declare.")] = "auto"
    faults: Annotated[list[str], typer.Option("--fault", help="Such as kill:DEVICE@5 or cut:A--B@5; repeatable.")] = (
        field(default_factory=list)
    )
    on_failure: Annotated[OnFailure, typer.Option(help="What follows a lost device.")] = "drop"
    algorithm: Annotated[str, typer.Option(help="Places anew after a loss.")] = "s2m3-greedy"
    any_links: AnyLinks = False
    all_links: Annotated[
        bool, typer.Option(help="Measure every link before the replay, not only those that the placement uses.")
    ] = False
    deadline_s: Annotated[
        float,
        typer.Option(
            min=0.001, max=MOST_WAIT_S, help="A request that is not answered within so many seconds has failed."
        ),
    ] = 60.0
    testbed_file: Annotated[
        Path | None, typer.Option("--workers", help="Addresses of workers that run already (YAML).")
    ] = None
    max_batch: MaxBatch = 1
    batch_curves: BatchCurvesFile = None
    link_changes: LinkChangesFile = None
    catalog_root: CatalogRoot = DATA
