"""What a plan that leaves links and processors some room is worth in a replay, by the share that it may use."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from splitshare.figures.palette import GREY, series_mark
from splitshare.figures.sizes import PAGE_WIDTH_IN

HEADROOM = "headroom"
"""Name of its files."""


def headroom_figure(table: pd.DataFrame) -> Figure:
    """Accuracy within deadlines, and the share of queries that are late, against the limit; a line a load.

    Points are means over seeds, bars reach from the least to the most; the plan's own accuracy is a dashed line.

    Args:
        table: ``utilisation``, ``load``, ``planned_accuracy``, ``accuracy_in_time``, ``late``, a row a replay.
    """
    figure = Figure(figsize=(PAGE_WIDTH_IN, 2.6))
    accuracy, late = figure.subplots(1, 2)
    for i, (load, own) in enumerate(table.groupby("load")):
        look = series_mark(i)
        for axis, column in ((accuracy, "accuracy_in_time"), (late, "late")):
            _line(axis, own, column, f"load {load:g}", look)
    planned = table.groupby("utilisation")["planned_accuracy"].mean()
    accuracy.plot(planned.index, planned, color=GREY, linestyle="--", linewidth=0.9, label="as planned")
    accuracy.set(xlabel="Share that the plan may use", ylabel="Accuracy in time")
    late.set(xlabel="Share that the plan may use", ylabel="Late queries (share)", ylim=(0, None))
    accuracy.legend(frameon=False, fontsize=7)
    return figure


def _line(axis: Axes, own: pd.DataFrame, column: str, label: str, look: dict[str, Any]) -> None:
    by_limit = own.groupby("utilisation")[column]
    mean = by_limit.mean()
    spread = np.array([mean - by_limit.min(), by_limit.max() - mean])
    axis.errorbar(mean.index, mean, spread, **look, markersize=3, elinewidth=0.8, label=label)
