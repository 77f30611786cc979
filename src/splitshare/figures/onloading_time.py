"""Run time of J3O against the solver that proves the optimum (claim J2), as recorded on one machine."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from splitshare.figures.declaration import Declaration
from splitshare.figures.inputs import Inputs
from splitshare.figures.palette import PAPER_LINE, RUNS
from splitshare.figures.sizes import COLUMN_WIDTH_IN
from splitshare.figures.style import legend_below, paper_style, save_figure, save_table
from splitshare.results.claims_j3o import PAPER_J3O_TIME
from splitshare.results.onloading import RECORD
from splitshare.results.onloading_time import summary, time_table

DECLARATION = Declaration(
    name="onloading-run-time",
    category="Onloading",
    records=("onloading.csv",),
    tables=("onloading_run_time", "onloading_run_time_summary"),
    printed={
        "onloading_run_time_summary": {
            "instances_of": "Instances",
            "instances": "n",
            "proved": "Proved",
            "j3o_median_s": "J3O (s)",
            "highs_median_s": "HiGHS (s)",
            "mean_ratio": ("Mean (%)", 100),
            "median_ratio": ("Median (%)", 100),
        }
    },
    drawn=("onloading_run_time",),
    caption=(
        "Run time of J3O as a share of that of the solver that proves the optimum, recorded on one machine; a solver "
        "that was stopped took longer than is counted, and Gurobi solves what its size-limited licence takes."
    ),
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
    table = time_table(record)
    save_table(table, output, NAME)
    save_table(summary(table), output, f"{NAME}_summary")
    with paper_style():
        save_figure(_figure(table), output, NAME)


def _figure(table: pd.DataFrame) -> Figure:
    """J3O's seconds as a share of the solver's, against the solver's; both axes logarithmic."""
    figure = Figure(figsize=(COLUMN_WIDTH_IN, 2.9))
    axes = figure.subplots()
    proved, stopped = table[table["proved"]], table[~table["proved"]]
    licensed = table[table["gurobi_s"].notna()]
    for part, seconds, (title, mark) in (
        (proved, "highs_s", RUNS["proved"]),
        (stopped, "highs_s", RUNS["stopped"]),
        (licensed, "gurobi_s", RUNS["gurobi"]),
    ):
        if len(part):
            axes.plot(part[seconds], 100 * part["j3o_s"] / part[seconds], linestyle="none", label=title, **mark)
    axes.axhline(100 * PAPER_J3O_TIME, label=f"the paper: {PAPER_J3O_TIME:.0%}", **PAPER_LINE)
    axes.set_xscale("log")
    axes.set_yscale("log")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.set_xlabel("The solver's time to its proof, or to its stop (s)")
    axes.set_ylabel("J3O's time (% of the solver's)")
    legend_below(figure, axes, columns=2)
    return figure
