"""J3O's decisions as planned and as replayed, at shares of the planned load."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from splitshare.figures.declaration import Declaration
from splitshare.figures.inputs import Inputs
from splitshare.figures.style import (
    COLUMN_WIDTH_IN,
    ONLOADING_METHODS,
    legend_below,
    paper_style,
    save_figure,
    save_table,
)

DECLARATION = Declaration(
    name="onloading-replay",
    category="Onloading",
    inputs=("onloading/replay.csv",),
    tables=("onloading_replay",),
    drawn=("onloading_replay",),
    caption="J3O's decisions as planned and as replayed, with queues and real batches.",
    takeaway="What was planned holds query by query until the load is near what was planned for.",
)

NAME = "onloading_replay"
_BLUE, _GREY, _ORANGE = (ONLOADING_METHODS[key][1] for key in ("j3o-batching", "optimum", "accuracy-greedy"))


def draw(inputs: Inputs, output: Path) -> None:
    """Write the table and the figure ``onloading_replay``."""
    table = inputs.csv("onloading/replay.csv")
    save_table(
        table,
        output,
        NAME,
        caption="J3O's decisions planned and replayed, at shares of the planned load (Poisson arrivals, with queues).",
    )
    with paper_style():
        save_figure(_figure(table), output, NAME)


def _figure(table: pd.DataFrame) -> Figure:
    names = list(dict.fromkeys(table["instance"]))
    figure = Figure(figsize=(2 * COLUMN_WIDTH_IN, 3.4))
    panels = figure.subplots(2, len(names), sharex=True, sharey="row", squeeze=False)
    for column, name in enumerate(names):
        part = table[table["instance"] == name]
        above, below = panels[0][column], panels[1][column]
        above.plot(part["load"], part["planned_accuracy"], ":", color=_GREY, label="Planned")
        above.plot(part["load"], part["accuracy"], marker=".", color=_BLUE, label="Replayed")
        above.plot(part["load"], part["accuracy_in_time"], marker=".", color=_ORANGE, label="Replayed, in time only")
        below.plot(part["load"], part["planned_latency_s"], ":", color=_GREY, label="Planned, waits included")
        below.plot(part["load"], part["latency_mean_s"], marker=".", color=_BLUE, label="Replayed, mean")
        below.plot(part["load"], part["latency_p95_s"], marker=".", color=_ORANGE, label="95th percentile")
        below.set_yscale("log")
        above.set_ylim(0, 1)
        above.set_title(name)
        below.set_xlabel("Arriving load (share of the plan's)")
    panels[0][0].set_ylabel("Mean accuracy")
    panels[1][0].set_ylabel("Latency (s)")
    panels[0][-1].legend(loc="lower left")
    legend_below(figure, panels[1][0], columns=3)
    return figure
