"""Replay a trace on a placement, request by request, and print the metrics."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from splitshare.choices import LinkModel
from splitshare.commands.arguments import (
    AnswerFile,
    BatchCurvesFile,
    InstanceFile,
    LinkChangesFile,
    MaxBatch,
    Output,
    TraceFile,
)


@dataclass(frozen=True)
class Options:
    """Options of ``splitshare simulate``."""

    instance: InstanceFile
    placement: AnswerFile
    trace: TraceFile
    output: Output
    stages_output: Annotated[Path | None, typer.Option("--stages", help="Where the stages of every request go.")] = None
    link_model: Annotated[LinkModel, typer.Option(help="How transfers delay each other.")] = "serial"
    max_batch: MaxBatch = 1
    batch_curves: BatchCurvesFile = None
    link_changes: LinkChangesFile = None
