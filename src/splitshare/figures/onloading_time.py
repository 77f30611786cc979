"""Run time of J3O against the solver that proves the optimum (claim J2), as recorded on one machine."""

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
from splitshare.results.onloading import RECORD
from splitshare.results.onloading_time import summary, time_table

DECLARATION = Declaration(
    name="onloading-run-time",
    category="Onloading",
    records=("onloading.csv",),
    tables=("onloading_run_time", "onloading_run_time_summary"),
    drawn=("onloading_run_time",),
    caption="Run time of J3O and of the solver that proves the optimum, recorded on one machine.",
    takeaway=(
        "J3O takes a small share of the solver's time where the solver works for long; on small instances "
        "neither takes long."
    ),
    claim="J2",
)

NAME = "onloading_run_time"


def draw(inputs: Inputs, output: Path) -> None:
    """Write the tables ``onloading_run_time`` (by instance) and ``..._summary``, and the figure."""
    record = inputs.record(RECORD)
    machine = ", ".join(dict.fromkeys(record["machine"]))
    table = time_table(record)
    caption = f"Seconds of building and solving, J3O with batching and HiGHS, one thread; recorded on {machine}."
    save_table(table, output, NAME, caption=caption)
    save_table(summary(table), output, f"{NAME}_summary", caption=caption)
    with paper_style():
        save_figure(_figure(table), output, NAME)


def _figure(table: pd.DataFrame) -> Figure:
    """Seconds against the number of clients; both axes logarithmic."""
    figure = Figure(figsize=(COLUMN_WIDTH_IN, 2.5))
    axes = figure.subplots()
    for column, method, title in (("highs_s", "optimum", "HiGHS, proved"), ("j3o_s", "j3o-batching", "J3O")):
        proved = table[table["proved"]] if method == "optimum" else table
        colour = ONLOADING_METHODS[method][1]
        axes.plot(proved["clients"], proved[column], ".", color=colour, markersize=5, label=title)
    stopped = table[~table["proved"]]
    if len(stopped):
        colour = ONLOADING_METHODS["optimum"][1]
        axes.plot(stopped["clients"], stopped["highs_s"], "^", color=colour, markersize=4, label="HiGHS, stopped")
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xticks([2, 5, 10, 20, 50, 100, 200], ["2", "5", "10", "20", "50", "100", "200"])
    axes.minorticks_off()
    axes.set_xlabel("Clients")
    axes.set_ylabel("Building and solving (s)")
    legend_below(figure, axes, columns=3)
    return figure
