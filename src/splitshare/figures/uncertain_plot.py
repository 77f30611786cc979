"""Plans that were made before the demand was known: their accuracy over demands, and what knowing would have given."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from splitshare.figures.palette import series_line, series_mark
from splitshare.figures.sizes import PAGE_WIDTH_IN
from splitshare.onloading.uncertain import KNOWING

UNCERTAIN = "uncertain"
"""Name of its files."""


def uncertain_figure(draws: pd.DataFrame) -> Figure:
    """The share of demands at which a plan's accuracy is at most so much, and what it misses against the demand.

    What is missed is the difference to who knew each demand.

    Args:
        draws: of ``splitshare.onloading.uncertain.judged``; draw 0, the mean demand, is left out.
    """
    figure = Figure(figsize=(PAGE_WIDTH_IN, 2.6))
    spread, missed = figure.subplots(1, 2)
    drawn = draws[draws["draw"] > 0]
    known = drawn[drawn["plan"] == KNOWING].set_index("draw")
    for i, name in enumerate(dict.fromkeys(drawn["plan"])):
        own = drawn[drawn["plan"] == name].set_index("draw")
        look = series_line(i)
        values = np.sort(own["accuracy"].to_numpy())
        share = np.arange(1, len(values) + 1) / len(values)
        spread.step(values, share, where="post", label=name, **look)
        if name != KNOWING:
            gap = known["accuracy"] - own["accuracy"]
            missed.scatter(own["demand"], gap, s=7, **series_mark(i), linewidths=0.5)
    spread.set(xlabel="Mean accuracy", ylabel="Share of demands", ylim=(0, 1.02))
    missed.set(xlabel="Demand over its mean", ylabel="Accuracy missed")
    missed.axhline(0.0, color="black", linewidth=0.6)
    spread.legend(frameon=False, fontsize=7, loc="upper left")
    return figure
