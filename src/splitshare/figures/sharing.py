"""Memory as tasks are added one by one: every model its own copy, or shared modules."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from splitshare.figures.declaration import Declaration
from splitshare.figures.inputs import Inputs
from splitshare.figures.palette import MEMORY
from splitshare.figures.sizes import COLUMN_WIDTH_IN
from splitshare.figures.style import legend_below, paper_style, save_figure, save_table
from splitshare.results.growth import growth_table, nested_workload

DECLARATION = Declaration(
    name="sharing",
    category="Memory",
    inputs=("modules.json",),
    tables=("sharing_as_tasks_are_added",),
    printed={
        "sharing_as_tasks_are_added": {
            "task": "Task added",
            "unshared_bytes": ("A copy a model (GB)", 1e-09),
            "shared_bytes": ("Shared (GB)", 1e-09),
            "saving": ("Saving (%)", 100),
        }
    },
    drawn=("sharing_as_tasks_are_added",),
    caption="Bytes as models of further tasks are added, with a copy of each module a model and with shared modules.",
    takeaway="With shared modules a further task costs only what it does not have in common with the others.",
    claim="S2",
)

NAME = "sharing_as_tasks_are_added"


def draw(inputs: Inputs, output: Path) -> None:
    """Write the table and the figure ``sharing_as_tasks_are_added``, over the largest of the nested workloads."""
    chain = nested_workload(inputs.catalog, inputs.config.workloads)
    table = growth_table(inputs.catalog, inputs.descriptions(), chain)
    save_table(table, output, NAME)
    with paper_style():
        save_figure(_figure(table), output, NAME)


def _figure(table: pd.DataFrame) -> Figure:
    """A row a task that is added, from above; bytes along it."""
    figure = Figure(figsize=(COLUMN_WIDTH_IN, 1.1 + 0.26 * len(table)))
    axes = figure.subplots()
    for column, title, way, mark in (
        ("shared_bytes", "Shared modules", "shared", "o"),
        ("unshared_bytes", "A copy a model", "split", "x"),
    ):
        axes.plot(table[column] / 1e9, table.index, marker=mark, markersize=4, color=MEMORY[way], label=title)
    for row, saving in enumerate(table["saving"]):
        if saving > 0:
            axes.annotate(f"−{saving:.0%}", (1.02, row), xycoords=("axes fraction", "data"), va="center", size=7)
    axes.set_yticks(table.index, [f"{'+ ' if i else ''}{name}" for i, name in enumerate(table["task"])])
    axes.set_ylim(len(table) - 0.5, -0.5)
    axes.set_xlim(left=0)
    axes.set_xlabel("Memory (GB)")
    legend_below(figure, axes, columns=2)
    return figure
