"""How J3O's rounds converge: the best decision so far and the bound, round by round; what its parts are worth."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from splitshare.figures.declaration import Declaration
from splitshare.figures.inputs import Inputs
from splitshare.figures.palette import ONLOADING_METHODS
from splitshare.figures.sizes import PAGE_WIDTH_IN
from splitshare.figures.style import legend_below, paper_style, save_figure, save_table
from splitshare.results.onloading import title_of

DECLARATION = Declaration(
    name="onloading-convergence",
    category="Onloading",
    inputs=("onloading/convergence.csv", "onloading/ablation.csv"),
    tables=("onloading_convergence", "onloading_ablation"),
    printed={
        "onloading_ablation": {
            "variant": "Variant of J3O",
            "instances": "n",
            "mean_share": ("Mean (%)", 100),
            "worst_share": ("Worst (%)", 100),
        }
    },
    drawn=("onloading_convergence",),
    caption="J3O round by round: this round's decision, the best so far, and the bound.",
    takeaway="The best decision rises and the bound falls, round by round, until little lies between them.",
    claim="J1",
)

NAME = "onloading_convergence"
ABLATION = "onloading_ablation"


def ablation_table(ablation: pd.DataFrame) -> pd.DataFrame:
    """A row a variant of J3O: share of the optimum, mean and worst."""
    return ablation.groupby("variant", sort=False, as_index=False).agg(
        instances=("ratio", "size"), mean_share=("ratio", "mean"), worst_share=("ratio", "min")
    )


def draw(inputs: Inputs, output: Path) -> None:
    """Write the tables ``onloading_convergence`` and ``onloading_ablation``, and the figure of the first."""
    rounds = inputs.csv("onloading/convergence.csv")
    save_table(rounds, output, NAME)
    save_table(
        ablation_table(inputs.csv("onloading/ablation.csv")),
        output,
        ABLATION,
    )
    with paper_style():
        save_figure(_figure(rounds), output, NAME)


def _figure(rounds: pd.DataFrame) -> Figure:
    names = list(dict.fromkeys(rounds["instance"]))
    figure = Figure(figsize=(PAGE_WIDTH_IN, 2.3))
    panels = figure.subplots(1, len(names), sharey=True, squeeze=False)[0]
    lines = {
        "bound": ("Upper bound by J3O's prices", ONLOADING_METHODS["optimum"][1], ":"),
        "incumbent": ("Best so far", ONLOADING_METHODS["j3o-batching"][1], "-"),
        "objective": ("This round", ONLOADING_METHODS["j3o"][1], "--"),
    }
    for axes, name in zip(panels, names, strict=True):
        part = rounds[rounds["instance"] == name]
        for column, (title, colour, style) in lines.items():
            axes.plot(part["round"], part[column] * 100, style, color=colour, label=title)
        axes.set_title(title_of(name))
        axes.set_xlabel("Round")
        axes.set_ylim(80, 115)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    panels[0].set_ylabel("Accuracy (% of the optimum,\nor of its best proved bound)")
    legend_below(figure, panels[0], columns=3)
    return figure
