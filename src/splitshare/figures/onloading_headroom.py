"""What a plan that leaves links and processors some room is worth in a replay."""

from __future__ import annotations

from pathlib import Path

from splitshare.figures.declaration import Declaration
from splitshare.figures.headroom_plot import headroom_figure
from splitshare.figures.inputs import Inputs
from splitshare.figures.style import paper_style, save_figure, save_table

DECLARATION = Declaration(
    name="onloading-headroom",
    category="Onloading",
    records=("studies/instance.json", "studies/headroom.csv"),
    tables=("onloading_headroom",),
    zoos=True,
    drawn=("onloading_headroom",),
    caption=(
        "Replays of plans that may use a share of every link and processor, of one medium instance of the onloading "
        "suite, at several shares of the planned demand. Points are means over replays, bars reach from the "
        "least to the most. Left: accuracy, a late answer counting as wrong; dashed: as planned. Right: late queries."
    ),
    takeaway=(
        "A plan that uses everything up is best on paper and loses to one that leaves room as soon as queries queue; "
        "the higher the load, the more room pays."
    ),
)

NAME = "onloading_headroom"


def draw(inputs: Inputs, output: Path) -> None:
    """Write the table ``onloading_headroom`` and the figure."""
    table = inputs.record("studies/headroom.csv")
    save_table(table, output, NAME)
    with paper_style():
        save_figure(headroom_figure(table), output, NAME)
