"""Accuracy of every onloading method against the optimum, over the suite (claim J1)."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from splitshare.figures.declaration import Declaration
from splitshare.figures.inputs import Inputs
from splitshare.figures.style import (
    COLUMN_WIDTH_IN,
    ONLOADING_METHODS,
    method_key,
    paper_style,
    save_figure,
    save_table,
)

DECLARATION = Declaration(
    name="onloading-accuracy",
    category="Onloading",
    inputs=("onloading/results.csv",),
    tables=("onloading_accuracy",),
    drawn=("onloading_accuracy",),
    caption="Accuracy of every onloading method as a share of the optimum; dots are means.",
    takeaway=(
        "J3O stands at the optimum or next to it on every size; simple methods lose more, the more is to be decided."
    ),
    claim="J1",
)

NAME = "onloading_accuracy"
SIZES = ("small", "medium", "large")


def accuracy_table(results: pd.DataFrame) -> pd.DataFrame:
    """A row a method and size (and over all): accuracy as a share of the reference, queries unserved, gap to the bound.

    The reference is the proved optimum, or the least proved bound where none was proved in time (``proved`` of the
    ``instances``), which makes the shares lower bounds there. ``bound_gap`` is the gap that a method's own bound proves
    without a solver.
    """
    rows = []
    for size, part in [("(all)", results), *results.groupby("size", sort=False)]:
        for method, group in part.groupby("method", sort=False):
            rows.append(
                {
                    "size": size,
                    "method": method,
                    "instances": len(group),
                    "proved": int(group["proved"].sum()),
                    "mean_share": group["ratio"].mean(),
                    "worst_share": group["ratio"].min(),
                    "optimal": int((group["ratio"] >= 1 - 1e-4).sum()),
                    "mean_unserved": group["unserved"].mean(),
                    "mean_bound_gap": (1 - group["objective"] / group["bound"]).mean(),
                }
            )
    table = pd.DataFrame(rows)
    order = {method: i for i, method in enumerate(ONLOADING_METHODS)}
    return table.sort_values(
        ["size", "method"],
        key=lambda c: c.map(lambda v: order.get(method_key(v), 99)) if c.name == "method" else c.map(_size_rank),
        kind="stable",
    ).reset_index(drop=True)


def _size_rank(size: str) -> int:
    return SIZES.index(size) if size in SIZES else -1 if size == "(all)" else len(SIZES)


def draw(inputs: Inputs, output: Path) -> None:
    """Write the table and the figure ``onloading_accuracy``."""
    results = inputs.csv("onloading/results.csv")
    save_table(
        accuracy_table(results),
        output,
        NAME,
        caption="Accuracy as a share of the optimum (of the best proved bound where no optimum is proved).",
    )
    with paper_style():
        save_figure(_figure(results), output, NAME)


def _figure(results: pd.DataFrame) -> Figure:
    """A dot an instance, a row a method, a panel a size."""
    sizes = [size for size in dict.fromkeys(results["size"]) if size in SIZES]
    methods = [m for m in ONLOADING_METHODS if m != "optimum" and (results["method"] == m).any()]
    figure = Figure(figsize=(2 * COLUMN_WIDTH_IN, 0.6 + 0.22 * len(methods)))
    for axes, size in zip(figure.subplots(1, len(sizes), sharey=True, squeeze=False)[0], sizes, strict=True):
        part = results[results["size"] == size]
        for position, method in enumerate(methods):
            shares = part.loc[part["method"] == method, "ratio"] * 100
            colour = ONLOADING_METHODS[method][1]
            axes.plot(shares, [position] * len(shares), "|", color=colour, markersize=7, alpha=0.7)
            axes.plot(shares.mean(), position, "o", color=colour, markersize=4, markeredgecolor="white", zorder=3)
        axes.axvline(97, color=ONLOADING_METHODS["optimum"][1], linewidth=0.8, linestyle=":")
        axes.set_title(f"{size.capitalize()} instances")
        axes.set_yticks(range(len(methods)), [ONLOADING_METHODS[m][0] for m in methods])
        axes.set_xlim(-2, 102)
        axes.set_xlabel("Accuracy (% of the optimum)")
        axes.invert_yaxis()
    return figure
