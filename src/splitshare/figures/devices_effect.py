"""What further devices, and a slower network, do to the latency of the best placement."""

from __future__ import annotations

from pathlib import Path
from textwrap import fill

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from splitshare.figures.declaration import Declaration
from splitshare.figures.inputs import Inputs
from splitshare.figures.sizes import PAGE_WIDTH_IN
from splitshare.figures.style import paper_style, save_figure, save_table

DECLARATION = Declaration(
    name="effect-of-devices",
    category="Latency",
    inputs=("placements.csv",),
    tables=("effect_of_devices",),
    drawn=("effect_of_devices",),
    caption="Latency of the optimum on each testbed, as a ratio to that on the first one; less is faster.",
    takeaway=(
        "A device that is added shortens most workloads, one that is faster than the others by far the most; "
        "over Wi-Fi a few get slower."
    ),
)

NAME = "effect_of_devices"
FAR = 3.0
"""Powers of two from one, from which on no cell is darker."""


def effect_table(placements: pd.DataFrame, devices: dict[str, int]) -> pd.DataFrame:
    """One row a testbed and workload: the optimum, and its ratio to that on the first testbed.

    Args:
        placements: the table ``placements.csv`` of a run.
        devices: number of devices by testbed, in the order to show.
    """
    optimum = placements.drop_duplicates(["workload", "testbed"])[["testbed", "workload", "optimum_s"]]
    chosen = optimum[optimum["testbed"].isin(devices)]
    first = chosen[chosen["testbed"] == next(iter(devices))].set_index("workload")["optimum_s"]
    table = chosen.assign(
        devices=chosen["testbed"].map(devices),
        ratio=chosen["optimum_s"] / chosen["workload"].map(first),
    )
    order = {name: i for i, name in enumerate(devices)}
    return table.sort_values("testbed", key=lambda names: names.map(order), kind="stable").reset_index(drop=True)


def draw(inputs: Inputs, output: Path) -> None:
    """Write the table and the figure ``effect_of_devices``."""
    testbeds = {name: inputs.testbed(name) for name in inputs.config.testbeds}
    table = effect_table(inputs.csv("placements.csv"), {name: len(t.devices) for name, t in testbeds.items()})
    save_table(table, output, NAME)
    with paper_style():
        workloads = {name: inputs.workload_title(name) for name in table["workload"].unique()}
        save_figure(_figure(table, {name: t.title for name, t in testbeds.items()}, workloads), output, NAME)


def _figure(table: pd.DataFrame, testbeds: dict[str, str], workloads: dict[str, str]) -> Figure:
    """A cell a workload and testbed: latency as a ratio to the first testbed's; the further from one, the darker."""
    ratios = table.pivot_table(index="workload", columns="testbed", values="ratio", sort=False)
    means = np.exp(np.log(ratios).mean()).rename("Geometric mean").to_frame().T
    cells = pd.concat([ratios, means])
    figure = Figure(figsize=(PAGE_WIDTH_IN, 0.9 + 0.19 * len(cells)))
    axes = figure.subplots()
    shades = np.log2(cells.to_numpy(dtype=float)).clip(-FAR, FAR)
    axes.imshow(shades, vmin=-1.6 * FAR, vmax=1.6 * FAR, cmap="PuOr_r", aspect="auto")
    for (i, j), ratio in np.ndenumerate(cells.to_numpy(dtype=float)):
        axes.annotate(f"{ratio:.2f}", (j, i), ha="center", va="center", size=7)
    axes.axhline(len(ratios) - 0.5, color="black", linewidth=0.8)
    axes.set_xticks(range(len(cells.columns)), [fill(testbeds[str(name)], 17) for name in cells.columns])
    axes.set_yticks(range(len(cells)), [workloads.get(str(name), str(name)) for name in cells.index])
    axes.xaxis.tick_top()
    axes.tick_params(length=0)
    axes.grid(visible=False)
    return figure
