"""Latency of an idle request by method, workload and testbed."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from splitshare.catalog.loader import Catalog
from splitshare.figures.inputs import Inputs
from splitshare.figures.style import (
    COLUMN_WIDTH_IN,
    METHODS,
    legend_below,
    method_key,
    paper_style,
    save_figure,
    save_table,
)

NAME = "latency_by_method"


def latency_table(placements: pd.DataFrame) -> pd.DataFrame:
    """One row a workload and testbed, one column a method: mean idle latency in seconds, empty where infeasible."""
    shown = placements.assign(method=placements["method"].map(method_key))
    first = shown.drop_duplicates(["workload", "testbed", "method"])  # two solvers prove the same optimum
    table = first.pivot(index=["testbed", "workload"], columns="method", values="objective_s")  # noqa: PD010
    order = first[["testbed", "workload"]].drop_duplicates()
    columns = [m for m in METHODS if m in table.columns]
    named = {m: f"{m.replace('-', '_')}_s" for m in columns}
    return order.merge(table[columns].rename(columns=named).reset_index(), on=["testbed", "workload"], sort=False)


def compute_provenance(inputs: Inputs, testbed: str) -> str:
    """Where the compute times of a testbed's devices come from, such as ``laptop: derived, published``."""
    told = []
    for device in dict.fromkeys(d.device for d in inputs.testbed(testbed).devices):
        kinds = sorted({row.provenance for row in inputs.device_profile(device).rows})
        told.append(f"{device}: {', '.join(kinds)}")
    return "; ".join(told)


def draw(inputs: Inputs, output: Path) -> None:
    """Write the table and the figure ``latency_by_method``."""
    table = latency_table(inputs.csv("placements.csv"))
    origins = {name: compute_provenance(inputs, name) for name in table["testbed"].unique()}
    table["compute_times"] = table["testbed"].map(origins)
    save_table(table, output, NAME, caption="Mean latency of an idle request (seconds).")
    with paper_style():
        titles = {name: inputs.testbed(name).title for name in table["testbed"].unique()}
        save_figure(_figure(table, inputs.catalog, titles), output, NAME)


def _figure(table: pd.DataFrame, catalog: Catalog, titles: dict[str, str]) -> Figure:
    testbeds = list(dict.fromkeys(table["testbed"]))
    methods = [m for m in METHODS if f"{m.replace('-', '_')}_s" in table]
    rows = len(dict.fromkeys(table["workload"]))
    figure = Figure(figsize=(COLUMN_WIDTH_IN * min(2, len(testbeds)), 0.9 + 0.11 * rows * (len(methods) + 1)))
    height = 0.85 / len(methods)
    for axes, testbed in zip(figure.subplots(1, len(testbeds), sharey=True, squeeze=False)[0], testbeds, strict=True):
        part = table[table["testbed"] == testbed].reset_index(drop=True)
        for i, method in enumerate(methods):
            title, colour = METHODS[method]
            values = part[f"{method.replace('-', '_')}_s"]
            positions = part.index + (i - (len(methods) - 1) / 2) * height
            axes.barh(positions, values.fillna(0.0), height=height, color=colour, label=title)
            for position in positions[values.isna()]:
                axes.annotate(
                    "does not fit",
                    (0, position),
                    xytext=(2, 0),
                    textcoords="offset points",
                    va="center",
                    size=5,
                )
        axes.set_yticks(part.index, [catalog.workload(w).title for w in part["workload"]])
        axes.set_title(titles[testbed])
        axes.set_xlabel("Mean latency, idle (s)")
        axes.grid(visible=False, axis="y")
        axes.set_xlim(left=0)
    axes.invert_yaxis()
    legend_below(figure, axes, columns=3)
    return figure
