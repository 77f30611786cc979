"""Accuracy as memory, load, bandwidth and the number of clients vary."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from splitshare.figures.declaration import Declaration
from splitshare.figures.inputs import Inputs
from splitshare.figures.palette import ONLOADING_MARKS, ONLOADING_METHODS
from splitshare.figures.sizes import PAGE_WIDTH_IN
from splitshare.figures.style import legend_below, paper_style, save_figure, save_table

DECLARATION = Declaration(
    name="onloading-sweep",
    category="Onloading",
    inputs=("onloading/sweep.csv",),
    tables=("onloading_sweep",),
    drawn=("onloading_sweep",),
    caption="Mean accuracy as memory, demand, bandwidth, the number of clients and the skew of demand over tasks vary.",
    takeaway="A joint decision is worth most under high load and with many clients; bandwidth hardly matters here.",
    claim="J1",
)

NAME = "onloading_sweep"
VARIED = {
    "memory": "Memory (factor)",
    "load": "Demand (factor)",
    "bandwidth": "Bandwidth (factor)",
    "clients": "Clients",
    "skew": "Skew of demand (Zipf)",
}
"""What is varied, and the title of its axis."""


def sweep_table(sweep: pd.DataFrame) -> pd.DataFrame:
    """Means over the seeds: a row a value and method; ``bound`` is what J3O's prices prove."""
    return sweep.groupby(["varied", "value", "method"], sort=False, as_index=False)[
        ["objective", "bound", "unserved"]
    ].mean()


def draw(inputs: Inputs, output: Path) -> None:
    """Write the table and the figure ``onloading_sweep``."""
    table = sweep_table(inputs.csv("onloading/sweep.csv"))
    save_table(table, output, NAME)
    with paper_style():
        save_figure(_figure(table), output, NAME)


def _figure(table: pd.DataFrame) -> Figure:
    figure = Figure(figsize=(PAGE_WIDTH_IN, 2.5))
    there = {varied: title for varied, title in VARIED.items() if (table["varied"] == varied).any()}
    panels = figure.subplots(1, len(there), sharey=True, squeeze=False)[0]
    for axes, (varied, title) in zip(panels, there.items(), strict=True):
        part = table[table["varied"] == varied]
        for method, (name, colour) in ONLOADING_METHODS.items():
            rows = part[part["method"] == method].sort_values("value")
            if len(rows):
                axes.plot(
                    rows["value"],
                    rows["objective"],
                    marker=ONLOADING_MARKS[method],
                    markersize=4,
                    color=colour,
                    label=name,
                )
        bound = part[part["method"] == "j3o-batching"].sort_values("value")
        grey = ONLOADING_METHODS["optimum"][1]
        axes.plot(bound["value"], bound["bound"], color=grey, linestyle=":", label="Upper bound")
        if part["value"].min() > 0:
            axes.set_xscale("log")
        values = sorted(part["value"].unique())
        axes.set_xticks(values, [f"{value:g}" for value in values])
        axes.minorticks_off()
        axes.set_xlabel(title)
    panels[0].set_ylabel("Mean accuracy")
    panels[0].set_ylim(0, 1)
    legend_below(figure, panels[0], columns=4)
    return figure
