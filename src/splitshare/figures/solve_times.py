"""What placements take to find, and optima to prove, on the machine where the baselines were recorded (claim S4)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from splitshare.figures.declaration import Declaration
from splitshare.figures.inputs import Inputs
from splitshare.figures.palette import BASELINES, SOLVERS
from splitshare.figures.sizes import COLUMN_WIDTH_IN
from splitshare.figures.style import legend_below, paper_style, save_figure, save_table
from splitshare.results.baselines import read_baselines

DECLARATION = Declaration(
    name="solve-times",
    category="Optimality",
    records=("placements.parquet", "proofs.csv"),
    tables=("solve_times",),
    printed={
        "solve_times": {
            "family": "Family",
            "method": "Method",
            "runs": "Runs",
            "median_s": ("Median (ms)", 1000.0),
            "p90_s": ("p90 (ms)", 1000.0),
            "longest_s": ("Longest (ms)", 1000.0),
        }
    },
    drawn=("solve_times",),
    caption="Seconds that a method takes for an instance, recorded on the machine that the table names.",
    takeaway=(
        "Heuristics that build a placement take a few milliseconds at most; a proof takes longer than they do, and "
        "less time than simulated annealing."
    ),
)

NAME = "solve_times"
FAMILY = "s2m3"
DRAWN = ("s2m3-greedy", "heft", "greedy-local-search", "simulated-annealing")


def solve_times(recorded: pd.DataFrame, proofs: pd.DataFrame) -> pd.DataFrame:
    """One row a run: family, method, instance, seconds (building and solving), machine.

    Args:
        recorded: recorded baselines; their optimum is left out in favour of ``proofs``.
        proofs: what each solver's proof of each optimum took.
    """
    heuristics = recorded[recorded["method"] != "optimum"]
    exact = proofs.assign(method="optimum, " + proofs["solver"])
    runs = pd.concat([exact, heuristics], ignore_index=True)
    return runs.assign(seconds=runs["build_s"] + runs["solve_s"])[
        ["family", "method", "instance", "seconds", "machine"]
    ]


def times_table(runs: pd.DataFrame) -> pd.DataFrame:
    """One row a family and method: runs, seconds (median, 90th percentile, longest, all instances once)."""
    rows = []
    for (family, method, machine), part in runs.groupby(["family", "method", "machine"], sort=False):
        seconds = part["seconds"].to_numpy(dtype=float)
        rows.append(
            {
                "family": family,
                "method": method,
                "runs": len(seconds),
                "median_s": np.median(seconds),
                "p90_s": np.percentile(seconds, 90),
                "longest_s": seconds.max(),
                "all_instances_s": part.groupby("instance")["seconds"].mean().sum(),
                "machine": machine,
            }
        )
    return pd.DataFrame(rows).sort_values(["family", "all_instances_s"], kind="stable", ignore_index=True)


def draw(inputs: Inputs, output: Path) -> None:
    """Write the table ``solve_times`` and the figure of how many instances are solved within so many seconds."""
    recorded = read_baselines(inputs.recorded("placements.parquet"))
    runs = solve_times(recorded, inputs.record("proofs.csv"))
    save_table(times_table(runs), output, NAME)
    with paper_style():
        save_figure(_figure(runs[runs["family"] == FAMILY]), output, NAME)


def _figure(runs: pd.DataFrame) -> Figure:
    """Share of runs (vertical) that take at most so long (horizontal), a line a method."""
    figure = Figure(figsize=(COLUMN_WIDTH_IN, 2.6))
    axes = figure.subplots()
    solvers = {f"optimum, {solver}": line for solver, line in SOLVERS.items()}
    for method in (*DRAWN, *solvers):
        seconds = np.sort(runs.loc[runs["method"] == method, "seconds"].to_numpy(dtype=float))
        if not len(seconds):
            continue
        title, line = solvers.get(method) or BASELINES[method]
        axes.step(seconds, np.arange(1, len(seconds) + 1) / len(seconds), where="post", label=title, **line)
    axes.set_xscale("log")
    axes.set_xlabel("Seconds to place an instance, at most")
    axes.set_ylabel("Share of the 95 instances")
    axes.set_ylim(0, 1.02)
    legend_below(figure, axes, columns=2)
    return figure
