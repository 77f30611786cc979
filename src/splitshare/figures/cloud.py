"""The edge against the cloud, over networks and speeds of the small device (claim S5)."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import TwoSlopeNorm
from matplotlib.figure import Figure

from splitshare.config import CloudCell
from splitshare.figures.declaration import Declaration
from splitshare.figures.inputs import Inputs
from splitshare.figures.style import COLUMN_WIDTH_IN, paper_style, save_figure, save_table
from splitshare.results.cloud import at_cell, grid_table

DECLARATION = Declaration(
    name="cloud",
    category="Latency",
    inputs=("cloud_grid.csv",),
    tables=("edge_against_cloud", "edge_against_cloud_stated"),
    drawn=("edge_against_cloud",),
    caption="Reduction of latency by the edge against the cloud; the square marks the cell of the verdict.",
    takeaway=(
        "The edge wins where the network is slow and its device fast; for most models the cloud is faster, so "
        "the largest reduction is the best of few."
    ),
    claim="S5",
)

NAME = "edge_against_cloud"
SUMMARIES = {"best": "Best of the models", "median": "Median model"}


def draw(inputs: Inputs, output: Path) -> None:
    """Write the tables ``edge_against_cloud`` and ``edge_against_cloud_stated``, and the heat map.

    The first has a row a cell, the second a row a workload at the stated cell.
    """
    grid = inputs.csv("cloud_grid.csv")
    table = grid_table(grid)
    caption = "Latency of the edge against the cloud: reduction (negative: the cloud is faster)."
    save_table(table, output, NAME, caption=caption)
    stated = at_cell(grid, inputs.config.cloud.stated)
    save_table(stated, output, f"{NAME}_stated", caption=f"{caption} At the stated cell.")
    with paper_style():
        save_figure(_figure(table, inputs.config.cloud.stated), output, NAME)


def _figure(table: pd.DataFrame, stated: CloudCell) -> Figure:
    speeds = sorted(table["speed"].unique())
    figure = Figure(figsize=(2.2 * COLUMN_WIDTH_IN, 3.9))
    panels = figure.subplots(len(SUMMARIES), len(speeds), sharex=True, sharey=True, squeeze=False)
    for row, (summary, title) in zip(panels, SUMMARIES.items(), strict=True):
        for axes, speed in zip(row, speeds, strict=True):
            part = table[table["speed"] == speed].pivot_table(
                index="round_trip_s", columns="bandwidth_bytes_per_s", values=summary
            )
            _heat(axes, part)
            if speed == stated.speed:
                place = (
                    list(part.columns).index(stated.bandwidth_bytes_per_s),
                    list(part.index).index(stated.round_trip_s),
                )
                axes.plot(*place, marker="s", markersize=17, fillstyle="none", color="black")
        row[0].set_ylabel(f"{title}\nWAN round trip (ms)")
    for axes, speed in zip(panels[0], speeds, strict=True):
        axes.set_title(f"Small device × {speed:g}")
    for axes in panels[-1]:
        axes.set_xlabel("WAN (Mbit/s)")
    return figure


def _heat(axes: Axes, part: pd.DataFrame) -> None:
    values = part.to_numpy(dtype=float)
    axes.imshow(values.clip(-1, 1), norm=TwoSlopeNorm(0, -1, 1), cmap="PuOr", aspect="auto")
    for i, row in enumerate(values):
        for j, value in enumerate(row):
            text = f"{value:.0%}" if value > -9.995 else "<−999%"
            axes.annotate(
                text.replace("-", "−"),
                (j, i),
                ha="center",
                va="center",
                size=5,
                color="black" if abs(value) < 0.7 else "white",
            )
    axes.set_xticks(range(len(part.columns)), [f"{b:g}" for b in part.columns.to_numpy(dtype=float) * 8e-6])
    axes.set_yticks(range(len(part.index)), [f"{s:g}" for s in part.index.to_numpy(dtype=float) * 1e3])
    axes.grid(visible=False)
