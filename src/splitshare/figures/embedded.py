"""The embedded benchmark's arrangements: memory and recorded accuracy of a model a task and of shared encoders."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from splitshare.benchmarks.accuracy import AccuracyRecord, AccuracyRow, Arrangement
from splitshare.catalog.loader import Catalog, load_catalog
from splitshare.catalog.paths import EMBEDDED
from splitshare.figures.inputs import Inputs
from splitshare.figures.memory import RULES, counted_parameters
from splitshare.figures.style import COLUMN_WIDTH_IN, MEMORY, TASKS, legend_below, paper_style, save_figure, save_table
from splitshare.profiling.records import ModuleDescriptions

NAME = "embedded_arrangements"
DESCRIPTIONS = "embedded_modules.json"
RECORD = "accuracy.json"


@dataclass(frozen=True)
class _Row:
    """A way to arrange the three tasks: the workload, how its models are held, how they answer."""

    title: str
    workload: str
    pieces: Literal["models", "modules", "shared modules"]
    arrangement: Arrangement


_ROWS = (
    _Row("A model a task, whole", "embedded-alone", "models", "whole"),
    _Row("A model a task, split", "embedded-alone", "modules", "split"),
    _Row("Shared encoders, a whole copy a task", "embedded-together", "models", "whole"),
    _Row("Shared encoders, split, a copy a task", "embedded-together", "modules", "split"),
    _Row("Shared encoders, split and shared", "embedded-together", "shared modules", "shared"),
)


def arrangements(catalog: Catalog, descriptions: ModuleDescriptions, rows: Sequence[AccuracyRow]) -> pd.DataFrame:
    """One row an arrangement and counting rule.

    ``total_thousand`` are the parameters of all three tasks, ``largest_piece_thousand`` those that one device must hold
    at least, both in thousands; accuracies are top-1 by task, with the ends of their 95 % intervals; ``differing`` are
    the predictions, of all tasks, that are not those of the same models in one piece.
    """
    found = {(row.model, row.arrangement): row for row in rows if row.metric == "top-1"}
    table = []
    for row in _ROWS:
        models = [catalog.model(name) for name in catalog.workload(row.workload).models]
        judged = [found[model.name, row.arrangement] for model in models]
        accuracy: dict[str, float] = {}
        for model, measured in zip(models, judged, strict=True):
            task = model.task.replace("-", "_")
            accuracy |= {task: measured.value, f"{task}_low": measured.ci_low, f"{task}_high": measured.ci_high}
        for rule in RULES:
            size = {name: counted_parameters(descriptions.by_name[name], rule) / 1e3 for name in catalog.modules()}
            refs = [[ref.module for ref in model.modules().values()] for model in models]
            modules = [module for names in refs for module in names]
            pieces = {
                "models": [sum(size[module] for module in names) for names in refs],
                "modules": [size[module] for module in modules],
                "shared modules": [size[module] for module in dict.fromkeys(modules)],
            }[row.pieces]
            table.append(
                {
                    "arrangement": row.title,
                    "counting": rule,
                    "total_thousand": sum(pieces),
                    "largest_piece_thousand": max(pieces),
                    **accuracy,
                    "requests": sum(measured.samples for measured in judged),
                    "differing": sum(measured.differing_predictions for measured in judged),
                }
            )
    return pd.DataFrame(table)


def draw(inputs: Inputs, output: Path) -> None:
    """Write the table and the figure ``embedded_arrangements``."""
    catalog = load_catalog(inputs.catalog.root / EMBEDDED.name)
    descriptions = ModuleDescriptions.read(inputs.results / DESCRIPTIONS)
    record = AccuracyRecord.read(inputs.baselines / RECORD)
    table = arrangements(catalog, descriptions, [row for row in record.rows if row.source == "embedded"])
    save_table(
        table, output, NAME, caption="The embedded benchmark: parameters (thousands) and accuracy of each arrangement."
    )
    with paper_style():
        tasks = {task.name.replace("-", "_"): task.title for task in catalog.tasks.values()}
        save_figure(_figure(table, tasks), output, NAME)


def _figure(table: pd.DataFrame, tasks: dict[str, str]) -> Figure:
    """Parameters on the left, accuracies with their intervals on the right; a row an arrangement."""
    shown = table[table["counting"] == next(iter(RULES))].reset_index(drop=True)
    figure = Figure(figsize=(2 * COLUMN_WIDTH_IN, 0.9 + 0.32 * len(shown)))
    memory, accuracy = figure.subplots(1, 2, sharey=True)
    for offset, column, title, colour in (
        (-0.2, "total_thousand", "All parameters", "shared"),
        (0.2, "largest_piece_thousand", "Largest piece", "split"),
    ):
        memory.barh(shown.index + offset, shown[column], height=0.36, label=title, color=MEMORY[colour])
    memory.set_yticks(shown.index, shown["arrangement"])
    memory.set_xlabel("Parameters (thousands)")
    memory.grid(visible=False, axis="y")
    memory.invert_yaxis()
    memory.legend(loc="lower right")
    for i, (task, title) in enumerate(tasks.items()):
        places = shown.index + 0.22 * (i - 1)
        low, high = (100 * (shown[task] - shown[f"{task}_low"]), 100 * (shown[f"{task}_high"] - shown[task]))
        marks = {"linestyle": "none", "markersize": 3, "elinewidth": 0.8, "label": title, **TASKS[i]}
        accuracy.errorbar(100 * shown[task], places, xerr=(low, high), **marks)
    accuracy.xaxis.set_major_locator(MaxNLocator(5))
    accuracy.set_xlabel("Test accuracy, top-1 (%), 95 % interval")
    legend_below(figure, accuracy, columns=len(tasks))
    return figure
