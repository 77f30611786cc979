"""The price of sharing: latency against bytes."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from splitshare.figures.declaration import Declaration
from splitshare.figures.inputs import Inputs
from splitshare.figures.palette import PLACES
from splitshare.figures.sizes import PAGE_WIDTH_IN
from splitshare.figures.style import legend_below, paper_style, save_figure, save_table
from splitshare.results.sharing_price import sharing_price

DECLARATION = Declaration(
    name="sharing-price",
    category="Memory",
    inputs=("modules.json", "placements.csv"),
    tables=("sharing_price",),
    printed={
        "sharing_price": {
            "workload": ("Workload", "4.6cm"),
            "testbed": ("Testbed", "4.6cm"),
            "saving": ("Memory saved (%)", 100),
            "price": ("Latency added (%)", 100),
        }
    },
    drawn=("sharing_price",),
    caption="What sharing saves in bytes and costs in latency, by S2M3's greedy, on instances of several models.",
    takeaway=(
        "Copies may stand nearer to where they are used and run at the same time, so sharing costs a few percent of "
        "latency where several devices are about as fast, and nothing where one device is the best place for all."
    ),
    claim="S2",
)

NAME = "sharing_price"


def draw(inputs: Inputs, output: Path) -> None:
    """Write the table and the figure ``sharing_price``."""
    table = sharing_price(inputs.catalog, inputs.descriptions(), inputs.csv("placements.csv"))
    save_table(table, output, NAME)
    with paper_style():
        save_figure(_figure(table, inputs), output, NAME)


def _figure(table: pd.DataFrame, inputs: Inputs) -> Figure:
    """A mark an instance: bytes saved against latency lost, a mark and colour a testbed."""
    figure = Figure(figsize=(PAGE_WIDTH_IN, 2.9))
    axes = figure.subplots()
    for (testbed, part), mark in zip(table.groupby("testbed", sort=False), PLACES, strict=False):
        title = inputs.testbed(str(testbed)).title
        axes.plot(100 * part["saving"], 100 * part["price"], linestyle="none", label=title, **mark)
    if table.empty:
        axes.annotate("No workload here has several models", (0.5, 0.5), xycoords="axes fraction", ha="center", size=8)
        return figure
    axes.set_xlabel("Memory saved by sharing (% of bytes)")
    axes.set_ylabel("Latency added by sharing (%)")
    axes.set_xlim(left=0)
    axes.margins(y=0.12)
    legend_below(figure, axes, columns=2)
    return figure
