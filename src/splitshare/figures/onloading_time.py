"""Run time of J3O against the solver that proves the optimum (claim J2), as recorded on one machine."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from splitshare.figures.inputs import Inputs
from splitshare.figures.style import (
    COLUMN_WIDTH_IN,
    ONLOADING_METHODS,
    legend_below,
    paper_style,
    save_figure,
    save_table,
)
from splitshare.results.onloading import RECORD, UNMEASURED

NAME = "onloading_run_time"
J3O, SOLVER, LICENSED = "j3o-batching", "optimum-highs", "optimum-gurobi"
WORK_S = 1.0
"""Seconds of the solver from which on a ratio of run times says something."""


def time_table(record: pd.DataFrame) -> pd.DataFrame:
    """A row an instance: seconds of building and solving by each, their ratio, and whether the solver got to its proof.

    Where time was up before (``proved`` false) the ratio is an upper bound. ``gurobi_s`` is empty, and
    ``gurobi_status`` ``unmeasured``, where the instance is larger than the size-limited licence takes.
    """
    seconds = record.assign(seconds=record["build_s"] + record["solve_s"])
    wide = seconds.pivot_table(index="instance", columns="method", values="seconds", sort=False)
    status = record.pivot_table(index="instance", columns="method", values="status", aggfunc="first", sort=False)
    facts = record.drop_duplicates("instance").set_index("instance")
    table = facts[["size", "batching", "clients", "servers", "tasks", "models"]].copy()
    table["j3o_s"], table["highs_s"] = wide[J3O], wide[SOLVER]
    table["proved"] = status[SOLVER] == "optimal"
    table["ratio"] = table["j3o_s"] / table["highs_s"]
    table["gurobi_s"] = wide.get(LICENSED)
    table["gurobi_status"] = status.get(LICENSED, UNMEASURED)
    return table.reset_index()


def summary(table: pd.DataFrame) -> pd.DataFrame:
    """A row a size, and one for all instances on which the solver works for more than a second."""
    parts = [(size, part) for size, part in table.groupby("size", sort=False)]
    parts.append((f"solver above {WORK_S:g} s", table[table["highs_s"] > WORK_S]))
    return pd.DataFrame(
        [
            {
                "instances_of": name,
                "instances": len(part),
                "proved": int(part["proved"].sum()),
                "j3o_median_s": part["j3o_s"].median(),
                "j3o_worst_s": part["j3o_s"].max(),
                "highs_median_s": part["highs_s"].median(),
                "mean_ratio": part["ratio"].mean(),
                "median_ratio": part["ratio"].median(),
                "worst_ratio": part["ratio"].max(),
                "total_ratio": part["j3o_s"].sum() / part["highs_s"].sum(),
            }
            for name, part in parts
            if len(part)
        ]
    )


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
