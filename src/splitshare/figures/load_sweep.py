"""Goodput, and the share of requests in time, as the offered load grows from idle to saturation."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from splitshare.figures.declaration import Declaration
from splitshare.figures.inputs import Inputs
from splitshare.figures.palette import GREY, LINES, method_key, methods_among
from splitshare.figures.sizes import BACKGROUND, PAGE_WIDTH_IN
from splitshare.figures.style import label_in_numbers, legend_below, paper_style, save_figure, save_table

DECLARATION = Declaration(
    name="load_sweep",
    category="Replay",
    inputs=("load/points.csv", "load/knees.csv"),
    tables=("goodput_against_load", "load_knees"),
    drawn=("goodput_against_load",),
    printed={
        "load_knees": {
            "instance": ("Instance", "4cm"),
            "method": "Method",
            "knee_per_s": "In time (1/s)",
            "knee_per_s_low": "Low",
            "knee_per_s_high": "High",
            "holds_per_s": "Served (1/s)",
            "bottleneck": "Bottleneck",
        }
    },
    loaded=True,
    caption="Requests a second that are answered in time (goodput, above) and their share (below) against the offered "
    "load; vertical dashes mark the knee, the rate at which the share falls to its target.",
    takeaway="Limits are missed far below the rate that the devices serve, and goodput falls before they are full; "
    "whether sharing helps under load depends on the testbed.",
)

NAME = "goodput_against_load"
PANELS = {"goodput_per_s": "Goodput (requests/s)", "in_time": "Share in time"}


def draw(inputs: Inputs, output: Path) -> None:
    """Write the tables, and the figure ``goodput_against_load``: a column of panels a testbed."""
    points, knees = inputs.csv("load/points.csv"), inputs.csv("load/knees.csv")
    sweep = inputs.config.load_sweep
    assert sweep is not None  # it is drawn where there is one
    save_table(points, output, NAME)
    save_table(knees, output, "load_knees")
    names = [f"{sweep.workload}.{testbed}" for testbed in sweep.testbeds]
    titles = {name: inputs.testbed(testbed).title for name, testbed in zip(names, sweep.testbeds, strict=True)}
    with paper_style():
        save_figure(_figure(points, knees, titles, sweep.attainment), output, NAME)


def _figure(points: pd.DataFrame, knees: pd.DataFrame, titles: dict[str, str], attainment: float) -> Figure:
    figure = Figure(figsize=(PAGE_WIDTH_IN, 3.9))
    methods = methods_among(points["method"].map(method_key))
    panels = figure.subplots(len(PANELS), len(titles), sharex="col", sharey="row", squeeze=False)
    for column, (instance, title) in enumerate(titles.items()):
        own, marks = (table[table["instance"] == instance] for table in (points, knees))
        for axes, (value, label) in zip(panels[:, column], PANELS.items(), strict=True):
            _panel(axes, own, marks, value, methods)
            if column == 0:
                axes.set_ylabel(label)
        panels[0, column].set_title(title)
        panels[1, column].axhline(attainment, color=GREY, linestyle=":", linewidth=0.8, zorder=1)
        panels[1, column].set_ylim(0, 1.03)
        panels[1, column].set_xlabel("Offered load (requests/s)")
    panels[0, 0].set_ylim(bottom=0)  # of all of the row, with everything drawn
    legend_below(figure, panels[0, 0], columns=6)
    return figure


def _panel(
    axes: Axes,
    points: pd.DataFrame,
    knees: pd.DataFrame,
    value: str,
    methods: dict[str, tuple[str, str, dict[str, Any]]],
) -> None:
    """Lines with bands of the intervals, a method each, and its knee; nothing of one that places nothing here."""
    keys = points["method"].map(method_key)
    for method, (name, colour, mark) in methods.items():
        rows = points[keys == method].sort_values("offered_per_s")
        x = rows["offered_per_s"]
        axes.fill_between(
            x, rows[f"{value}_low"], rows[f"{value}_high"], color=colour, alpha=0.15, linewidth=0, gid=BACKGROUND
        )
        axes.plot(x, rows[value], color=colour, label=name, linestyle=LINES.get(method, "-"), **mark)
        for knee in knees.loc[knees["method"].map(method_key) == method, "knee_per_s"]:
            axes.axvline(knee, color=colour, linestyle=(0, (3, 2)), linewidth=0.7, zorder=1)
    axes.set_xscale("log")
    label_in_numbers(axes.xaxis)
