"""Latency of an idle request by method, workload and testbed."""

from __future__ import annotations

from pathlib import Path

from splitshare.figures.declaration import Declaration
from splitshare.figures.inputs import Inputs
from splitshare.figures.latency_by_method import (
    column_of,
    compute_provenance,
    latency_figure,
    latency_table,
    ratio_figure,
)
from splitshare.figures.palette import method_key
from splitshare.figures.style import paper_style, save_figure, save_table
from splitshare.results.cloud import at_cell

DECLARATION = Declaration(
    name="latency",
    category="Latency",
    inputs=("placements.csv", "cloud_grid.csv"),
    profiles="testbeds",
    tables=("latency_by_method",),
    drawn=("latency_by_method",),
    caption=(
        "Mean latency of an idle request by each method as a multiple of the optimum's; a mark a workload, the "
        "cloud at the cell of the verdict."
    ),
    takeaway="The greedy stands at the optimum; sequential routing is slower where several encoders take time.",
    claim="S4",
)

DECLARATION_HERE = Declaration(
    name="latency-local",
    category="Latency",
    inputs=("placements.csv",),
    profiles="testbeds",
    tables=("latency_by_method",),
    drawn=("latency_by_method",),
    scopes=("local",),
    caption="Mean latency of an idle request by method and workload, with this machine.",
    takeaway=(
        "On this machine beside derived devices the picture is the one of the canonical testbeds, with measured times."
    ),
)

NAME = "latency_by_method"
CLOUD_GRID = "cloud_grid.csv"
"""Where the run has it, the cloud at the stated cell stands beside the other methods."""


def draw(inputs: Inputs, output: Path) -> None:
    """Write the table and the figure ``latency_by_method``."""
    placements = inputs.csv("placements.csv")
    table = latency_table(placements)
    methods = list(placements["method"].map(method_key))
    if CLOUD_GRID in inputs.declared.inputs:
        stated = at_cell(inputs.csv(CLOUD_GRID), inputs.config.cloud.stated)
        table[column_of("cloud")] = table["workload"].map(stated.set_index("workload")["cloud_s"])
        methods.append("cloud")
    origins = {name: compute_provenance(inputs, name) for name in table["testbed"].unique()}
    table["compute_times"] = table["testbed"].map(origins)
    save_table(table, output, NAME)
    with paper_style():
        titles = {name: inputs.testbed(name).title for name in table["testbed"].unique()}
        if inputs.declared.name == DECLARATION.name:
            save_figure(ratio_figure(table, methods, titles), output, NAME)
            return
        workloads = {name: inputs.workload_title(name) for name in table["workload"].unique()}
        save_figure(latency_figure(table, methods, workloads, titles), output, NAME)
