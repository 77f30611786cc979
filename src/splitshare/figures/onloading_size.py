"""Run time and proved gap of the solver, of J3O and of the decomposed method against size, as recorded."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from splitshare.figures.declaration import Declaration
from splitshare.figures.inputs import Inputs
from splitshare.figures.palette import ONLOADING_MARKS, ONLOADING_METHODS, PAPER_LINE, method_key
from splitshare.figures.sizes import PAGE_WIDTH_IN
from splitshare.figures.style import paper_style, save_figure, save_table
from splitshare.results.claims_j3o import PAPER_J3O_TIME
from splitshare.results.onloading import FIRST_ZOO, HUGE_RECORD, RECORD
from splitshare.results.onloading_time import J3O, OURS, SOLVER

DECLARATION = Declaration(
    name="onloading-size",
    category="Onloading",
    records=("onloading.csv", "huge/onloading.csv"),
    tables=("onloading_size",),
    drawn=("onloading_size",),
    caption=(
        "Left: run time against the number of clients, medians of the published zoo's instances: the suite's three "
        "sizes, then the large family's. Hollow: stopped at its time limit before it was done. Dashed: the share of "
        "the solver's time that the paper gives J3O, and less than that where the solver was stopped. Right: how far "
        "the bound that a method proves lies above its decision. The decomposed method is ours."
    ),
    takeaway=(
        "J3O stays far below the solver until that is stopped; decomposed by servers, time grows in proportion to the "
        "clients, and the proved gap stays small where the solver's does not."
    ),
    claim="J2",
)

NAME = "onloading_size"
METHODS = (SOLVER, J3O, OURS)
CLIENTS = (0, 15, 60, 300, 700, 1500, 3000, 7000, 20000)
"""Bounds of the groups of instances by their clients: the suite's three sizes, and one for each size of the family."""
LEAST_GAP = 1e-5
"""What is proved to be closer is drawn there."""


def size_table(record: pd.DataFrame, huge: pd.DataFrame) -> pd.DataFrame:
    """A row a method and group of instances: clients, seconds, proved gap, and how many runs were stopped.

    Args:
        record: results of the suite; those of the first zoo are taken, as the large family is drawn from it alone.
        huge: results of the large family.
    """
    rows = pd.concat([record[record["zoo"] == FIRST_ZOO], huge], ignore_index=True)
    rows = rows[rows["method"].isin(METHODS) & rows["objective"].notna()]
    rows = rows.assign(
        seconds=rows["build_s"] + rows["solve_s"],
        gap=(rows["bound"].astype(float) / rows["objective"].astype(float) - 1).clip(lower=0),
        stopped=rows["status"] == "time_limit",
        group=pd.cut(rows["clients"], CLIENTS),
    )
    table = rows.groupby(["method", "group"], observed=True, as_index=False).agg(
        clients=("clients", "median"),
        instances=("instance", "nunique"),
        median_s=("seconds", "median"),
        worst_s=("seconds", "max"),
        median_gap=("gap", "median"),
        worst_gap=("gap", "max"),
        stopped=("stopped", "sum"),
    )
    table["group"] = table["group"].astype(str)
    return table


def draw(inputs: Inputs, output: Path) -> None:
    """Write the table ``onloading_size`` and the figure."""
    table = size_table(inputs.record(RECORD), inputs.record(HUGE_RECORD))
    save_table(table, output, NAME)
    with paper_style():
        save_figure(_figure(table), output, NAME)


def _figure(table: pd.DataFrame) -> Figure:
    figure = Figure(figsize=(PAGE_WIDTH_IN, 3.0))
    left, right = figure.subplots(1, 2)
    for method in METHODS:
        title, colour = ONLOADING_METHODS[method_key(method)]
        mark = "s" if method == SOLVER else ONLOADING_MARKS[method]
        part = table[table["method"] == method].sort_values("clients")
        style = {"color": colour, "linewidth": 0.9, "marker": mark, "markersize": 4}
        left.plot(part["clients"], part["median_s"], label=f"{title} (HiGHS)" if method == SOLVER else title, **style)
        most = part[2 * part["stopped"] >= part["instances"]]
        left.plot(most["clients"], most["median_s"], linestyle="none", **style | {"markerfacecolor": "white"})
        right.plot(part["clients"], 100 * part["median_gap"].clip(lower=LEAST_GAP), **style)
    solver = table[table["method"] == SOLVER].sort_values("clients")
    share = f"{PAPER_J3O_TIME:.0%} of the solver's time"
    left.plot(solver["clients"], PAPER_J3O_TIME * solver["median_s"], label=share, **PAPER_LINE)
    for axes in (left, right):
        axes.set_xscale("log")
        axes.set_yscale("log")
        axes.set_xlabel("Clients")
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    left.set_ylabel("Run time (s)")
    right.set_ylabel("Proved gap (%)")
    figure.legend(*left.get_legend_handles_labels(), loc="outside lower center", ncols=4)
    return figure
