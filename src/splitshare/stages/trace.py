"""Write a seeded request trace for the request classes of an instance."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import typer

from splitshare.commands.trace import Options
from splitshare.placement.instance import PlacementInstance
from splitshare.replay.arrivals import PROCESSES, process_of
from splitshare.replay.generators import bursty_trace, drawn_trace, poisson_trace, trace_at
from splitshare.replay.public_traces import read_public_trace
from splitshare.replay.recorded import scaled, warped, window
from splitshare.replay.tables import check_table_path
from splitshare.replay.trace_mapping import TraceMapping, map_requests
from splitshare.replay.traces import RequestTrace, write_trace
from splitshare.stages.kinds import needed, refuse

OF_RECORDED = ("mapping", "from_s", "until_s", "sort", "warp")
"""Options that only recorded traces have."""


@dataclass(frozen=True)
class Written:
    """A trace that was written."""

    trace: RequestTrace
    told: tuple[str, ...] = ()
    """What its reader should know of how it was read."""


def run(options: Options) -> Written:
    """Write a seeded request trace.

    Raises:
        InputError: a file or an argument is wrong, missing, or not used by ``kind``.
    """
    check_table_path(options.output)
    instance = PlacementInstance.read(options.instance)
    if options.kind == "recorded":
        written = _recorded(options, instance)
    else:
        for name in OF_RECORDED:
            refuse(options.kind, **{name: getattr(options, name) or None})
        refuse(options.kind, scale_by=None if options.scale_by == "stretch" else options.scale_by)
        written = Written(_drawn(options, instance))
    write_trace(written.trace, options.output)
    if options.plot is not None:
        _draw(written.trace, options.plot)
    return written


def show(written: Written) -> None:
    """Say what was written, and what of it one should know."""
    for line in written.told:
        typer.echo(line)
    trace = written.trace
    count = "1 request" if len(trace) == 1 else f"{len(trace)} requests"
    last_s = float(trace.arrival_s[-1])
    when = f"in {last_s:.6g} s, {trace.mean_rate_per_s:.4g} a second" if last_s > 0 else "at time 0"
    typer.echo(f"{count} {when}")


def _draw(trace: RequestTrace, folder: Path) -> None:
    from splitshare.figures.style import paper_style, save_figure  # half a second to import
    from splitshare.figures.trace_plot import ARRIVALS, trace_figure

    with paper_style():
        save_figure(trace_figure(trace), folder, ARRIVALS)


def _drawn(options: Options, instance: PlacementInstance) -> RequestTrace:
    kind, seed = options.kind, options.seed
    if kind == "bursty":
        refuse(kind, parameter=options.parameters or None)
        return bursty_trace(
            needed(kind, "arrivals", options.arrivals),
            instance,
            needed(kind, "rate_per_s", options.rate_per_s),
            requests=options.requests,
            horizon_s=options.horizon_s,
            seed=options.seed,
        )
    refuse(kind, arrivals=options.arrivals)
    if kind == "at-once":
        refuse(kind, rate_per_s=options.rate_per_s, horizon_s=options.horizon_s)
        needed(kind, "requests", options.requests)
    rate_per_s = 1.0 if kind == "at-once" else needed(kind, "rate_per_s", options.rate_per_s)
    if kind == "poisson":
        refuse(kind, parameter=options.parameters or None)
        return poisson_trace(instance, rate_per_s, requests=options.requests, horizon_s=options.horizon_s, seed=seed)
    assert kind in PROCESSES
    process = process_of(kind, options.parameters)
    return drawn_trace(
        instance, process, rate_per_s, requests=options.requests, horizon_s=options.horizon_s, seed=seed, kind=kind
    )


def _recorded(options: Options, instance: PlacementInstance) -> Written:
    kind = options.kind
    refuse(kind, horizon_s=options.horizon_s, parameter=options.parameters or None)
    path = needed(kind, "arrivals", options.arrivals)
    rows = window(read_public_trace(path, sort=options.sort), path, options.from_s, options.until_s, options.requests)
    told = list(rows.told)
    if options.warp is not None:
        rows, how = warped(rows, options.warp)
        told.append(how)
    if options.rate_per_s is not None:
        rows, how = scaled(rows, options.rate_per_s, options.scale_by, options.seed)
        told.append(how)
    if options.mapping is None:
        return Written(trace_at(instance, rows.arrival_s, seed=options.seed, kind=rows.format.name), tuple(told))
    mapping = TraceMapping.read(options.mapping)
    trace, more = map_requests(
        rows, instance, mapping, source=str(options.mapping), seed=options.seed, kind=rows.format.name
    )
    return Written(trace, (*told, *more))
