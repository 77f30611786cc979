"""Requests that encode their class prompts against requests that find them encoded."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from splitshare.catalog.loader import Catalog
from splitshare.figures.declaration import Declaration
from splitshare.figures.inputs import Inputs
from splitshare.figures.palette import PROMPTS
from splitshare.figures.sizes import PAGE_WIDTH_IN
from splitshare.figures.style import legend_below, paper_style, save_figure, save_table

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


def draw(inputs: Inputs, output: Path) -> None:
    """Write the table (every testbed) and the figure (the replay's testbed) ``cached_prompts``."""
    table = inputs.csv("prompt_cache.csv")
    save_table(table, output, NAME)
    testbed = inputs.config.replay.testbed
    with paper_style():
        figure = _figure(table[table["testbed"] == testbed].reset_index(drop=True), inputs.catalog)
        figure.suptitle(inputs.testbed(testbed).title, fontsize=8)
        save_figure(figure, output, NAME)


def _figure(table: pd.DataFrame, catalog: Catalog) -> Figure:
    """From the latency with prompts encoded in each request to that with prompts encoded before; a row a workload."""
    figure = Figure(figsize=(PAGE_WIDTH_IN, 1.2 + 0.2 * len(table)))
    axes = figure.subplots()
    if table.empty:
        axes.annotate("No workload here has class prompts", (0.5, 0.5), xycoords="axes fraction", ha="center", size=8)
        return figure
    after, before = (table[column] for column in ("cached_optimum_s", "encoded_optimum_s"))
    axes.hlines(table.index, after, before, color="0.55", linewidth=1.0, zorder=1)
    for values, (title, mark) in zip((before, after), PROMPTS.values(), strict=True):
        axes.plot(values, table.index, linestyle="none", label=title, **mark)
    for row, ratio in enumerate(before / after):
        told = f"{ratio:.3g} times" if ratio >= 1.005 else "as fast"
        axes.annotate(told, (1.01, row), xycoords=("axes fraction", "data"), va="center", size=7)
    axes.set_yticks(table.index, [catalog.workload(w).title for w in table["workload"]])
    axes.set_ylim(len(table) - 0.5, -0.5)
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.grid(visible=False, axis="y")
    axes.set_xlabel("Mean latency of an idle request, optimum (s); right: how much longer with encoding")
    legend_below(figure, axes, columns=2)
    return figure
