"""One page: every claim with the paper's number, ours, the rule, what its times rest on, a plot, and the verdict."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from textwrap import fill

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from splitshare.figures.all_claims import claims_of, times_of
from splitshare.figures.declaration import Declaration
from splitshare.figures.inputs import Inputs
from splitshare.figures.palette import VERDICTS
from splitshare.figures.sizes import PAGE_WIDTH_IN
from splitshare.figures.style import paper_style, save_figure, save_table
from splitshare.figures.summary_plots import plot
from splitshare.results.claim import STATEMENTS, Claim
from splitshare.results.robustness import ROBUSTNESS, hangs_on_assumed

DECLARATION = Declaration(
    name="summary",
    category="Claims",
    inputs=(
        "modules.json",
        "placements.csv",
        "prompt_cache.csv",
        "cloud_grid.csv",
        "cloud_readings.csv",
        "onloading/results.csv",
    ),
    records=("split_equivalence.csv", "accuracy.json", "onloading.csv", "robustness.csv"),
    accuracy=True,
    profiles="clouds",
    zoos=True,
    tables=("summary",),
    printed={
        "summary": {
            "claim": "",
            "statement": ("Claim", "3.4cm"),
            "paper": ("Paper", "1.8cm"),
            "here": "Here",
            "n": "n",
            "times_rest_on": ("Times rest on", "2.6cm"),
            "verdict": ("Verdict", "2cm"),
        }
    },
    drawn=("summary",),
    caption=(
        "Every claim of the two abstracts on one page: the paper's number, ours in every reading, the rule that was "
        "fixed before, what the times rest on, and the verdict. Only the abstracts could be read; instances are ours."
    ),
    takeaway="What reproduced, what did not, what cannot be judged here, and what each of it rests on.",
    tells_itself=True,
    claim="S1",
)

NAME = "summary"
LINE_IN, GAP_IN, FOOT_IN = 0.118, 0.1, 0.35
"""Height of a line of the smallest type, between two rows, and below the last."""
FOOT = (
    "Only the abstracts could be read: models, instances and networks are our reconstruction. "
    "Draws: every time is off by up to so much."
)
COLUMNS = (("Claim", 0.03, 23), ("Paper", 1.33, 10), ("Here", 1.9, 27), ("Rule", 3.4, 21), ("Times rest on", 4.58, 16))
"""Title, place in inches and width in letters of the columns of text."""
PLOT_IN, VERDICT_IN = (5.55, 0.58), 6.2


@dataclass(frozen=True)
class Row:
    """A row of the page."""

    name: str
    readings: list[Claim]
    times: str
    robust: str

    @property
    def own(self) -> Claim:
        """The abstract's own reading."""
        return self.readings[0]


def draw(inputs: Inputs, output: Path) -> None:
    """Write the table and the figure ``summary``."""
    rows = rows_of(inputs)
    save_table(table_of(rows), output, NAME)
    with paper_style():
        save_figure(_page(rows, inputs), output, NAME)


def rows_of(inputs: Inputs) -> list[Row]:
    """A row a claim, with all of its readings."""
    record = inputs.record(ROBUSTNESS)
    times = times_of(inputs)
    return [
        Row(name, readings, times[name], robustness_of(record, readings[0]))
        for name, found in groupby(claims_of(inputs), key=lambda claim: claim.claim)
        for readings in (list(found),)
    ]


def table_of(rows: list[Row]) -> pd.DataFrame:
    """A row a claim: statement, paper, here, n, rule, times, robustness, verdict."""
    return pd.DataFrame(
        [
            {
                "claim": row.name,
                "statement": STATEMENTS[row.name],
                "paper": row.own.paper_value,
                "here": row.own.measured_value,
                "other_readings": "; ".join(f"{c.measured_value} ({c.reading}: {c.verdict})" for c in row.readings[1:]),
                "n": row.own.n,
                "rule": row.own.rule,
                "times_rest_on": row.times,
                "robustness": row.robust,
                "verdict": row.own.verdict,
            }
            for row in rows
        ]
    )


def robustness_of(record: pd.DataFrame, claim: Claim) -> str:
    """In which share of draws of times that are off the claim holds; nothing where other instances were drawn."""
    mine = record[(record["claim"] == claim.claim) & (record["as_recorded"] == claim.verdict)]
    mine = mine[mine["reading"] == claim.reading]
    if mine.empty or (claim.claim.startswith("S") and mine["n"].iloc[0] != claim.n):
        return ""
    every = mine[mine["times"] == "all"]
    shares = zip(every["spread"].astype(float), every["holds"].astype(float), strict=True)
    told = ", ".join(f"{100 * holds:.3g}% at ±{spread:.0%}" for spread, holds in shares)
    among = "" if mine["n"].iloc[0] == claim.n else f" ({mine['n'].iloc[0]} instances)"
    mark = "; hangs on assumed times" if bool(hangs_on_assumed(record)[mine.index].any()) else ""
    return f"holds in {told} of draws{among}{mark}"


def _page(rows: list[Row], inputs: Inputs) -> Figure:
    """Text in columns, a small plot and the verdict a row."""
    cells = [_cells(row) for row in rows]
    heights = [LINE_IN * max(cell.count("\n") + 1 for cell in row) + GAP_IN for row in cells]
    head = 0.3
    height = head + sum(heights) + FOOT_IN
    figure = Figure(figsize=(PAGE_WIDTH_IN, height))
    figure.set_layout_engine("none")

    def write(x_in: float, y_in: float, text: str, **how: object) -> None:
        style = {"va": "top", "size": 7, "linespacing": 1.15} | how
        figure.text(x_in / PAGE_WIDTH_IN, 1 - y_in / height, text, **style)  # type: ignore[arg-type]

    for title, x_in, _ in COLUMNS:
        write(x_in, 0.08, title, weight="bold")
    write(VERDICT_IN, 0.08, "Verdict", weight="bold")
    top_in = head
    for row, texts, high_in in zip(rows, cells, heights, strict=True):
        line = 1 - (top_in - 0.05) / height
        figure.add_artist(Line2D([0.0, 1.0], [line, line], color="0.7", linewidth=0.5))
        for (_, x_in, _), text in zip(COLUMNS, texts, strict=False):
            write(x_in, top_in, text)
        colour, sign = VERDICTS[row.own.verdict]
        write(VERDICT_IN, top_in, fill(f"{sign} {row.own.verdict}", 12), color=colour, weight="bold")
        tall = min(high_in - GAP_IN, 0.5)
        place = (PLOT_IN[0] / PAGE_WIDTH_IN, 1 - (top_in + tall) / height, PLOT_IN[1] / PAGE_WIDTH_IN, tall / height)
        plot(row.name, figure.add_axes(place), inputs)
        top_in += high_in
    signs = "   ".join(f"{sign} {verdict}" for verdict, (_, sign) in VERDICTS.items())
    write(COLUMNS[0][1], top_in, f"{signs}   (dashed in the plots: the paper)\n{FOOT}")
    return figure


def _cells(row: Row) -> tuple[str, ...]:
    """The texts of a row, each within the width of its column."""
    own = row.own
    here = [f"{VERDICTS[c.verdict][1]} {c.measured_value} (n = {c.n:,}): {c.reading}" for c in row.readings]
    texts = (
        [f"{row.name}  {STATEMENTS[row.name]}"],
        [own.paper_value],
        here,
        [own.rule],
        [row.times, row.robust],
    )
    return tuple(
        "\n".join(fill(line, width) for line in lines if line)
        for lines, (_, _, width) in zip(texts, COLUMNS, strict=True)
    )
