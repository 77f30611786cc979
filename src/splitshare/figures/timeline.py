"""What happens to a request of each class, device by device and link by link."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from splitshare.catalog.loader import Catalog
from splitshare.figures.declaration import Declaration
from splitshare.figures.inputs import Inputs
from splitshare.figures.palette import STAGES
from splitshare.figures.sizes import PAGE_WIDTH_IN
from splitshare.figures.style import paper_style, save_figure, save_table
from splitshare.results.timeline import LINK, timeline_table

DECLARATION = Declaration(
    name="timeline",
    category="Replay",
    inputs=("replay/timeline.parquet",),
    tables=("request_timeline",),
    drawn=("request_timeline",),
    caption="Stages of the first requests of a replay, by device and link.",
    takeaway="Encoders of a request run at the same time on different devices, and the head waits for the last.",
)

NAME = "request_timeline"


def draw(inputs: Inputs, output: Path) -> None:
    """Write the table and the figure ``request_timeline``."""
    table = timeline_table(inputs.parquet("replay/timeline.parquet"))
    save_table(table, output, NAME)
    with paper_style():
        save_figure(_figure(table, inputs.catalog), output, NAME)


def _figure(table: pd.DataFrame, catalog: Catalog) -> Figure:
    requests = [name for name in catalog.models if name in set(table["request"])]
    lanes = sorted(dict.fromkeys(table["lane"]), key=lambda lane: (LINK in lane, lane))
    height = 0.5 + len(requests) * (0.45 + 0.2 * len(lanes))
    figure = Figure(figsize=(PAGE_WIDTH_IN, height))
    for axes, request in zip(figure.subplots(len(requests), 1, squeeze=False)[:, 0], requests, strict=True):
        _panel(axes, table[table["request"] == request], lanes)
        axes.set_title(catalog.model(request).title, loc="left")
    axes.set_xlabel("Time since the request's arrival (s)")
    patches = [Patch(color=colour, label=title) for title, colour in STAGES.values()]
    figure.legend(handles=patches, loc="outside lower center", ncols=len(patches))
    return figure


def _panel(axes: Axes, rows: pd.DataFrame, lanes: list[str]) -> None:
    end_s = rows["finish_s"].max()
    for row in rows.itertuples():
        title, colour = STAGES.get(str(row.stage), STAGES["transfer"])
        # A transfer of milliseconds stays visible, encoders that follow each other stay apart.
        edge: dict[str, Any] = {"edgecolor": "white" if row.stage == "encode" else colour, "linewidth": 0.8}
        lane, start_s, finish_s = str(row.lane), float(row.start_s), float(row.finish_s)  # type: ignore[arg-type]
        axes.barh(lanes.index(lane), finish_s - start_s, left=start_s, height=0.7, color=colour, label=title, **edge)
        if finish_s - start_s > 0.2 * end_s:
            name = str(row.module).partition("@")[0]
            axes.annotate(
                name, ((start_s + finish_s) / 2, lanes.index(lane)), ha="center", va="center", size=7, color="w"
            )
    axes.set_yticks(range(len(lanes)), [lane.replace(LINK, " → ") for lane in lanes])
    axes.set_ylim(len(lanes) - 0.5, -0.5)
    axes.set_xlim(0, end_s * 1.02)
    axes.grid(visible=False, axis="y")
