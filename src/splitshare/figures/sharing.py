"""Memory as tasks are added one by one: every model its own copy, or shared modules."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from textwrap import fill

import pandas as pd
from matplotlib.figure import Figure

from splitshare.catalog.loader import Catalog
from splitshare.figures.inputs import Inputs
from splitshare.figures.memory import RULES, counted_parameters
from splitshare.figures.style import COLUMN_WIDTH_IN, MEMORY, legend_below, paper_style, save_figure, save_table
from splitshare.profiling.records import ModuleDescriptions

NAME = "sharing_as_tasks_are_added"


def growth_table(catalog: Catalog, descriptions: ModuleDescriptions, models: Sequence[str]) -> pd.DataFrame:
    """One row a counting rule and number of models: parameters with a copy a model and with shared modules."""
    rows = []
    for rule in RULES:
        copies = 0.0
        shared: dict[str, float] = {}
        for count, name in enumerate(models, start=1):
            model = catalog.model(name)
            sizes = {
                ref.module: counted_parameters(descriptions.by_name[ref.module], rule) / 1e6
                for ref in (*model.encoders, model.head)
            }
            copies += sum(sizes.values())
            shared |= sizes
            total = sum(shared.values())
            rows.append(
                {
                    "counting": rule,
                    "models": count,
                    "added": model.title,
                    "task": catalog.tasks[model.task].title,
                    "unshared_million": copies,
                    "shared_million": total,
                    "saving": 1 - total / copies,
                }
            )
    return pd.DataFrame(rows)


def draw(inputs: Inputs, output: Path) -> None:
    """Write the table and the figure ``sharing_as_tasks_are_added``, over the largest of the nested workloads."""
    chain = nested_workload(inputs.catalog, inputs.config.workloads)
    table = growth_table(inputs.catalog, inputs.descriptions(), chain)
    save_table(table, output, NAME, caption="Parameters as models of further tasks are added (millions).")
    with paper_style():
        save_figure(_figure(table), output, NAME)


def nested_workload(catalog: Catalog, workloads: Sequence[str]) -> tuple[str, ...]:
    """Models of the largest workload, in the order in which the smaller ones inside it add them."""
    sets = sorted((catalog.workload(w).models for w in workloads if len(catalog.workload(w).models) > 1), key=len)
    if not sets:
        return catalog.workload(workloads[0]).models
    best: list[str] = []
    for first in sets:
        chain = list(first)
        for following in sets:
            if set(following) > set(chain):
                chain += [m for m in following if m not in chain]
        best = max(best, chain, key=len)
    return tuple(best)


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
