"""Replay a trace on a placement, request by request, and print the metrics."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import typer

from splitshare.choices import LinkModel, Routing
from splitshare.commands.arguments import (
    SPAN,
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
    perfetto: Annotated[
        Path | None, typer.Option(help="Where a timeline for https://ui.perfetto.dev goes (JSON): stages, queues.")
    ] = None
    from_s: Annotated[
        float | None, typer.Option(min=0.0, max=1e9, help="The timeline from this second of the trace on.")
    ] = None
    until_s: Annotated[float | None, typer.Option(**SPAN, help="The timeline up to this second of the trace.")] = None
    queue: Annotated[
        list[str],
        typer.Option(
            metavar="[DEVICE=]fcfs|ps|priority", help="How devices, or one, serve what waits for them; repeatable."
        ),
    ] = field(default_factory=list)
    priorities: Annotated[
        Path | None, typer.Option(help="Priorities (CSV): by,name,priority; by request, task, model or source.")
    ] = None
    routing: Annotated[Routing, typer.Option(help="Which copies of its modules a request goes to.")] = "plan"
    load_times: Annotated[
        Path | None, typer.Option(help="Load modules as memory allows; what that takes (CSV): device,module,load_s.")
    ] = None
    memory: Annotated[
        list[str],
        typer.Option(metavar="DEVICE=BYTES", help="Memory for modules, where not the instance's; repeatable."),
    ] = field(default_factory=list)
    deadlines: Annotated[
        Path | None, typer.Option(help="When requests are dropped (CSV): by,name,deadline_s; by as for priorities.")
    ] = None
    deadline_s: Annotated[
        float | None, typer.Option(**SPAN, help="Seconds after which no stage of any request starts any more.")
    ] = None
