"""The whole distribution of latency at chosen loads."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from splitshare.figures.declaration import Declaration
from splitshare.figures.inputs import Inputs
from splitshare.figures.palette import LINES, method_key, methods_among
from splitshare.figures.sizes import BACKGROUND, PAGE_WIDTH_IN
from splitshare.figures.style import label_in_numbers, legend_below, paper_style, save_figure, save_table

DECLARATION = Declaration(
    name="latency_cdf",
    category="Replay",
    inputs=("load/latencies.csv",),
    tables=("latency_cdf",),
    drawn=("latency_cdf",),
    loaded=True,
    caption="Share of the requests that are answered within a time, at chosen loads; means of the percentiles over "
    "seeds. A method that serves less than the reference is overloaded sooner.",
    takeaway="At low load each step is a class of requests; at high load waiting hides the classes, and methods differ "
    "most in the tail.",
)

NAME = "latency_cdf"
STYLES: dict[str, dict[str, Any]] = {"optimum": {"linewidth": 3.2}}
"""What reaches the optimum is seen inside of its line."""


def draw(inputs: Inputs, output: Path) -> None:
    """Write the table and the figure ``latency_cdf``: a row of panels a testbed, a column a load."""
    table = inputs.csv("load/latencies.csv")
    sweep = inputs.config.load_sweep
    assert sweep is not None  # it is drawn where there is one
    save_table(table, output, NAME)
    titles = {f"{sweep.workload}.{testbed}": inputs.testbed(testbed).title for testbed in sweep.testbeds}
    with paper_style():
        save_figure(_figure(table, titles, list(sweep.latencies_at)), output, NAME)


def _figure(table: pd.DataFrame, titles: dict[str, str], loads: list[float]) -> Figure:
    figure = Figure(figsize=(PAGE_WIDTH_IN, 0.4 + 1.8 * len(titles)))
    methods = methods_among(table["method"].map(method_key))
    rows = figure.subfigures(len(titles), 1, squeeze=False)[:, 0]
    for row, (instance, title) in zip(rows, titles.items(), strict=True):
        own = table[table["instance"] == instance]
        row.suptitle(title, size=8)
        panels = row.subplots(1, len(loads), sharex=True, sharey=True, squeeze=False)[0]
        for axes, load in zip(panels, loads, strict=True):
            _panel(axes, own[own["share"] == load], methods)
            axes.set_title(f"Load {load:.0%}")
            axes.set_xlabel("Latency (s)")
        # Intervals of few seeds may reach below zero, which a logarithm has no place for.
        panels[0].set_xlim(0.8 * own["latency_s"].min(), 1.25 * own["latency_s"].max())
        panels[0].set_ylabel("Share of requests")
        label_in_numbers(panels[0].xaxis)  # the others have it with its limits
    legend_below(figure, panels[0], columns=6)
    return figure


def _panel(axes: Axes, table: pd.DataFrame, methods: dict[str, tuple[str, str, dict[str, Any]]]) -> None:
    """A line and the band of its intervals a method; nothing of one that places nothing here."""
    keys = table["method"].map(method_key)
    for method, (name, colour, _) in methods.items():
        rows = table[keys == method].sort_values("percent")
        share = rows["percent"] / 100
        low, high = rows["latency_s_low"], rows["latency_s_high"]
        axes.fill_betweenx(share, low, high, color=colour, alpha=0.15, linewidth=0, gid=BACKGROUND)
        axes.plot(
            rows["latency_s"], share, color=colour, label=name, **STYLES.get(method, {"ls": LINES.get(method, "-")})
        )
    axes.set_xscale("log")
    axes.set_ylim(0, 1)
