"""Memory of each model whole, split and shared, under both counting rules (claims S1 and S2)."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from splitshare.figures.declaration import Declaration
from splitshare.figures.inputs import Inputs
from splitshare.figures.style import (
    COLUMN_WIDTH_IN,
    MEMORY,
    legend_below,
    paper_style,
    save_figure,
    save_table,
)
from splitshare.results.memory import RULES, model_memory, workload_memory

DECLARATION = Declaration(
    name="memory",
    category="Memory",
    inputs=("modules.json",),
    tables=("memory_split", "memory_shared"),
    drawn=("memory_split", "memory_shared"),
    caption="Parameters of each model whole and split, and of each workload unshared and shared.",
    takeaway=(
        "Splitting saves what the largest module does not hold, sharing what several tasks have in common; "
        "how token embeddings are counted changes little."
    ),
    claim="S1",
)


def draw(inputs: Inputs, output: Path) -> None:
    """Write ``memory_split`` and ``memory_shared``, a table and a figure each."""
    descriptions = inputs.descriptions()
    models = model_memory(inputs.catalog, descriptions)
    shared = workload_memory(inputs.catalog, descriptions, inputs.config.workloads)
    several = shared[shared["models"] > 1]
    save_table(models, output, "memory_split", caption="Parameters of each model, whole and split (millions).")
    save_table(
        shared,
        output,
        "memory_shared",
        caption="Parameters of each workload, unshared and shared (millions).",
    )
    shares = models.assign(whole=100.0, largest=100 * models["largest_module_million"] / models["whole_million"])
    split = {"whole": ("Whole model", "whole"), "largest": ("Largest module", "split")}
    copies = {"unshared_million": ("A copy a model", "whole"), "shared_million": ("Shared modules", "shared")}
    with paper_style():
        figure = _bars(shares, "model", split, "Parameters (% of the whole model)")
        save_figure(figure, output, "memory_split")
        figure = _bars(several if len(several) else shared, "workload", copies, "Parameters (millions)")
        save_figure(figure, output, "memory_shared")


def _bars(table: pd.DataFrame, label: str, columns: dict[str, tuple[str, str]], unit: str) -> Figure:
    """A panel a counting rule, a row a model or workload, a bar a column; the saving beside them."""
    names = list(dict.fromkeys(table[label]))
    figure = Figure(figsize=(2 * COLUMN_WIDTH_IN, 0.9 + 0.25 * len(names)))
    height = 0.8 / len(columns)
    for axes, rule in zip(figure.subplots(1, len(RULES), sharey=True), RULES, strict=True):
        part = table[table["counting"] == rule]
        for i, (column, (title, colour)) in enumerate(columns.items()):
            positions = [row + (i - (len(columns) - 1) / 2) * height for row in range(len(names))]
            axes.barh(positions, part[column], height=height, label=title, color=MEMORY[colour])
        for row, (largest, saving) in enumerate(zip(part[list(columns)].max(axis=1), part["saving"], strict=True)):
            text = f"−{saving:.1%}" if saving >= 0.0005 else "0 %"
            axes.annotate(text, (largest, row), xytext=(3, 0), textcoords="offset points", va="center", size=7)
        axes.set_yticks(range(len(names)), names)
        axes.grid(visible=False, axis="y")
        axes.set_xlim(0, 1.25 * float(table[list(columns)].to_numpy().max()))
        axes.set_title(rule.capitalize())
        axes.set_xlabel(unit)
    axes.invert_yaxis()
    legend_below(figure, axes, columns=2)
    return figure
