"""Find how much of links and processors a plan should use up: replayed accuracy in time, by limit and load."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import typer

from splitshare.commands.onloading.headroom import Options
from splitshare.errors import InputError, WorkError
from splitshare.onloading.arrays import arrays_of
from splitshare.onloading.contract import load
from splitshare.onloading.headroom import best_limits, limited
from splitshare.onloading.instance import OnloadingInstance
from splitshare.onloading.objective import hosts_of, offloading_of
from splitshare.onloading.run import solve
from splitshare.progress import track
from splitshare.replay.onloading import draw_queries, replay, summary
from splitshare.results.write import write_csv

LIMITS = (0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.95)
LOADS = (0.8, 1.0, 1.1)


@dataclass(frozen=True)
class Found:
    """The best limits, and what they were found from."""

    best: pd.DataFrame
    table: pd.DataFrame


def run(options: Options) -> Found:
    """Write ``replays.csv``, a row a limit, load and seed, and ``best.csv``, a row a load, into ``output``.

    Raises:
        InputError: the instance or an option is wrong.
        WorkError: the algorithm finds nothing.
    """
    if options.warm_up_s >= options.horizon_s:
        problem = f"leaves nothing of {options.horizon_s:g} s; take less"
        raise InputError("--warm-up-s", f"{options.warm_up_s:g}", problem)
    instance, algorithm = OnloadingInstance.read(options.instance), load(options.algorithm)
    limits = sorted({*(options.limits or LIMITS), 1.0})
    loads = sorted(set(options.loads or LOADS))
    # The replay has all of every link and processor: what the plan leaves free is there.
    whole = arrays_of(limited(instance, None))
    rows = []
    for limit in track(limits, "planning and replaying", total=len(limits)):
        planned = limited(instance, limit)
        decision = solve(planned, algorithm, seed=options.seed)
        if decision.onloading is None or decision.offloading is None:
            raise WorkError(f"{algorithm.name} on {instance.name}: {decision.status} ({decision.reason or 'nothing'})")
        arrays = arrays_of(planned)
        hosts, offloading = hosts_of(planned, decision.onloading), offloading_of(arrays, decision.offloading)
        for share in loads:
            for seed in range(options.seed, options.seed + options.seeds):
                queries = draw_queries(whole, offloading, load=share, horizon_s=options.horizon_s, seed=seed)
                table = replay(whole, hosts, queries)
                counted = table[table["arrival_s"] >= options.warm_up_s]
                if counted.empty:
                    raise WorkError(f"no query comes after {options.warm_up_s:g} s; give a longer --horizon-s")
                rows.append(
                    {"utilisation": limit, "load": share, "seed": seed, "planned_accuracy": decision.objective}
                    | summary(counted)
                )
    found = pd.DataFrame(rows)
    best = best_limits(found)
    write_csv(found, options.output / "replays.csv")
    write_csv(best, options.output / "best.csv")
    if options.plot is not None:
        _draw(found, options.plot)
    return Found(best, found)


def show(found: Found) -> None:
    """A row a load."""
    typer.echo(found.best.to_string(index=False, float_format=lambda value: f"{value:.4f}"))


def _draw(table: pd.DataFrame, folder: Path) -> None:
    from splitshare.figures.headroom_plot import HEADROOM, headroom_figure  # half a second to import
    from splitshare.figures.style import paper_style, save_figure

    with paper_style():
        save_figure(headroom_figure(table), folder, HEADROOM)
