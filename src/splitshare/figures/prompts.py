"""Requests that encode their class prompts against requests that find them encoded."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from splitshare.catalog.loader import Catalog
from splitshare.figures.declaration import Declaration
from splitshare.figures.inputs import Inputs
from splitshare.figures.style import COLUMN_WIDTH_IN, MEMORY, legend_below, paper_style, save_figure, save_table

DECLARATION = Declaration(
    name="prompts",
    category="Latency",
    inputs=("prompt_cache.csv",),
    tables=("cached_prompts",),
    drawn=("cached_prompts",),
    caption="Latency with class prompts encoded in each request and beforehand.",
    takeaway=(
        "Between small devices, encoding the class prompts is most of what a zero-shot request takes; beside "
        "a server little is left to save."
    ),
)

NAME = "cached_prompts"
DRAWN = {
    "encoded_optimum_s": ("Encoded with each request", "whole"),
    "cached_optimum_s": ("Encoded beforehand", "split"),
}


def draw(inputs: Inputs, output: Path) -> None:
    """Write the table (every testbed) and the figure (the replay's testbed) ``cached_prompts``."""
    table = inputs.csv("prompt_cache.csv")
    save_table(
        table, output, NAME, caption="Mean latency with class prompts encoded in each request and beforehand (s)."
    )
    testbed = inputs.config.replay.testbed
    with paper_style():
        figure = _figure(table[table["testbed"] == testbed].reset_index(drop=True), inputs.catalog)
        figure.suptitle(inputs.testbed(testbed).title, fontsize=8)
        save_figure(figure, output, NAME)


def _figure(table: pd.DataFrame, catalog: Catalog) -> Figure:
    figure = Figure(figsize=(1.5 * COLUMN_WIDTH_IN, 1.1 + 0.22 * len(table)))
    axes = figure.subplots()
    height = 0.8 / len(DRAWN)
    for i, (column, (title, colour)) in enumerate(DRAWN.items()):
        positions = table.index + (i - (len(DRAWN) - 1) / 2) * height
        axes.barh(positions, table[column], height=height, color=MEMORY[colour], label=title)
    axes.set_yticks(table.index, [catalog.workload(w).title for w in table["workload"]])
    axes.invert_yaxis()
    if len(table):
        axes.set_xscale("log")
    else:
        axes.annotate("No workload here has class prompts", (0.5, 0.5), xycoords="axes fraction", ha="center", size=8)
    axes.grid(visible=False, axis="y")
    axes.set_xlabel("Mean latency of an idle request, optimum (s)")
    legend_below(figure, axes, columns=2)
    return figure
