"""J3O's decisions as planned and as replayed, at shares of the planned load."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
from matplotlib.artist import Artist
from matplotlib.figure import Figure

from splitshare.figures.declaration import Declaration
from splitshare.figures.inputs import Inputs
from splitshare.figures.palette import QUERIES
from splitshare.figures.sizes import PAGE_WIDTH_IN
from splitshare.figures.style import paper_style, save_figure, save_table
from splitshare.results.onloading import title_of

DECLARATION = Declaration(
    name="onloading-replay",
    category="Onloading",
    inputs=("onloading/replay.csv",),
    tables=("onloading_replay",),
    printed={
        "onloading_replay": {
            "instance": "Instance",
            "load": "Load",
            "planned_accuracy": ("Planned (%)", 100),
            "accuracy": ("Replayed (%)", 100),
            "accuracy_in_time": ("In time (%)", 100),
            "latency_mean_s": "Mean (s)",
            "latency_p95_s": "p95 (s)",
        }
    },
    drawn=("onloading_replay",),
    caption="J3O's decisions as planned and as replayed, with queues and real batches.",
    takeaway="What was planned holds query by query until the load is near what was planned for.",
)

NAME = "onloading_replay"
ACCURACIES = {"planned_accuracy": "planned", "accuracy": "mean", "accuracy_in_time": "in-time"}
LATENCIES = {"planned_latency_s": "planned", "latency_mean_s": "mean", "latency_p95_s": "p95"}


def draw(inputs: Inputs, output: Path) -> None:
    """Write the table and the figure ``onloading_replay``."""
    table = inputs.csv("onloading/replay.csv")
    save_table(
        table,
        output,
        NAME,
    )
    with paper_style():
        save_figure(_figure(table), output, NAME)


def _figure(table: pd.DataFrame) -> Figure:
    """Accuracy above, latency below; a column an instance, the load along it."""
    names = list(dict.fromkeys(table["instance"]))
    figure = Figure(figsize=(PAGE_WIDTH_IN, 3.6))
    panels = figure.subplots(2, len(names), sharex=True, sharey="row", squeeze=False)
    for column, name in enumerate(names):
        part = table[table["instance"] == name]
        for axes, drawn in zip(panels[:, column], (ACCURACIES, LATENCIES), strict=True):
            for field, key in drawn.items():
                title, line = QUERIES[key]
                axes.plot(part["load"], part[field], label=title, **line)
        panels[0][column].set_ylim(0, 1)
        panels[0][column].set_title(title_of(name))
        panels[1][column].set_yscale("log")
        panels[1][column].set_xlabel("Load (share of the plan's)")
    panels[0][0].set_ylabel("Mean accuracy")
    panels[1][0].set_ylabel("Latency (s)")
    labelled: dict[str, Artist] = {}
    for axes in panels[:, 0]:
        handles, labels = axes.get_legend_handles_labels()
        labelled |= dict(zip(labels, handles, strict=True))
    figure.legend(list(labelled.values()), list(labelled), loc="outside lower center", ncols=4)
    return figure
