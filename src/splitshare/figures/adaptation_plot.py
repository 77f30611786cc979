"""Policies of moving over time: latency of what is served, requests that are not, and bytes that travel."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullFormatter

from splitshare.figures.palette import series_line
from splitshare.figures.sizes import PAGE_WIDTH_IN

ADAPTATION = "adaptation"
"""Name of its files."""
WIDE = 30
"""Ratio of latencies from which on their axis is logarithmic."""


def adaptation_figure(table: pd.DataFrame) -> Figure:
    """Three panels over time, a line a policy.

    Idle latency of what is served (rate-weighted mean), the share of requests until then that was not served, and
    gigabytes moved until then.

    Args:
        table: of ``splitshare.adaptation.run.over_time``.
    """
    figure = Figure(figsize=(PAGE_WIDTH_IN, 3.9))
    latency, unserved, moved = figure.subplots(3, 1, sharex=True)
    for i, name in enumerate(dict.fromkeys(table["policy"])):
        own = table[table["policy"] == name]
        look = series_line(i) | {"linewidth": 1.1}
        edges = np.append(own["start_s"].to_numpy(), own["end_s"].iloc[-1])
        latency.stairs(own["latency_s"].to_numpy(), edges, baseline=None, label=name, **look)
        seconds = (own["end_s"] - own["start_s"]).to_numpy()
        lost = np.concatenate([[0.0], np.cumsum(own["unserved"].to_numpy() * seconds)])
        share = np.divide(lost, edges - edges[0], out=np.zeros(len(edges)), where=edges > edges[0])
        unserved.plot(edges, share, **look)
        gigabytes = np.cumsum(own["moved_bytes"].to_numpy()) / 1e9
        moved.stairs(gigabytes, edges, baseline=None, **look)
    latency.set_ylabel("Latency (s)")
    if table["latency_s"].max() > WIDE * table["latency_s"].min():
        latency.set_yscale("log")
        latency.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        latency.yaxis.set_minor_formatter(NullFormatter())
    else:
        latency.set_ylim(0, None)
    unserved.set(ylabel="Not served (share)", ylim=(0, None))
    ends_s = (table["start_s"].min(), table["end_s"].max())
    moved.set(ylabel="Moved (GB)", xlabel="Time (s)", xlim=ends_s, ylim=(0, None))
    latency.legend(frameon=False, fontsize=7, ncols=5, loc="lower center", bbox_to_anchor=(0.5, 1.0))
    return figure
