"""How often and by how much the greedy misses the optimum (claim S4)."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from splitshare.figures.declaration import Declaration
from splitshare.figures.inputs import Inputs
from splitshare.figures.style import (
    COLUMN_WIDTH_IN,
    METHODS,
    legend_below,
    method_key,
    methods_among,
    paper_style,
    save_figure,
    save_table,
)

DECLARATION = Declaration(
    name="optimality",
    category="Optimality",
    inputs=("placements.csv",),
    tables=("optimality",),
    drawn=("optimality",),
    caption="Share of the instances whose gap to the proved optimum is at most so much.",
    takeaway=(
        "The greedy is optimal on every instance; sequential routing costs latency on most, and one device "
        "alone often cannot hold a workload."
    ),
    claim="S4",
)

NAME = "optimality"
DRAWN = ("s2m3-greedy", "sequential-routing", "no-sharing", "local")


def optimality_table(placements: pd.DataFrame) -> pd.DataFrame:
    """One row a method and testbed (and over all): instances, placed, optimal, mean and largest gap to the optimum.

    ``optimal`` counts placements within 1e-6 of the proved optimum; an instance without a placement counts as not
    optimal. The gap of a method that changes the instance may be negative.
    """
    heuristics = placements[~placements["method"].str.startswith("optimum")]
    groups = [("(all)", heuristics), *heuristics.groupby("testbed", sort=False)]
    rows = []
    for testbed, part in groups:
        for method, results in part.groupby("method", sort=False):
            rows.append(
                {
                    "testbed": testbed,
                    "method": method,
                    "instances": len(results),
                    "placed": int(results["objective_s"].notna().sum()),
                    "optimal": int((results["gap"].abs() <= 1e-6).sum()),
                    "mean_gap": results["gap"].mean(),
                    "largest_gap": results["gap"].max(),
                }
            )
    return pd.DataFrame(rows)


def draw(inputs: Inputs, output: Path) -> None:
    """Write the table ``optimality`` and the figure of the distribution of gaps."""
    placements = inputs.csv("placements.csv")
    save_table(optimality_table(placements), output, NAME, caption="Optimal placements and gaps by method and testbed.")
    with paper_style():
        save_figure(_figure(placements), output, NAME)


def _figure(placements: pd.DataFrame) -> Figure:
    """Share of instances (vertical) whose gap is at most so much (horizontal), a line a method."""
    figure = Figure(figsize=(COLUMN_WIDTH_IN, 2.5))
    axes = figure.subplots()
    keys = placements["method"].map(method_key)
    drawn = {m: style for m, style in methods_among(keys).items() if m in DRAWN or m not in METHODS}
    for method, (title, colour, _) in drawn.items():
        gaps = placements.loc[keys == method, "gap"].sort_values()
        share = [(i + 1) / len(gaps) for i in range(len(gaps))]
        placed = gaps.notna().to_numpy()
        axes.step(
            gaps[placed] * 100,
            [s for s, p in zip(share, placed, strict=True) if p],
            where="post",
            marker="." if placed.sum() == 1 else "",  # one point is no step
            color=colour,
            label=title,
        )
    axes.set_xscale("symlog", linthresh=1.0)
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.set_xlabel("Gap to the proved optimum (%), at most")
    axes.set_ylabel("Share of the instances")
    axes.set_ylim(0, 1.02)
    legend_below(figure, axes, columns=2)
    return figure
