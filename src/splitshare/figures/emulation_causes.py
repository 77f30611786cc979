"""Real modules in worker processes: from the simulated to the emulated latency, one measured cause after another.

Drawn from a recorded campaign (``make record-emulation``): such times are of one machine.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from splitshare.figures.declaration import Declaration
from splitshare.figures.inputs import Inputs
from splitshare.figures.palette import CAUSES, REPLAYS
from splitshare.figures.sizes import PAGE_WIDTH_IN
from splitshare.figures.style import paper_style, save_figure, save_table
from splitshare.replay.metrics import OVERALL

DECLARATION = Declaration(
    name="emulation-causes",
    category="Replay",
    records=("emulation/causes.csv", "emulation/computing.csv"),
    tables=("emulation_causes", "emulation_computing"),
    drawn=("emulation_causes",),
    caption="Real modules in worker processes: what the simulator lacks, by measured causes.",
    takeaway="Nearly all that real modules take longer has a measured cause; little is left unexplained.",
)

NAME, COMPUTING = "emulation_causes", "emulation_computing"


def draw(inputs: Inputs, output: Path) -> None:
    """Write the tables ``emulation_causes`` and ``emulation_computing`` and the figure of the first."""
    causes = inputs.record("emulation/causes.csv")
    computing = inputs.record("emulation/computing.csv")
    save_table(causes, output, NAME)
    save_table(computing, output, COMPUTING)
    with paper_style():
        save_figure(_figure(causes, inputs.instance_title), output, NAME)


def added_s(row: pd.Series) -> dict[str, float]:
    """What each cause adds to the mean latency, in the order of ``CAUSES``; a negative one takes away.

    Args:
        row: of ``causes.csv``.
    """
    totals = {cause: float(row[f"with_{cause}_s"]) for cause in CAUSES if cause != "unexplained"}
    before_s = [float(row["ideal_s"]), *totals.values()]
    added = {cause: total - before for (cause, total), before in zip(totals.items(), before_s, strict=False)}
    return added | {"unexplained": float(row["emulated_s"]) - before_s[-1]}


def _figure(causes: pd.DataFrame, names: Callable[[str], str]) -> Figure:
    """A ladder for each instance, over all of its requests."""
    overall = causes[causes["request"] == OVERALL]
    figure = Figure(figsize=(PAGE_WIDTH_IN, 0.5 + 1.55 * len(overall)))
    panels = figure.subplots(len(overall), 1, squeeze=False)[:, 0]
    for axes, (_, row) in zip(panels, overall.iterrows(), strict=True):
        _ladder(axes, row)
        axes.set_title(f"{names(row['instance'])}: {row['workers']} workers on {row['cores']} cores", loc="left")
    panels[-1].set_xlabel("Mean latency (ms)")
    return figure


def _ladder(axes: Axes, row: pd.Series) -> None:
    """Simulated latency above, the emulated one below, each cause in between from where those before it end."""
    title, colour = REPLAYS["simulated"]
    rungs = [(f"{title}, ideal", 0.0, float(row["ideal_s"]), colour)]
    at_s = rungs[0][2]
    for cause, seconds in added_s(row).items():
        title, colour = CAUSES[cause]
        rungs.append((title, at_s, seconds, colour))
        at_s += seconds
    title, colour = REPLAYS["emulated"]
    rungs.append((title, 0.0, at_s, colour))
    bottom = len(rungs) - 1
    for place, (_, left_s, width_s, colour) in enumerate(rungs):
        axes.barh(place, width_s * 1e3, left=left_s * 1e3, color=colour, height=0.7)
        last = place == bottom
        text = f"{width_s * 1e3:.3g}" if last or not place else f"{width_s * 1e3:+.3g}"
        right_s = max(left_s, left_s + width_s, float(row["emulated_high_s"]) if last else 0.0)
        axes.annotate(text, (right_s * 1e3, place), (3, 0), textcoords="offset points", va="center", size=7)
    axes.hlines(bottom, row["emulated_low_s"] * 1e3, row["emulated_high_s"] * 1e3, color="black", linewidth=1.2)
    axes.set_yticks(range(len(rungs)), [title for title, *_ in rungs])
    axes.set_ylim(len(rungs) - 0.5, -0.5)
    axes.margins(x=0.08)
    axes.set_xlim(left=0)
    axes.grid(visible=False, axis="y")
