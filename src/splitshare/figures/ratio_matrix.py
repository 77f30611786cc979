"""Worst ratios of algorithms against others, as a matrix."""

from __future__ import annotations

from textwrap import fill

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from splitshare.figures.palette import method_title
from splitshare.figures.sizes import COLUMN_WIDTH_IN, PAGE_WIDTH_IN

WORST_RATIOS = "worst_ratios"
"""Name of its files."""
MOST_UPRIGHT = 4
"""Columns whose heads have room side by side."""
INK_FROM = 0.6
"""Share of the darkest from which on a cell is dark."""


def ratio_figure(matrix: pd.DataFrame) -> Figure:
    """Largest ratio that was found, of the row's algorithm against the column's; the darker, the worse for the row.

    Shades are of the ratio's logarithm, from 1 on; a cell without a ratio is left white, with a dash.

    Args:
        matrix: ratios, a row an algorithm, a column a reference, named by their labels.
    """
    values = matrix.to_numpy(dtype=float)
    shades = np.log(np.maximum(1.0, np.nan_to_num(values, nan=1.0)))
    darkest = max(float(shades.max()), np.log(2.0))
    columns = matrix.shape[1]
    upright = columns <= MOST_UPRIGHT
    size_in = (COLUMN_WIDTH_IN if columns <= 2 else PAGE_WIDTH_IN, (1.3 if upright else 2.2) + 0.3 * len(matrix))
    figure = Figure(figsize=size_in)
    axes = figure.subplots()
    axes.imshow(shades, vmin=0, vmax=darkest, cmap="Blues", aspect="auto")
    for (i, j), ratio in np.ndenumerate(values):
        ink = "white" if shades[i, j] > INK_FROM * darkest else "black"
        text = "\N{EN DASH}" if np.isnan(ratio) else f"{ratio:.3g}"
        axes.annotate(text, (j, i), ha="center", va="center", size=7, color=ink)
    axes.set_yticks(range(len(matrix)), [method_title(label) for label in matrix.index])
    heads = [fill(method_title(label).replace("-", "- "), 14).replace("- ", "-") for label in matrix.columns]
    axes.set_xticks(range(columns), heads, rotation=0 if upright else 90)
    axes.xaxis.tick_top()
    axes.tick_params(length=0)
    axes.grid(visible=False)
    axes.set_xlabel("Largest ratio found (row to column)")
    return figure
