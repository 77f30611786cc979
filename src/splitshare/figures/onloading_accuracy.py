"""Accuracy of every onloading method against the optimum, over the suite (claim J1)."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from splitshare.figures.declaration import Declaration
from splitshare.figures.inputs import Inputs
from splitshare.figures.palette import ONLOADING_METHODS, PAPER_LINE, method_key
from splitshare.figures.sizes import PAGE_WIDTH_IN
from splitshare.figures.style import paper_style, save_figure, save_table
from splitshare.results.claims_j3o import PAPER_J3O_SHARE

DECLARATION = Declaration(
    name="onloading-accuracy",
    category="Onloading",
    inputs=("onloading/results.csv",),
    tables=("onloading_accuracy",),
    drawn=("onloading_accuracy",),
    caption="What the accuracy of every onloading method misses of the optimum; numbers of instances in brackets.",
    takeaway=(
        "J3O stands at the optimum or next to it on every size; simple methods lose more, the more is to be decided."
    ),
    claim="J1",
)

NAME = "onloading_accuracy"
LEAST_GAP = 0.01
"""In percent; what is less is drawn there."""
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
    )
    with paper_style():
        save_figure(_figure(results), output, NAME)


def _figure(results: pd.DataFrame) -> Figure:
    """A mark an instance, a row a method, a panel a size: what is missing to the optimum, on a logarithmic axis."""
    sizes = sorted(dict.fromkeys(results["size"]), key=_size_rank)
    methods = [m for m in ONLOADING_METHODS if m != "optimum" and (results["method"] == m).any()]
    figure = Figure(figsize=(PAGE_WIDTH_IN, 1.25 + 0.21 * len(methods)))
    panels = figure.subplots(1, len(sizes), sharey=True, squeeze=False)[0]
    for axes, size in zip(panels, sizes, strict=True):
        part = results[results["size"] == size]
        for position, method in enumerate(methods):
            gaps = (100 * (1 - part.loc[part["method"] == method, "ratio"])).clip(lower=LEAST_GAP)
            colour = ONLOADING_METHODS[method][1]
            axes.plot(gaps, [position] * len(gaps), "|", color=colour, markersize=6)
            axes.plot(gaps.mean(), position, "o", color=colour, markersize=4.5, markeredgecolor="white", zorder=3)
        axes.axvline(100 * (1 - PAPER_J3O_SHARE), **PAPER_LINE)
        axes.set_title(f"{_title(size)} ({part['instance'].nunique()})")
        axes.set_yticks(range(len(methods)), [ONLOADING_METHODS[m][0] for m in methods])
        axes.set_xscale("log")
        axes.set_xlim(LEAST_GAP * 0.6, 150)
        axes.set_xticks([LEAST_GAP, 1, 100], [f"≤{LEAST_GAP:g}", "1", "100"])
        axes.minorticks_off()
    panels[0].invert_yaxis()
    panels[len(panels) // 2].set_xlabel("Accuracy missing to the optimum,\nor to its best proved bound (%)")
    handles = [
        Line2D([], [], marker="|", markersize=6, linestyle="none", color="black"),
        Line2D([], [], marker="o", markersize=4.5, linestyle="none", color="black"),
        Line2D([], [], **PAPER_LINE),
    ]
    labels = ["an instance", "mean", f"the paper: J3O within {1 - PAPER_J3O_SHARE:.0%}"]
    figure.legend(handles, labels, loc="outside lower center", ncols=3)
    return figure


def _title(size: str) -> str:
    zoo, _, rest = size.partition("-")
    return f"{zoo.capitalize()},\n{rest}" if rest else size.capitalize()
