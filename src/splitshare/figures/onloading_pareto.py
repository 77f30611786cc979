"""Run time against accuracy of every onloading method, and how run time grows with the number of clients."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from splitshare.figures.declaration import Declaration
from splitshare.figures.inputs import Inputs
from splitshare.figures.palette import ONLOADING_MARKS, ONLOADING_METHODS, method_key
from splitshare.figures.sizes import PAGE_WIDTH_IN
from splitshare.figures.style import paper_style, save_figure, save_table
from splitshare.results.onloading import RECORD, UNMEASURED, references, with_reference

DECLARATION = Declaration(
    name="onloading-pareto",
    category="Onloading",
    records=("onloading.csv",),
    tables=("onloading_pareto", "onloading_scaling"),
    printed={
        "onloading_pareto": {
            "method": "Method",
            "instances": "n",
            "mean_s": "Mean (s)",
            "worst_s": "Longest (s)",
            "mean_missing": ("Accuracy missing (%)", 100),
            "pareto": "Not dominated",
        },
    },
    drawn=("onloading_pareto",),
    caption=(
        "Left: mean run time of every onloading method against the accuracy that it misses of the optimum (or of its "
        "best proved bound), over the whole suite. Right: median run time by the number of clients."
    ),
    takeaway=(
        "J3O with batching takes a small part of the solver's time and misses little; decomposed by servers (ours) it "
        "takes less and misses less, and what is faster still misses far more."
    ),
    claim="J2",
)

NAME, SCALING = "onloading_pareto", "onloading_scaling"
SOLVER = "optimum-highs"
CLIENTS = (0, 5, 15, 30, 60, 120, 250)
"""Bounds of the groups of instances by their clients."""
LEAST_MISSING = 1e-4
"""What misses less is drawn there."""


def pareto_table(record: pd.DataFrame) -> pd.DataFrame:
    """A row a method that ran on the whole suite: seconds and the share of accuracy that is missing, means over it."""
    results = with_reference(record[record["status"] != UNMEASURED], references(record))
    seconds = (results["build_s"] + results["solve_s"]).rename("seconds")
    rows = results.assign(seconds=seconds, missing=1 - results["ratio"])
    every = rows["instance"].nunique()
    whole = rows[rows.groupby("method")["instance"].transform("nunique") == every]
    table = whole.groupby("method", sort=False, as_index=False).agg(
        instances=("instance", "nunique"),
        mean_s=("seconds", "mean"),
        worst_s=("seconds", "max"),
        mean_missing=("missing", "mean"),
    )
    better = []
    for method, mean_s, missing in table[["method", "mean_s", "mean_missing"]].itertuples(index=False):
        others = table[table["method"] != method]
        better.append(bool(((others["mean_s"] <= mean_s) & (others["mean_missing"] <= missing)).any()))
    return table.assign(pareto=[not dominated for dominated in better]).sort_values("mean_s", ignore_index=True)


def scaling_table(record: pd.DataFrame) -> pd.DataFrame:
    """A row a method and group of instances by clients: how many, their mean number of clients, median seconds."""
    ran = record[record["status"] != UNMEASURED]
    rows = ran.assign(seconds=ran["build_s"] + ran["solve_s"], group=pd.cut(ran["clients"], CLIENTS).astype(str))
    return rows.groupby(["method", "group"], sort=False, as_index=False).agg(
        instances=("instance", "nunique"), clients=("clients", "mean"), median_s=("seconds", "median")
    )


def draw(inputs: Inputs, output: Path) -> None:
    """Write the tables ``onloading_pareto`` and ``onloading_scaling``, and the figure of both."""
    record = inputs.record(RECORD)
    pareto, scaling = pareto_table(record), scaling_table(record)
    save_table(pareto, output, NAME)
    save_table(scaling, output, SCALING)
    with paper_style():
        save_figure(_figure(pareto, scaling), output, NAME)


def _figure(pareto: pd.DataFrame, scaling: pd.DataFrame) -> Figure:
    figure = Figure(figsize=(PAGE_WIDTH_IN, 3.1))
    left, right = figure.subplots(1, 2)
    for method, (title, colour) in ONLOADING_METHODS.items():
        mark = {"marker": ONLOADING_MARKS[method], "color": colour, "markersize": 5}
        for row in pareto[pareto["method"].map(method_key) == method].itertuples():
            missing = max(100 * float(row.mean_missing), 100 * LEAST_MISSING)  # type: ignore[arg-type]
            left.plot([row.mean_s], [missing], linestyle="none", label=title, **mark)
        own = SOLVER if method == "optimum" else method
        part = scaling[scaling["method"] == own].sort_values("clients")
        if len(part):
            right.plot(part["clients"], part["median_s"], linewidth=0.9, **mark | {"markersize": 4})
    front = pareto[pareto["pareto"]].sort_values("mean_s")
    left.plot(
        front["mean_s"],
        (100 * front["mean_missing"]).clip(lower=100 * LEAST_MISSING),
        color="0.5",
        linewidth=0.7,
        zorder=1,
    )
    for axes in (left, right):
        axes.set_xscale("log")
        axes.set_yscale("log")
    left.set_xlabel("Mean run time (s)")
    left.set_ylabel("Accuracy missing (%)")
    right.set_xlabel("Clients")
    right.set_ylabel("Median run time (s)")
    handles, labels = left.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=5)
    return figure
