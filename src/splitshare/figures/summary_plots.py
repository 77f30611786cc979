"""The small plots of the summary page: one a claim, without numbers, the paper's number as a dashed line."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from splitshare.benchmarks.accuracy import in_own_precision
from splitshare.figures.inputs import Inputs
from splitshare.figures.palette import BLUE, PAPER_LINE, RUNS
from splitshare.results.claims_j3o import ONLOADING_RESULTS, PAPER_J3O_SHARE, PAPER_J3O_TIME
from splitshare.results.claims_s2m3 import (
    PAPER_BENCHMARKS,
    PAPER_CLOUD_REDUCTION,
    PAPER_INSTANCES,
    PAPER_MODELS,
    PAPER_OPTIMAL,
    PAPER_SHARE_SAVING,
    PAPER_SPLIT_SAVING,
    PAPER_TASKS,
    gaps_with_prompts_cached,
    models_of,
)
from splitshare.results.cloud import at_cell
from splitshare.results.memory import shared_bytes, split_bytes
from splitshare.results.onloading import RECORD
from splitshare.results.onloading_time import J3O, time_table
from splitshare.results.table import OPTIMALITY_TOLERANCE

Plot = Callable[[Axes, Inputs], None]
LEAST_REDUCTION = -1.0
"""Where bars of the plot of S5 are cut."""


def _bars(axes: Axes, values: pd.Series, paper: float) -> None:
    """A bar each, from the largest."""
    ordered = values.sort_values(ascending=False).to_numpy(dtype=float)
    axes.bar(range(len(ordered)), ordered, color=BLUE, width=0.7)
    axes.axhline(paper, **PAPER_LINE | {"zorder": 3})
    axes.axhline(0, color="black", linewidth=0.5)


def _splitting(axes: Axes, inputs: Inputs) -> None:
    _bars(axes, split_bytes(inputs.catalog, inputs.descriptions())["saving"], PAPER_SPLIT_SAVING)


def _sharing(axes: Axes, inputs: Inputs) -> None:
    table = shared_bytes(inputs.catalog, inputs.descriptions(), inputs.config.workloads)
    _bars(axes, table["saving"][table["models"] > 1], PAPER_SHARE_SAVING)


def _accuracy(axes: Axes, inputs: Inputs) -> None:
    """Split and shared less whole, in points, over what was measured."""
    rows = in_own_precision(inputs.accuracy().rows)
    whole = {(r.benchmark, r.model, r.metric): r for r in rows if r.arrangement == "whole"}
    pairs = [
        (r, whole[key]) for r in rows if (key := (r.benchmark, r.model, r.metric)) in whole and r.arrangement != "whole"
    ]
    for place, (row, own) in enumerate(pairs):
        low, high = 100 * (own.ci_low - own.value), 100 * (own.ci_high - own.value)
        axes.vlines(place, low, high, color="0.5", linewidth=1)
        axes.plot(place, 100 * (row.value - own.value), "o", color=BLUE, markersize=2)
    axes.axhline(0, color="black", linewidth=0.5)


def _optimal(axes: Axes, inputs: Inputs) -> None:
    """The share of optimal placements, a bar a reading."""
    placements = inputs.csv("placements.csv")
    several = placements["workload"].map(models_of(inputs.catalog)) > 1
    greedy = placements["method"] == "s2m3-greedy"
    readings = [
        placements.loc[greedy, "gap"],
        placements.loc[greedy & several, "gap"],
        gaps_with_prompts_cached(placements, inputs.csv("prompt_cache.csv")),
    ]
    shares = [float((gaps <= OPTIMALITY_TOLERANCE).mean()) for gaps in readings if len(gaps)]
    axes.barh(range(len(shares)), shares, color=BLUE, height=0.6)
    axes.invert_yaxis()
    axes.set_xlim(0, 1.02)
    axes.axvline(PAPER_OPTIMAL / PAPER_INSTANCES, **PAPER_LINE | {"zorder": 3})


def _cloud(axes: Axes, inputs: Inputs) -> None:
    grid = inputs.csv("cloud_grid.csv")
    stated = at_cell(grid[grid["models"] == 1], inputs.config.cloud.stated)
    _bars(axes, stated["reduction"].clip(lower=LEAST_REDUCTION), PAPER_CLOUD_REDUCTION)


def _scope(axes: Axes, inputs: Inputs) -> None:
    """Models, tasks and benchmarks as a share of the paper's."""
    models = list(inputs.catalog.models.values())
    counts = (len(models), len({m.task for m in models}), len({b for m in models for b in m.benchmarks}))
    paper = (PAPER_MODELS, PAPER_TASKS, PAPER_BENCHMARKS)
    axes.bar(range(3), [have / want for have, want in zip(counts, paper, strict=True)], color=BLUE, width=0.6)
    axes.axhline(1, **PAPER_LINE | {"zorder": 3})


def _onloading_accuracy(axes: Axes, inputs: Inputs) -> None:
    """Every instance's share of the optimum, from the largest."""
    results = inputs.csv(ONLOADING_RESULTS)
    shares = np.sort(results.loc[results["method"] == J3O, "ratio"].to_numpy(dtype=float))[::-1]
    axes.plot(shares, ".", color=BLUE, markersize=2.5)
    axes.axhline(PAPER_J3O_SHARE, **PAPER_LINE)
    axes.set_ylim(min(0.95, float(shares.min()) - 0.005), 1.003)


def _onloading_time(axes: Axes, inputs: Inputs) -> None:
    """J3O's time as a share of the solver's, against the solver's."""
    table = time_table(inputs.record(RECORD))
    for proved, name in ((True, "proved"), (False, "stopped")):
        part = table[table["proved"] == proved]
        mark = RUNS[name][1] | {"markersize": 2}
        axes.plot(part["highs_s"], part["ratio"], linestyle="none", **mark)
    axes.axhline(PAPER_J3O_TIME, **PAPER_LINE)
    axes.set_xscale("log")
    axes.set_yscale("log")


PLOTS: Mapping[str, Plot] = {
    "S1": _splitting,
    "S2": _sharing,
    "S3": _accuracy,
    "S4": _optimal,
    "S5": _cloud,
    "S6": _scope,
    "J1": _onloading_accuracy,
    "J2": _onloading_time,
}
"""The plot of each claim."""


def plot(name: str, axes: Axes, inputs: Inputs) -> None:
    """Draw the plot of a claim, without numbers and grid."""
    PLOTS[name](axes, inputs)
    axes.set_xticks([], minor=False)
    axes.set_yticks([], minor=False)
    axes.minorticks_off()
    axes.grid(visible=False)
