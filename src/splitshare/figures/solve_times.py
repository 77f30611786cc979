"""What placements take to find, and optima to prove, on the machine where the baselines were recorded (claim S4)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from splitshare.figures.declaration import Declaration
from splitshare.figures.inputs import Inputs
from splitshare.figures.palette import BASELINES, SOLVERS
from splitshare.figures.sizes import PAGE_WIDTH_IN
from splitshare.figures.style import legend_below, paper_style, save_figure, save_table
from splitshare.jsonl import read_lines
from splitshare.placement.instance import PlacementInstance
from splitshare.results.baselines import read_baselines

DECLARATION = Declaration(
    name="solve-times",
    category="Optimality",
    records=(
        "placements.parquet",
        "proofs.csv",
        "instances/s2m3.jsonl",
        "instances/random-tuning.jsonl",
        "instances/random-test.jsonl",
    ),
    tables=("solve_times", "solve_scaling"),
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
    caption=(
        "Seconds that a method takes for an instance: over the instances of the paper's setting (left), and by the "
        "size of an instance, modules times devices, over these and the random ones (right, medians)."
    ),
    takeaway=(
        "Heuristics that build a placement take a few milliseconds at most; a proof takes longer than they do, and "
        "less time than simulated annealing, at every size that was recorded."
    ),
)

NAME, SCALING = "solve_times", "solve_scaling"
INSTANCES = DECLARATION.records[2:]
SIZES = (0, 6, 12, 24, 48, 96)
"""Bounds of the groups of instances by modules times devices."""
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


def scaling_table(runs: pd.DataFrame, sizes: Mapping[str, int]) -> pd.DataFrame:
    """One row a method and group of instances by size: how many, their mean size, median seconds of a run.

    Args:
        runs: as ``solve_times`` gives them.
        sizes: modules times devices, by instance.
    """
    size = runs["instance"].map(sizes)
    grouped = runs.assign(size=size, group=pd.cut(size, SIZES).astype(str)).groupby(["method", "group"], as_index=False)
    return grouped.agg(instances=("instance", "nunique"), size=("size", "mean"), median_s=("seconds", "median"))


def draw(inputs: Inputs, output: Path) -> None:
    """Write the tables ``solve_times`` and ``solve_scaling``, and the figure of both."""
    recorded = read_baselines(inputs.recorded("placements.parquet"))
    runs = solve_times(recorded, inputs.record("proofs.csv"))
    save_table(times_table(runs), output, NAME)
    instances = [i for name in INSTANCES for i in read_lines(PlacementInstance, inputs.recorded(name))]
    scaling = scaling_table(runs, {i.name: len(i.modules) * len(i.devices) for i in instances})
    save_table(scaling, output, SCALING)
    with paper_style():
        save_figure(_figure(runs[runs["family"] == FAMILY], scaling), output, NAME)


def _figure(runs: pd.DataFrame, scaling: pd.DataFrame) -> Figure:
    """Left, the share of runs that take at most so long; right, seconds by size; a line a method."""
    figure = Figure(figsize=(PAGE_WIDTH_IN, 2.8))
    left, right = figure.subplots(1, 2)
    solvers = {f"optimum, {solver}": line for solver, line in SOLVERS.items()}
    for method in (*DRAWN, *solvers):
        seconds = np.sort(runs.loc[runs["method"] == method, "seconds"].to_numpy(dtype=float))
        if not len(seconds):
            continue
        title, line = solvers.get(method) or BASELINES[method]
        left.step(seconds, np.arange(1, len(seconds) + 1) / len(seconds), where="post", label=title, **line)
        part = scaling[scaling["method"] == method].sort_values("size")
        right.plot(part["size"], part["median_s"], marker=".", markersize=4, **line)
    left.set_xscale("log")
    left.set_xlabel("Seconds to place an instance, at most")
    left.set_ylabel(f"Share of the {runs['instance'].nunique()} instances")
    left.set_ylim(0, 1.02)
    right.set_xscale("log", base=2)
    right.set_yscale("log")
    right.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    right.set_xlabel("Size of the instance (modules × devices)")
    right.set_ylabel("Median seconds")
    legend_below(figure, left, columns=3)
    return figure
