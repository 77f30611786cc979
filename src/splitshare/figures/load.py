"""Latency percentiles against offered load, for steady and bursty arrivals."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from splitshare.figures.declaration import Declaration
from splitshare.figures.inputs import Inputs
from splitshare.figures.palette import LINES, method_key, methods_among
from splitshare.figures.sizes import PAGE_WIDTH_IN
from splitshare.figures.style import legend_below, paper_style, save_figure, save_table
from splitshare.replay.metrics import OVERALL

DECLARATION = Declaration(
    name="load",
    category="Replay",
    inputs=("replay/replay.csv",),
    tables=("latency_against_load",),
    drawn=("latency_against_load",),
    caption="Median and 95th percentile of latency against offered load, for steady and bursty arrivals.",
    takeaway="Bursty arrivals make the tail long at loads that steady arrivals hardly notice.",
)

NAME = "latency_against_load"
PERCENTILES = {"p50_s": "Median", "p95_s": "95th percentile"}
"""Percentiles that are drawn, and their names."""


def load_table(replay: pd.DataFrame) -> pd.DataFrame:
    """Latency over all request classes: a row a link model, trace, method and offered rate."""
    overall = replay[replay["request"] == OVERALL]
    columns = [
        *("link_model", "trace", "method", "offered_per_s", "n", "mean_s", "p50_s", "p90_s", "p95_s", "p99_s"),
        *("throughput_per_s", "busiest_utilisation"),
    ]
    return overall[columns].reset_index(drop=True)


def draw(inputs: Inputs, output: Path) -> None:
    """Write the table (every link model) and the figure (the first one) ``latency_against_load``."""
    table = load_table(inputs.csv("replay/replay.csv"))
    link_model = inputs.config.replay.link_models[0]
    save_table(table, output, NAME)
    with paper_style():
        save_figure(_figure(table[table["link_model"] == link_model]), output, NAME)


def _figure(table: pd.DataFrame) -> Figure:
    traces = list(dict.fromkeys(table["trace"]))
    shown = methods_among(table["method"].map(method_key))
    figure = Figure(figsize=(PAGE_WIDTH_IN, 2 * 1.9))
    panels = figure.subplots(len(PERCENTILES), len(traces), sharex="col", sharey="row", squeeze=False)
    for row, (percentile, title) in zip(panels, PERCENTILES.items(), strict=True):
        for axes, trace in zip(row, traces, strict=True):
            part = table[table["trace"] == trace]
            keys = part["method"].map(method_key)
            for method, (name, colour, _) in shown.items():
                rows = part[keys == method].sort_values("offered_per_s")
                style = {"linestyle": LINES.get(method, "-"), "zorder": 3 if method in LINES else 2}
                axes.plot(rows["offered_per_s"], rows[percentile], marker=".", color=colour, label=name, **style)
            axes.set_yscale("log")
        row[0].set_ylabel(f"{title} latency (s)")
    for axes, trace in zip(panels[0], traces, strict=True):
        axes.set_title(f"{trace.capitalize()} arrivals")
    for axes in panels[-1]:
        axes.set_xlabel("Offered load (requests/s)")
    legend_below(figure, panels[0][0], columns=min(len(shown), 6))
    return figure
