"""What choosing batch sizes is worth: J3O with and without, and the optimum, where servers may batch."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from splitshare.figures.declaration import Declaration
from splitshare.figures.inputs import Inputs
from splitshare.figures.palette import ONLOADING_METHODS
from splitshare.figures.sizes import COLUMN_WIDTH_IN
from splitshare.figures.style import legend_below, paper_style, save_figure, save_table

DECLARATION = Declaration(
    name="onloading-batching",
    category="Onloading",
    inputs=("onloading/results.csv",),
    tables=("onloading_batching",),
    drawn=("onloading_batching",),
    caption="What choosing batch sizes adds to the accuracy.",
    takeaway="Choosing batch sizes never costs accuracy, and adds much on some instances.",
    claim="J1",
)

NAME = "onloading_batching"
SOLVER_TITLE = "Solver, 30 s"
"""What the exact method found in the time that the record gives it: the optimum, on most instances."""
DRAWN = ("optimum-highs", "j3o-batching", "j3o")


def batching_table(results: pd.DataFrame) -> pd.DataFrame:
    """A row an instance with batch sizes: accuracy by method, and what batching adds, ordered by that."""
    part = results[results["batching"] & results["method"].isin(DRAWN)]
    table = part.pivot_table(index=["instance", "size"], columns="method", values="objective", sort=False)
    table = table.reindex(columns=list(DRAWN))
    table.columns = [method.replace("-", "_") for method in DRAWN]
    table["gain"] = table["j3o_batching"] - table["j3o"]
    return table.reset_index().sort_values(["gain", "instance"], kind="stable").reset_index(drop=True)


def draw(inputs: Inputs, output: Path) -> None:
    """Write the table and the figure ``onloading_batching``."""
    table = batching_table(inputs.csv("onloading/results.csv"))
    save_table(table, output, NAME)
    with paper_style():
        save_figure(_figure(table), output, NAME)


def _figure(table: pd.DataFrame) -> Figure:
    """A column an instance, in the order of what batching adds."""
    figure = Figure(figsize=(COLUMN_WIDTH_IN, 2.3))
    axes = figure.subplots()
    low, high = table["j3o"].to_numpy(), table["j3o_batching"].to_numpy()
    axes.vlines(range(len(table)), low, high, color=ONLOADING_METHODS["j3o-batching"][1], linewidth=0.8)
    marks = {"optimum-highs": ("optimum", "_"), "j3o-batching": ("j3o-batching", "o"), "j3o": ("j3o", "x")}
    for method, (key, mark) in marks.items():
        title, colour = ONLOADING_METHODS[key]
        title = SOLVER_TITLE if key == "optimum" else title
        axes.plot(
            range(len(table)),
            table[method.replace("-", "_")],
            mark,
            color=colour,
            label=title,
            markersize=3.5,
            linewidth=0,
        )
    axes.set_xticks([])
    axes.set_xlabel("Instances with batch sizes, by what batching adds")
    axes.set_ylabel("Mean accuracy")
    legend_below(figure, axes, columns=3)
    return figure
