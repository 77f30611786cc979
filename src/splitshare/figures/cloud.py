"""The edge against the cloud, over networks and speeds of the small device (claim S5)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from splitshare.config import CloudCell
from splitshare.figures.declaration import Declaration
from splitshare.figures.inputs import Inputs
from splitshare.figures.palette import REACHED
from splitshare.figures.sizes import PAGE_WIDTH_IN
from splitshare.figures.style import paper_style, save_figure, save_table
from splitshare.results.claims_s2m3 import PAPER_CLOUD_REDUCTION
from splitshare.results.cloud import at_cell, grid_table

DECLARATION = Declaration(
    name="cloud",
    category="Latency",
    inputs=("cloud_grid.csv",),
    tables=("edge_against_cloud", "edge_against_cloud_stated"),
    printed={
        "edge_against_cloud_stated": {
            "workload": "Workload",
            "edge_s": "Edge (s)",
            "cloud_s": "Cloud (s)",
            "reduction": ("Reduction (%)", 100),
        }
    },
    drawn=("edge_against_cloud",),
    caption=(
        "Models that are faster at the edge (S2M3's greedy) than in the cloud, by network and by speed of the small "
        "device; the square marks the cell of the verdict."
    ),
    takeaway=(
        "The edge wins where the network is slow and its device fast; for most models the cloud is faster, so "
        "the largest reduction is the best of few."
    ),
    claim="S5",
)

NAME = "edge_against_cloud"
SHADES = "Blues"
INK_FROM = 0.5
"""Share of the models from which on a cell is dark."""


def draw(inputs: Inputs, output: Path) -> None:
    """Write the tables ``edge_against_cloud`` and ``edge_against_cloud_stated``, and the heat map.

    The first has a row a cell, the second a row a workload at the stated cell.
    """
    grid = inputs.csv("cloud_grid.csv")
    table = grid_table(grid)
    save_table(table, output, NAME)
    stated = at_cell(grid, inputs.config.cloud.stated)
    save_table(stated, output, f"{NAME}_stated")
    with paper_style():
        save_figure(_figure(table, inputs.config.cloud.stated), output, NAME)


def _figure(table: pd.DataFrame, stated: CloudCell) -> Figure:
    """A panel a speed, a cell a network: models that are faster at the edge, and where the best reaches the paper."""
    speeds = sorted(table["speed"].unique())
    models = int(table["models"].max())
    figure = Figure(figsize=(PAGE_WIDTH_IN, 2.3))
    panels = figure.subplots(1, len(speeds), sharey=True, squeeze=False)[0]
    for axes, speed in zip(panels, speeds, strict=True):
        part = table[table["speed"] == speed]
        _map(axes, part, models)
        axes.set_title(f"Small device × {speed:g}")
        axes.set_xlabel("WAN (Mbit/s)")
        if speed == stated.speed:
            columns = sorted(part["bandwidth_bytes_per_s"].unique())
            rows = sorted(part["round_trip_s"].unique())
            place = columns.index(stated.bandwidth_bytes_per_s), rows.index(stated.round_trip_s)
            axes.plot(*place, marker="s", markersize=15, fillstyle="none", color="black", linestyle="none")
    panels[0].set_ylabel("WAN round trip (ms)")
    handles = [
        Line2D([], [], **REACHED),
        Line2D([], [], marker="s", markersize=7, fillstyle="none", color="black", linestyle="none"),
    ]
    told = f"left of it the best model saves {PAPER_CLOUD_REDUCTION:.1%} or more, as in the paper"
    labels = [told, "the cell of the verdict"]
    figure.legend(handles, labels, loc="outside lower center", ncols=2)
    return figure


def _map(axes: Axes, part: pd.DataFrame, models: int) -> None:
    """Models that are faster at the edge, a number and shade a cell; a line around where the best reaches the paper."""
    faster, best = (
        part.pivot_table(index="round_trip_s", columns="bandwidth_bytes_per_s", values=values)
        for values in ("faster_at_the_edge", "best")
    )
    axes.imshow(faster.to_numpy(dtype=float), vmin=0, vmax=models, cmap=SHADES, aspect="auto")
    for i, row in enumerate(faster.to_numpy(dtype=float)):
        for j, count in enumerate(row):
            ink = "white" if count > INK_FROM * models else "black"
            axes.annotate(f"{count:.0f}", (j, i), ha="center", va="center", size=7, color=ink)
    reached = best.to_numpy(dtype=float) >= PAPER_CLOUD_REDUCTION
    for i, j in np.ndindex(*reached.shape):
        # An edge between a cell that reaches it and one that does not.
        if j + 1 < reached.shape[1] and reached[i, j] != reached[i, j + 1]:
            axes.plot([j + 0.5, j + 0.5], [i - 0.5, i + 0.5], **REACHED)
        if i + 1 < reached.shape[0] and reached[i, j] != reached[i + 1, j]:
            axes.plot([j - 0.5, j + 0.5], [i + 0.5, i + 0.5], **REACHED)
    axes.set_xticks(range(len(faster.columns)), [f"{b:g}" for b in faster.columns.to_numpy(dtype=float) * 8e-6])
    axes.set_yticks(range(len(faster.index)), [f"{s:g}" for s in faster.index.to_numpy(dtype=float) * 1e3])
    axes.grid(visible=False)
