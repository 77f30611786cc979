"""Memory as tasks are added one by one: every model its own copy, or shared modules."""

from __future__ import annotations

from pathlib import Path
from textwrap import fill

import pandas as pd
from matplotlib.figure import Figure

from splitshare.figures.declaration import Declaration
from splitshare.figures.inputs import Inputs
from splitshare.figures.style import COLUMN_WIDTH_IN, MEMORY, legend_below, paper_style, save_figure, save_table
from splitshare.results.growth import growth_table, nested_workload
from splitshare.results.memory import RULES

DECLARATION = Declaration(
    name="sharing",
    category="Memory",
    inputs=("modules.json",),
    tables=("sharing_as_tasks_are_added",),
    drawn=("sharing_as_tasks_are_added",),
    caption="Parameters as models of further tasks are added, with a copy a model and with shared modules.",
    takeaway="With shared modules a further task costs only what it does not have in common with the others.",
    claim="S2",
)

NAME = "sharing_as_tasks_are_added"


def draw(inputs: Inputs, output: Path) -> None:
    """Write the table and the figure ``sharing_as_tasks_are_added``, over the largest of the nested workloads."""
    chain = nested_workload(inputs.catalog, inputs.config.workloads)
    table = growth_table(inputs.catalog, inputs.descriptions(), chain)
    save_table(table, output, NAME, caption="Parameters as models of further tasks are added (millions).")
    with paper_style():
        save_figure(_figure(table), output, NAME)


def _figure(table: pd.DataFrame) -> Figure:
    figure = Figure(figsize=(2 * COLUMN_WIDTH_IN, 2.4))
    for axes, rule in zip(figure.subplots(1, len(RULES), sharey=True), RULES, strict=True):
        part = table[table["counting"] == rule]
        axes.plot(part["models"], part["unshared_million"], marker="o", color=MEMORY["whole"], label="A copy a model")
        axes.plot(part["models"], part["shared_million"], marker="o", color=MEMORY["shared"], label="Shared modules")
        for count, size, saving in part[["models", "shared_million", "saving"]].itertuples(index=False):
            if saving > 0:
                text = f"−{saving:.0%}"
                axes.annotate(text, (count, size), (0, -10), textcoords="offset points", ha="center", size=6)
        names = [f"{'+ ' if i else ''}{fill(name, 12)}" for i, name in enumerate(part["task"])]
        axes.set_xticks(part["models"], names, size=6)
        axes.margins(x=0.1, y=0.1)
        axes.set_title(rule.capitalize())
        axes.set_ylim(bottom=0)
    figure.axes[0].set_ylabel("Parameters (millions)")
    legend_below(figure, axes, columns=2)
    return figure
