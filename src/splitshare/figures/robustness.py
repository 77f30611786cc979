"""Whether claims and the order of methods hold when times are others; one that hangs on an assumed time is marked."""

from __future__ import annotations

from pathlib import Path
from textwrap import fill

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from splitshare.figures.declaration import Declaration
from splitshare.figures.inputs import Inputs
from splitshare.figures.palette import TITLES
from splitshare.figures.sizes import PAGE_WIDTH_IN
from splitshare.figures.style import paper_style, save_figure, save_table
from splitshare.results.robustness import RANKING, ROBUSTNESS, hangs_on_assumed

DECLARATION = Declaration(
    name="robustness",
    category="Claims",
    records=("robustness.csv",),
    tables=("robustness",),
    printed={
        "robustness": {
            "claim": "Claim",
            "reading": ("Reading", "5.2cm"),
            "as_recorded": "As recorded",
            "times": "Times",
            "spread": ("Off by (%)", 100),
            "draws": "Draws",
            "holds": ("Holds (%)", 100),
        }
    },
    drawn=("robustness",),
    caption=(
        "Share of seeded draws in which a claim holds when every time is off by up to so much, a factor a device and a "
        "factor a module on it, recorded on one machine. J1 is read on the small instances, J2 on a few that take "
        "the solver long."
    ),
    takeaway=(
        "The edge's best case, J3O's accuracy and run time, and the greedy's lead over list scheduling and packing "
        "hold in every draw; that the greedy is optimal as often as in the paper hangs on the times, on assumed ones "
        "too, most of all where modules are shared, and local search overtakes it in many draws."
    ),
    claim="S4",
)

NAME = "robustness"
INK_FROM = 0.6
"""Share from which on a cell is dark."""


def draw(inputs: Inputs, output: Path) -> None:
    """Write the table and the figure ``robustness``."""
    record = inputs.record(ROBUSTNESS)
    table = record.assign(hangs_on_assumed=hangs_on_assumed(record))
    save_table(table, output, NAME)
    with paper_style():
        save_figure(_figure(table), output, NAME)


def _figure(table: pd.DataFrame) -> Figure:
    """A row a claim and reading, a column a choice of times; the share in the cell."""
    shares = table.pivot_table(index=["claim", "reading"], columns=["times", "spread"], values="holds", sort=False)
    verdicts = table.drop_duplicates(["claim", "reading"])  # in the order of the shares
    figure = Figure(figsize=(PAGE_WIDTH_IN, 0.8 + 0.215 * len(shares)))
    axes = figure.subplots()
    values = shares.to_numpy(dtype=float)
    axes.imshow(np.where(np.isnan(values), 0.0, values), vmin=0, vmax=1, cmap="Blues", aspect="auto")
    for (i, j), share in np.ndenumerate(values):
        if not np.isnan(share):
            ink = "white" if share > INK_FROM else "black"
            axes.annotate(f"{100 * share:.3g}%", (j, i), ha="center", va="center", size=7, color=ink)
    labels = []
    for row in verdicts.to_dict("records"):
        mark = " (hangs on assumed times)" if bool(row["hangs_on_assumed"]) else ""
        told = _ranked(row["reading"]) if row["claim"] == RANKING else f"{row['claim']}, {row['reading']}"
        told += f" (n = {row['n']})"
        labels.append(f"{told}: {row['as_recorded']}{mark}")
    axes.set_yticks(range(len(shares)), [fill(label, 78) for label in labels])
    columns = shares.columns.to_frame(index=False)
    heads = [f"{which} times\n±{spread:.0%}" for which, spread in zip(columns["times"], columns["spread"], strict=True)]
    axes.set_xticks(range(len(heads)), heads)
    axes.xaxis.tick_top()
    axes.tick_params(length=0)
    axes.grid(visible=False)
    return figure


def _ranked(reading: str) -> str:
    """The reading with the other method's title in the place of its name."""
    before, _, method = reading.rpartition(" ")
    return f"{before} {TITLES.get(method, method)}"
