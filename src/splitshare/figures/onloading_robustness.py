"""What plans that do not know the demand miss, by draw."""

from __future__ import annotations

from pathlib import Path

from splitshare.figures.declaration import Declaration
from splitshare.figures.inputs import Inputs
from splitshare.figures.style import paper_style, save_figure, save_table
from splitshare.figures.uncertain_plot import uncertain_figure

DECLARATION = Declaration(
    name="onloading-robustness",
    category="Onloading",
    records=("studies/instance.json", "studies/uncertain.csv"),
    tables=("onloading_robustness",),
    zoos=True,
    drawn=("onloading_robustness",),
    caption=(
        "Plans made before the demand is known, of one medium instance of the onloading suite, judged on "
        "demands that they were not chosen by. Left: share of demands at which mean accuracy is at most so much. "
        "Right: what is missed of deciding anew for each demand, against the demand."
    ),
    takeaway=(
        "A plan for the mean demand misses some of what knowing each demand would give; one that was chosen over "
        "samples of it misses less, and costs nothing at the mean."
    ),
)

NAME = "onloading_robustness"


def draw(inputs: Inputs, output: Path) -> None:
    """Write the table ``onloading_robustness`` and the figure."""
    table = inputs.record("studies/uncertain.csv")
    save_table(table, output, NAME)
    with paper_style():
        save_figure(uncertain_figure(table), output, NAME)
