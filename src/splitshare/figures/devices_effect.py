"""What further devices, and a slower network, do to the latency of the best placement."""

from __future__ import annotations

from pathlib import Path
from textwrap import fill

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from splitshare.figures.declaration import Declaration
from splitshare.figures.inputs import Inputs
from splitshare.figures.style import COLUMN_WIDTH_IN, METHODS, paper_style, save_figure, save_table

DECLARATION = Declaration(
    name="effect-of-devices",
    category="Latency",
    inputs=("placements.csv",),
    tables=("effect_of_devices",),
    drawn=("effect_of_devices",),
    caption="Latency of the optimum on each testbed, as a ratio to the first one.",
    takeaway=(
        "A device that is added shortens most workloads, one that is faster than the others by far the most; "
        "over Wi-Fi a few get slower."
    ),
)

NAME = "effect_of_devices"


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
    save_table(table, output, NAME, caption="Latency of the optimum by testbed, and against the first testbed.")
    with paper_style():
        save_figure(_figure(table, {name: t.title for name, t in testbeds.items()}), output, NAME)


def _figure(table: pd.DataFrame, titles: dict[str, str]) -> Figure:
    """A thin line a workload, a thick one for their geometric mean."""
    figure = Figure(figsize=(1.4 * COLUMN_WIDTH_IN, 2.7))
    axes = figure.subplots()
    colour = METHODS["s2m3-greedy"][1]
    for _, rows in table.groupby("workload", sort=False):
        axes.plot(rows["testbed"], rows["ratio"], color=colour, alpha=0.25, linewidth=0.7)
    mean = np.exp(np.log(table["ratio"]).groupby(table["testbed"], sort=False).mean())
    axes.plot(mean.index, mean, color=colour, marker="o", markersize=4, linewidth=1.8, label="Geometric mean")
    axes.set_xticks(range(len(mean)), [fill(titles[str(name)], 16) for name in mean.index], size=6)
    axes.set_yscale("log")
    axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.yaxis.set_minor_formatter(NullFormatter())
    axes.set_ylabel("Latency of the optimum,\nratio to the first testbed")
    axes.legend()
    return figure
