"""Policies of re-deciding over time: accuracy in each span, and bytes moved until then."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from splitshare.figures.palette import series_line
from splitshare.figures.sizes import PAGE_WIDTH_IN

FOLLOW = "follow"
"""Name of its files."""


def follow_figure(table: pd.DataFrame, windows: pd.DataFrame | None = None) -> Figure:
    """Mean accuracy of each span, of a replay also within deadlines, and gigabytes moved; a line a policy.

    Args:
        table: of ``splitshare.adaptation.onloading.table_of``.
        windows: of ``splitshare.adaptation.onloading_replay.replayed``, where it was replayed.
    """
    figure = Figure(figsize=(PAGE_WIDTH_IN, 3.0 if windows is None else 4.2))
    accuracy, *middle, moved = figure.subplots(2 if windows is None else 3, 1, sharex=True)
    for i, name in enumerate(dict.fromkeys(table["policy"])):
        own = table[table["policy"] == name]
        look = series_line(i) | {"linewidth": 1.1}
        hours = np.append(own["start_s"].to_numpy(), own["end_s"].iloc[-1]) / 3600
        accuracy.stairs(own["accuracy"].to_numpy(), hours, baseline=None, label=name, **look)
        moved.stairs(np.cumsum(own["moved_bytes"].to_numpy()) / 1e9, hours, baseline=None, **look)
        if windows is not None:
            told = windows[windows["policy"] == name]
            hours = np.append(told["start_s"].to_numpy(), told["end_s"].iloc[-1]) / 3600
            middle[0].stairs(told["accuracy_in_time"].to_numpy(), hours, baseline=None, **look)
    accuracy.set_ylabel("Mean accuracy")
    for axes in middle:
        axes.set_ylabel("Replayed, in time")
    moved.set(ylabel="Moved (GB)", xlabel="Time (h)", xlim=(0, table["end_s"].max() / 3600), ylim=(0, None))
    accuracy.legend(frameon=False, fontsize=7, ncols=4, loc="lower center", bbox_to_anchor=(0.5, 1.0))
    return figure
