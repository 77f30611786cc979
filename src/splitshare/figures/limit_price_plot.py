"""What a side constraint of the onloading problem costs: accuracy, and the task that has least of it, by the limit."""

from __future__ import annotations

import pandas as pd
from matplotlib.figure import Figure

from splitshare.figures.palette import GREY, series_mark
from splitshare.figures.sizes import PAGE_WIDTH_IN

LIMIT_PRICE = "price"
"""Name of its files."""
LABELS = {
    "accuracy": "Least accuracy (share of the best model's)",
    "served": "Least share served of each task",
    "energy": "Energy (share of what the instance as it is takes)",
}


def limit_price_figure(table: pd.DataFrame) -> Figure:
    """Mean accuracy over all queries, and accuracy of the task that has least, against the limit.

    A line an instance and algorithm; it has no point where no decision keeps the limit. Dashed: the instance as
    it is. What found nothing for the instance as it is has no line.

    Args:
        table: of ``splitshare.onloading.limiting.prices``; ``share`` is missing in the rows of
            instances as they are.
    """
    figure = Figure(figsize=(PAGE_WIDTH_IN, 2.6))
    mean, least = figure.subplots(1, 2)
    several = len(set(table["algorithm"])) > 1
    for i, ((instance, algorithm), own) in enumerate(table.groupby(["instance", "algorithm"], sort=False)):
        limited = own[own["share"].notna()].sort_values("share")
        if limited.empty:
            continue
        free = own[own["share"].isna()].iloc[0]
        for axis, column in ((mean, "objective"), (least, "least_accuracy")):
            axis.plot(
                limited["share"],
                limited[column].astype(float),
                markersize=3,
                label=f"{instance}, {algorithm}" if several else instance,
                **series_mark(i),
            )
            axis.axhline(float(free[column]), color=GREY, linestyle="--", linewidth=0.6)
    x_label = LABELS[str(table["limit"].iloc[0])]
    shares = table["share"].dropna()
    margin = 0.05 * (shares.max() - shares.min() or 1.0)
    for axis, label in ((mean, "Mean accuracy"), (least, "Least accuracy of a task")):
        axis.set(xlabel=x_label, ylabel=label, xlim=(shares.min() - margin, shares.max() + margin))
    mean.legend(frameon=False, fontsize=7)
    return figure
