"""Accuracy over time as the demand changes, by policy of re-deciding."""

from __future__ import annotations

from pathlib import Path

from splitshare.figures.declaration import Declaration
from splitshare.figures.follow_plot import follow_figure
from splitshare.figures.inputs import Inputs
from splitshare.figures.style import paper_style, save_figure, save_table

DECLARATION = Declaration(
    name="onloading-over-time",
    category="Onloading",
    records=("studies/instance.json", "studies/follow.csv"),
    tables=("onloading_over_time",),
    zoos=True,
    drawn=("onloading_over_time",),
    caption=(
        "A day of demand that rises and falls, of one medium instance of the onloading suite: mean accuracy of each "
        "span, and gigabytes of models moved until its end, by policy. Clairvoyant: knows all that comes, "
        "and its models travel in no time."
    ),
    takeaway=(
        "What stood at first loses accuracy as demand rises; weighing each move against its bytes gains as much as "
        "deciding from scratch, and moves fewer of them."
    ),
)

NAME = "onloading_over_time"


def draw(inputs: Inputs, output: Path) -> None:
    """Write the table ``onloading_over_time`` and the figure."""
    table = inputs.record("studies/follow.csv")
    save_table(table, output, NAME)
    with paper_style():
        save_figure(follow_figure(table), output, NAME)
