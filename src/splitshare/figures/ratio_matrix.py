"""Worst ratios of algorithms against others, as a matrix."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from splitshare.figures.palette import method_title
from splitshare.figures.sizes import COLUMN_WIDTH_IN, PAGE_WIDTH_IN

WORST_RATIOS = "worst_ratios"
"""Name of its files."""
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
    width = min(PAGE_WIDTH_IN, max(COLUMN_WIDTH_IN, 1.6 + 0.75 * matrix.shape[1]))
    figure = Figure(figsize=(width, 1.3 + 0.3 * matrix.shape[0]))
    axes = figure.subplots()
    axes.imshow(shades, vmin=0, vmax=darkest, cmap="Blues", aspect="auto")
    for (i, j), ratio in np.ndenumerate(values):
        ink = "white" if shades[i, j] > INK_FROM * darkest else "black"
        text = "\N{EN DASH}" if np.isnan(ratio) else f"{ratio:.3g}"
        axes.annotate(text, (j, i), ha="center", va="center", size=7, color=ink)
    axes.set_yticks(range(len(matrix)), [method_title(label) for label in matrix.index])
    axes.set_xticks(range(matrix.shape[1]), [method_title(label) for label in matrix.columns], rotation=30, ha="left")
    axes.xaxis.tick_top()
    axes.tick_params(length=0)
    axes.grid(visible=False)
    axes.set_xlabel("Largest ratio found, of the row's objective to the column's")
    return figure
