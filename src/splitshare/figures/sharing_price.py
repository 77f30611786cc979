"""The price of sharing: latency against bytes."""

from __future__ import annotations

from pathlib import Path
from textwrap import fill

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullFormatter

from splitshare.figures.declaration import Declaration
from splitshare.figures.inputs import Inputs
from splitshare.figures.palette import ARRANGEMENT_MARKS, MEMORY, PLACES
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
    drawn=("sharing_price", "whole_split_shared"),
    caption=(
        "What sharing saves in bytes and costs in latency on instances of several models: every model whole on one "
        "device, split with a copy of each module a model, and split with shared modules, by S2M3's greedy."
    ),
    takeaway=(
        "Copies may stand nearer to where they are used and run at the same time, so sharing costs a few percent of "
        "latency where several devices are about as fast, and nothing where one device is the best place for all."
    ),
    claim="S2",
)

NAME, WAYS = "sharing_price", "whole_split_shared"


def draw(inputs: Inputs, output: Path) -> None:
    """Write the table ``sharing_price``, and the figures ``sharing_price`` and ``whole_split_shared``."""
    table = sharing_price(inputs.catalog, inputs.descriptions(), inputs.csv("placements.csv"))
    save_table(table, output, NAME)
    with paper_style():
        save_figure(_figure(table, inputs), output, NAME)
        save_figure(_ways(table, inputs), output, WAYS)


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


def _ways(table: pd.DataFrame, inputs: Inputs) -> Figure:
    """Latency against bytes, a panel a testbed, a line a workload from whole over split to shared."""
    figure = Figure(figsize=(PAGE_WIDTH_IN, 2.7))
    if table.empty:
        axes = figure.subplots()
        axes.annotate("No workload here has several models", (0.5, 0.5), xycoords="axes fraction", ha="center", size=8)
        return figure
    testbeds = list(dict.fromkeys(table["testbed"]))
    panels = figure.subplots(1, len(testbeds), sharey=True, squeeze=False)[0]
    ways = {
        "whole": ("unshared_bytes", "whole_s", "D"),
        "split": ("unshared_bytes", "unshared_s", "x"),
        "shared": ("shared_bytes", "shared_s", "o"),
    }
    for axes, testbed in zip(panels, testbeds, strict=True):
        part = table[table["testbed"] == testbed]
        for _, row in part.iterrows():
            sizes, seconds = ([row[way[i]] for way in ways.values()] for i in (0, 1))
            axes.plot([size / 1e9 for size in sizes], seconds, color="0.5", linewidth=0.7, zorder=1)
        for name, (size, latency, marker) in ways.items():
            look = {"marker": marker, "markersize": 4, "color": MEMORY[name], "linestyle": "none"}
            axes.plot(part[size] / 1e9, part[latency], label=ARRANGEMENT_MARKS[name][0], **look)
        axes.set_xscale("log")
        axes.set_yscale("log")
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
            axis.set_minor_formatter(NullFormatter())
        axes.set_title(fill(inputs.testbed(testbed).title, 17))
    panels[len(panels) // 2].set_xlabel("Memory over all devices (GB)")
    panels[0].set_ylabel("Mean latency, idle (s)")
    legend_below(figure, panels[0], columns=3)
    return figure
