"""Memory of each model whole, split and shared, under both counting rules (claims S1 and S2)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from splitshare.catalog.loader import Catalog
from splitshare.figures.inputs import Inputs
from splitshare.figures.style import (
    COLUMN_WIDTH_IN,
    MEMORY,
    legend_below,
    paper_style,
    save_figure,
    save_table,
)
from splitshare.profiling.records import ModuleDescription, ModuleDescriptions

RULES = {
    "all parameters": "every parameter of a module",
    "without token embedding": "token embeddings left out (a table look-up, no multiplication)",
}
"""The two ways to count a module's parameters."""


def counted_parameters(module: ModuleDescription, rule: str) -> int:
    """Parameters of ``module`` under a counting rule of ``RULES``."""
    return module.parameters - (module.embedding_parameters if rule == "without token embedding" else 0)


def model_memory(catalog: Catalog, descriptions: ModuleDescriptions) -> pd.DataFrame:
    """One row a model and counting rule: parameters whole, and of the largest module when split, in millions.

    ``saving`` is S1's: one minus largest module over whole model, the memory that the most loaded device no longer
    needs.
    """
    rows = []
    for model in catalog.models.values():
        for rule in RULES:
            sizes = [
                counted_parameters(descriptions.by_name[ref.module], rule) / 1e6
                for ref in (*model.encoders, model.head)
            ]
            rows.append(
                {
                    "number": model.number,
                    "model": model.title,
                    "encoders": len(model.encoders),
                    "counting": rule,
                    "whole_million": sum(sizes),
                    "largest_module_million": max(sizes),
                    "saving": 1 - max(sizes) / sum(sizes),
                }
            )
    return pd.DataFrame(rows)


def workload_memory(catalog: Catalog, descriptions: ModuleDescriptions, workloads: Sequence[str]) -> pd.DataFrame:
    """One row a workload and counting rule: parameters unshared and shared, in millions; ``saving`` is S2's."""
    rows = []
    for name in workloads:
        workload = catalog.workload(name)
        models = [catalog.model(m) for m in workload.models]
        unshared = [ref.module for model in models for ref in (*model.encoders, model.head)]
        for rule in RULES:
            size = {m: counted_parameters(descriptions.by_name[m], rule) / 1e6 for m in unshared}
            whole = sum(size[m] for m in unshared)
            rows.append(
                {
                    "workload": workload.title,
                    "models": len(models),
                    "counting": rule,
                    "unshared_million": whole,
                    "shared_million": sum(size.values()),
                    "saving": 1 - sum(size.values()) / whole,
                }
            )
    return pd.DataFrame(rows)


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
