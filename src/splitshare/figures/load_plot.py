"""Placements under load: latency and the share of requests in time, as the offered rate grows."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullFormatter

from splitshare.figures.palette import GREY, series_mark
from splitshare.figures.sizes import PAGE_WIDTH_IN

LOAD = "load"
"""Name of its files."""


def load_figure(table: pd.DataFrame, knees: Mapping[str, float], attainment: float) -> Figure:
    """The 95th percentile, and the share in time with its target, against the offered rate; a line a placement.

    Points are means over seeds, bars reach from the least to the most.

    Args:
        table: of ``splitshare.replay.capacity.load_curve``, with a column ``placement``.
        knees: rates at which the share in time falls to the target, by placement.
        attainment: the target.
    """
    figure = Figure(figsize=(PAGE_WIDTH_IN, 2.5))
    latency, share = (axis for axis in figure.subplots(1, 2))
    for i, name in enumerate(knees):
        own = table[table["placement"] == name]
        by_rate = own.groupby("offered_per_s")
        look = series_mark(i)
        for axis, column in ((latency, "p95_s"), (share, "in_time")):
            mean, low, high = (by_rate[column].agg(how) for how in ("mean", "min", "max"))
            spread = np.array([mean - low, high - mean])
            label = f"{name} ({knees[name]:.3g}/s)"
            axis.errorbar(mean.index, mean, spread, **look, markersize=3, elinewidth=0.8, label=label)
    _labelled(latency, "95th percentile of latency (s)")
    latency.set_yscale("log")
    latency.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    latency.yaxis.set_minor_formatter(NullFormatter())
    _labelled(share, "Share of requests in time")
    share.axhline(attainment, color=GREY, linestyle="--", linewidth=0.8)
    share.set_ylim(0, 1.02)
    latency.legend(frameon=False, fontsize=7, loc="upper left", title="Placement (rate in time)", title_fontsize=7)
    return figure


def _labelled(axis: Axes, label: str) -> None:
    axis.set(xlabel="Offered requests per s", ylabel=label, xlim=(0, None))
