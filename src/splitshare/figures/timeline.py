"""What happens to the first requests of a replay, device by device and link by link."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from splitshare.figures.inputs import Inputs
from splitshare.figures.style import COLUMN_WIDTH_IN, STAGES, legend_below, paper_style, save_figure, save_table

NAME = "request_timeline"


def timeline_table(stages: pd.DataFrame, requests: int) -> pd.DataFrame:
    """Stages of the first ``requests`` requests that use a device or a link, by the time they start."""
    first = stages[stages["request_id"].isin(stages["request_id"].drop_duplicates().head(requests))]
    lane = first["device"].astype(object).fillna(first["link"].astype(object))
    table = first.assign(lane=lane)[lane.notna()]
    columns = ["request_id", "request", "stage", "module", "lane", "ready_s", "start_s", "finish_s"]
    return table[columns].sort_values(["start_s", "request_id", "lane"], kind="stable").reset_index(drop=True)


def draw(inputs: Inputs, output: Path) -> None:
    """Write the table and the figure ``request_timeline``."""
    requests = inputs.config.replay.timeline.requests
    table = timeline_table(inputs.parquet("replay/timeline.parquet"), requests)
    save_table(table, output, NAME, caption=f"Stages of the first {requests} requests (seconds).")
    with paper_style():
        save_figure(_figure(table, is_link=lambda lane: "->" in lane), output, NAME)


def _figure(table: pd.DataFrame, is_link: Callable[[str], bool]) -> Figure:
    lanes = sorted(dict.fromkeys(table["lane"]), key=lambda lane: (is_link(lane), lane))
    figure = Figure(figsize=(2 * COLUMN_WIDTH_IN, 0.9 + 0.32 * len(lanes)))
    axes = figure.subplots()
    origin = table["ready_s"].min()
    drawn = set()
    for row in table.itertuples():
        key = row.stage if row.stage in STAGES else "transfer"
        title, colour = STAGES[key]
        axes.barh(
            lanes.index(row.lane),
            row.finish_s - row.start_s,
            left=row.start_s - origin,
            height=0.72,
            color=colour,
            edgecolor="white",
            linewidth=0.4,
            label=None if key in drawn else title,
        )
        drawn.add(key)
        if row.finish_s - row.start_s > 0.02 * (table["finish_s"].max() - origin):
            middle = (row.start_s + row.finish_s) / 2 - origin
            axes.annotate(str(row.request_id), (middle, lanes.index(row.lane)), ha="center", va="center", size=6)
    axes.set_yticks(range(len(lanes)), [lane.replace("->", " → ") for lane in lanes])
    axes.invert_yaxis()
    axes.grid(visible=False, axis="y")
    axes.set_xlabel("Time since the first arrival (s); numbers are requests")
    legend_below(figure, axes, columns=3)
    return figure
