"""Find how much load placements stand: the highest rate at which requests keep their latency limits."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import typer

from splitshare.commands.capacity import Options
from splitshare.errors import InputError
from splitshare.placement.instance import PlacementInstance
from splitshare.placement.pairs import read_replayable
from splitshare.progress import track
from splitshare.replay.arrivals import process_of
from splitshare.replay.capacity import DrawTrace, Knee, LoadedSystem, knee, load_curve
from splitshare.replay.generators import drawn_trace, poisson_trace
from splitshare.results.write import write_csv


@dataclass(frozen=True)
class Found:
    """What a placement stands."""

    method: str
    knee: Knee


def run(options: Options) -> list[Found]:
    """Find each placement's knee, and write the load curves into ``output`` (``load.csv``, ``knees.csv``).

    Raises:
        InputError: a file or an option is wrong, or two placements are of one method.
        WorkError: no rate is too high for a placement.
    """
    read = [(*read_replayable(options.instance, path), path) for path in options.placements]
    names = _names(options.placements)
    found: list[Found] = []
    curves: list[pd.DataFrame] = []
    for (instance, _, worth, _), name in track(
        list(zip(read, names, strict=True)), "loading placements", total=len(read)
    ):
        system = LoadedSystem(
            instance, worth.routes, _draw(options, instance), options.limit_factor, options.link_model
        )
        own = knee(system, attainment=options.attainment, seeds=range(options.seeds))
        found.append(Found(name, own))
        curves.append(load_curve(system, own, range(options.seeds)).assign(placement=name))
    table = pd.concat(curves, ignore_index=True)
    table.insert(0, "placement", table.pop("placement"))
    write_csv(table, options.output / "load.csv")
    write_csv(pd.DataFrame([_row(one, options) for one in found]), options.output / "knees.csv")
    if options.plot is not None:
        _plot(table, found, options)
    return found


def show(found: list[Found]) -> None:
    """A line a placement, the one that stands most first."""
    for one in sorted(found, key=lambda one: -one.knee.rate_per_s):
        own = one.knee
        typer.echo(
            f"{one.method}: {own.rate_per_s:.4g} requests/s in time (95% interval {own.low:.4g} to {own.high:.4g}); "
            f"the {own.bottleneck} serves {own.holds_per_s:.4g}"
        )


def _draw(options: Options, instance: PlacementInstance) -> DrawTrace:
    if options.kind == "poisson":
        if options.parameters:
            raise InputError("--parameter", options.parameters[0], "is no parameter of poisson; it has none")
        return lambda rate, seed: poisson_trace(instance, rate, requests=options.requests, seed=seed)
    process = process_of(options.kind, options.parameters)
    return lambda rate, seed: drawn_trace(
        instance, process, rate, requests=options.requests, seed=seed, kind=options.kind
    )


def _names(paths: list[Path]) -> list[str]:
    """The files' names, which the tables tell placements apart by."""
    names = [path.stem for path in paths]
    for i, name in enumerate(names):
        if name in names[:i]:
            raise InputError(paths[i], "", f"another placement's file is called {name!r} too; rename one")
    return names


def _row(one: Found, options: Options) -> dict[str, object]:
    return {
        "placement": one.method,
        "knee_per_s": one.knee.rate_per_s,
        "knee_low": one.knee.low,
        "knee_high": one.knee.high,
        "holds_per_s": one.knee.holds_per_s,
        "bottleneck": one.knee.bottleneck,
        "kind": options.kind,
        "limit_factor": options.limit_factor,
        "attainment": options.attainment,
        "requests": options.requests,
        "seeds": options.seeds,
        "link_model": options.link_model,
    }


def _plot(table: pd.DataFrame, found: list[Found], options: Options) -> None:
    from splitshare.figures.load_plot import LOAD, load_figure  # half a second to import
    from splitshare.figures.style import paper_style, save_figure

    assert options.plot is not None
    with paper_style():
        knees = {one.method: one.knee.rate_per_s for one in found}
        save_figure(load_figure(table, knees, options.attainment), options.plot, LOAD)
