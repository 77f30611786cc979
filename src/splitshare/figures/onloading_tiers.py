"""Where queries are served, client, edge or cloud, as load and the skew of demand vary."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from splitshare.figures.declaration import Declaration
from splitshare.figures.inputs import Inputs
from splitshare.figures.palette import ONLOADING_METHODS, TIERS
from splitshare.figures.sizes import PAGE_WIDTH_IN
from splitshare.figures.style import paper_style, save_figure, save_table

DECLARATION = Declaration(
    name="onloading-tiers",
    category="Onloading",
    inputs=("onloading/sweep.csv",),
    tables=("onloading_tiers",),
    drawn=("onloading_tiers",),
    caption="Where queries are served by each method, as demand grows and as it concentrates on few tasks.",
    takeaway=(
        "A joint decision serves most queries at the edge while it has room and moves to the clients as load grows; "
        "the edge or the cloud alone leaves queries unserved."
    ),
    claim="J1",
)

NAME = "onloading_tiers"
VARIED = {"load": "Demand (factor)", "skew": "Skew (Zipf)"}
"""What is varied, and the title of its axis."""


def tiers_table(sweep: pd.DataFrame) -> pd.DataFrame:
    """Means over the seeds: a row a thing varied, value and method, the share of queries that each tier serves."""
    part = sweep[sweep["varied"].isin(list(VARIED))]
    return part.groupby(["varied", "value", "method"], sort=False, as_index=False)[list(TIERS)].mean()


def draw(inputs: Inputs, output: Path) -> None:
    """Write the table and the figure ``onloading_tiers``."""
    table = tiers_table(inputs.csv("onloading/sweep.csv"))
    save_table(table, output, NAME)
    with paper_style():
        save_figure(_figure(table), output, NAME)


def _figure(table: pd.DataFrame) -> Figure:
    """A column a method, a row a thing varied, a bar a value."""
    methods = [method for method in ONLOADING_METHODS if (table["method"] == method).any()]
    varied = [name for name in VARIED if (table["varied"] == name).any()]
    figure = Figure(figsize=(PAGE_WIDTH_IN, 0.8 + 1.35 * len(varied)))
    panels = figure.subplots(len(varied), len(methods), sharey=True, squeeze=False)
    for row, name in zip(panels, varied, strict=True):
        for axes, method in zip(row, methods, strict=True):
            part = table[(table["varied"] == name) & (table["method"] == method)].sort_values("value")
            bottom = pd.Series(0.0, index=part.index)
            for tier, (title, bar) in TIERS.items():
                axes.bar(range(len(part)), part[tier], bottom=bottom, width=0.8, label=title, **bar)
                bottom = bottom + part[tier]
            axes.set_xticks(range(len(part)), [f"{value:g}" for value in part["value"]])
            axes.set_ylim(0, 1)
            axes.grid(visible=False, axis="x")
        row[len(methods) // 2].set_xlabel(VARIED[name])
        row[0].set_ylabel("Share of queries")
    for axes, method in zip(panels[0], methods, strict=True):
        axes.set_title(ONLOADING_METHODS[method][0])
    handles, labels = panels[0][0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=len(TIERS))
    return figure
