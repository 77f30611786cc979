"""The embedded benchmark's arrangements: memory and recorded accuracy of a model a task and of shared encoders."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from splitshare.benchmarks.accuracy import AccuracyRecord, in_own_precision
from splitshare.catalog.loader import load_catalog
from splitshare.catalog.paths import EMBEDDED
from splitshare.figures.declaration import Declaration
from splitshare.figures.inputs import Inputs
from splitshare.figures.palette import MEMORY, TASKS
from splitshare.figures.sizes import PAGE_WIDTH_IN
from splitshare.figures.style import legend_below, paper_style, save_figure, save_table
from splitshare.profiling.records import ModuleDescriptions
from splitshare.results.embedded import arrangements
from splitshare.results.memory import RULES

DECLARATION = Declaration(
    name="embedded",
    category="Accuracy",
    inputs=("embedded_modules.json",),
    records=("accuracy.json",),
    tables=("embedded_arrangements",),
    printed={
        "embedded_arrangements": {
            "arrangement": ("Arrangement", "3cm"),
            "counting": ("Counting", "2cm"),
            "total_thousand": "All (k)",
            "largest_piece_thousand": "Largest (k)",
            "image_text_retrieval": ("Retrieval (%)", 100),
            "visual_question_answering": ("VQA (%)", 100),
            "image_classification": ("Class. (%)", 100),
        }
    },
    drawn=("embedded_arrangements",),
    caption="The embedded benchmark: parameters and accuracy of a model a task and of shared encoders.",
    takeaway="Sharing encoders saves parameters and leaves every answer as the whole model gives it.",
    claim="S3",
)

NAME = "embedded_arrangements"
DESCRIPTIONS = "embedded_modules.json"
RECORD = "accuracy.json"


def draw(inputs: Inputs, output: Path) -> None:
    """Write the table and the figure ``embedded_arrangements``."""
    catalog = load_catalog(inputs.catalog.root / EMBEDDED.name)
    descriptions = ModuleDescriptions.read(inputs.result(DESCRIPTIONS))
    record = AccuracyRecord.read(inputs.recorded(RECORD))
    rows = [row for row in in_own_precision(record.rows) if row.source == "embedded"]
    table = arrangements(catalog, descriptions, rows)
    save_table(table, output, NAME)
    with paper_style():
        tasks = {task.name.replace("-", "_"): task.title for task in catalog.tasks.values()}
        save_figure(_figure(table, tasks), output, NAME)


def _figure(table: pd.DataFrame, tasks: dict[str, str]) -> Figure:
    """Parameters on the left, accuracies with their intervals on the right; a row an arrangement."""
    shown = table[table["counting"] == next(iter(RULES))].reset_index(drop=True)
    figure = Figure(figsize=(PAGE_WIDTH_IN, 0.9 + 0.32 * len(shown)))
    memory, accuracy = figure.subplots(1, 2, sharey=True)
    for offset, column, title, bar in (
        (-0.2, "total_thousand", "All parameters", {"color": MEMORY["whole"]}),
        (0.2, "largest_piece_thousand", "Largest piece", {"facecolor": "white", "edgecolor": MEMORY["whole"]}),
    ):
        memory.barh(shown.index + offset, shown[column], height=0.36, label=title, linewidth=0.8, **bar)
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
