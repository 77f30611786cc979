"""Memory of each model whole and split, and of each workload unshared and shared, in bytes (claims S1 and S2)."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from splitshare.figures.declaration import Declaration
from splitshare.figures.inputs import Inputs
from splitshare.figures.palette import MEMORY, PAPER_LINE
from splitshare.figures.sizes import PAGE_WIDTH_IN
from splitshare.figures.style import paper_style, save_figure, save_table
from splitshare.results.claims_s2m3 import PAPER_SHARE_SAVING, PAPER_SPLIT_SAVING
from splitshare.results.memory import shared_bytes, split_bytes

DECLARATION = Declaration(
    name="memory",
    category="Memory",
    inputs=("modules.json",),
    tables=("memory_split", "memory_shared"),
    printed={
        "memory_split": {
            "model": "Model",
            "whole_bytes": ("Whole (GB)", 1e-09),
            "largest_module_bytes": ("Largest module (GB)", 1e-09),
            "saving": ("Saving (%)", 100),
        },
        "memory_shared": {
            "workload": "Workload",
            "models": "Models",
            "unshared_bytes": ("A copy a model (GB)", 1e-09),
            "shared_bytes": ("Shared (GB)", 1e-09),
            "saving": ("Saving (%)", 100),
        },
    },
    drawn=("memory_split", "memory_shared"),
    caption="Bytes of each model whole and split, of each workload unshared and shared, beside the paper's savings.",
    takeaway=(
        "Splitting saves what the largest module does not hold, which is little where one tower is most of a model; "
        "sharing saves what several tasks have in common, and nothing of a large decoder."
    ),
    claim="S1",
)


def draw(inputs: Inputs, output: Path) -> None:
    """Write ``memory_split`` and ``memory_shared``, a table and a figure each."""
    models = split_bytes(inputs.catalog, inputs.descriptions())
    shared = shared_bytes(inputs.catalog, inputs.descriptions(), inputs.config.workloads)
    several = shared[shared["models"] > 1]
    save_table(models, output, "memory_split")
    save_table(shared, output, "memory_shared")
    with paper_style():
        figure = _bars(models, ("model", "whole_bytes", "largest_module_bytes"), PAPER_SPLIT_SAVING, "split")
        save_figure(figure, output, "memory_split")
        table = several if len(several) else shared
        figure = _bars(table, ("workload", "unshared_bytes", "shared_bytes"), PAPER_SHARE_SAVING, "shared")
        save_figure(figure, output, "memory_shared")


def _bars(table: pd.DataFrame, columns: tuple[str, str, str], paper: float, way: str) -> Figure:
    """The saving of each row as a bar, its bytes before and after beside it, and the paper's saving as a line."""
    label, before, after = columns
    figure = Figure(figsize=(PAGE_WIDTH_IN, 0.9 + 0.24 * len(table)))
    axes = figure.subplots()
    axes.barh(range(len(table)), 100 * table["saving"], height=0.6, color=MEMORY[way])
    axes.axvline(100 * paper, **PAPER_LINE)
    axes.annotate(
        f"paper: up to {paper:.0%}",
        (100 * paper, 1),
        xycoords=("data", "axes fraction"),
        xytext=(0, 3),
        textcoords="offset points",
        ha="center",
        size=7,
    )
    for row, (saving, large, small) in enumerate(table[["saving", before, after]].itertuples(index=False)):
        told = f"{saving:.1%}: {_size(large)} to {_size(small)}"
        axes.annotate(told, (1.02, row), xycoords=("axes fraction", "data"), va="center", size=7)
    axes.set_yticks(range(len(table)), list(table[label]))
    axes.invert_yaxis()
    axes.set_xlim(0, 108 * max(paper, float(table["saving"].max())))
    axes.set_xlabel("Memory saved (% of bytes)")
    axes.grid(visible=False, axis="y")
    return figure


def _size(size: float) -> str:
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{size / 1e6:.0f} MB"
