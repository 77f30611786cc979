"""How good every method is on every held-out family: its gap to the best that is known (ours)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from textwrap import fill
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from splitshare.figures.declaration import Declaration
from splitshare.figures.inputs import Inputs
from splitshare.figures.palette import method_title
from splitshare.figures.sizes import PAGE_WIDTH_IN
from splitshare.figures.style import paper_style, save_figure, save_table
from splitshare.results.family_record import BEST, RESULTS, UNMEASURED, plain_rows, read_best, read_results
from splitshare.results.table import OPTIMALITY_TOLERANCE

DECLARATION = Declaration(
    name="family-gaps",
    category="Optimality",
    records=("families.csv", "families_best.csv"),
    tables=("family_gaps", "held_out_families"),
    printed={
        "held_out_families": {
            "family": "Family",
            "instances": "Instances",
            "devices": "Devices",
            "modules": "Modules",
            "requests": "Classes",
            "proved": "Optima proved",
            "largest_open_gap": ("Largest open gap (%)", 100),
        }
    },
    drawn=("family_gaps",),
    caption=(
        "Mean gap in per cent to the best value that is known of each held-out instance, by family and method; in "
        "brackets how many instances were placed where it is not all of them (what a licence refused was not), a dash "
        "where none was. Seeds of a random method count by their median. Every run had the same time limit; "
        "two went side by side, each on a processor of its own."
    ),
    takeaway=(
        "Ruin and recreate (ours) and our branch and bound are at the best known, or close, in every family, Gurobi "
        "where its licence takes the instance; large neighbourhood search, the Lagrangian heuristic and annealing come "
        "next. "
        "S2M3's greedy is ahead of list scheduling and packing in most families, and finds no placement where memory "
        "is tight."
    ),
    tells_itself=True,
)

NAME, FAMILIES = "family_gaps", "held_out_families"
DARKEST, LIGHTEST = 1.0, 1e-3
"""Gaps from which on and up to which a cell does not change its shade."""
NOTHING = "\N{EN DASH}"
INK_FROM = 0.6
"""Share of the darkest shade from which on a cell is dark."""


def gaps_table(results: pd.DataFrame, best: pd.DataFrame) -> pd.DataFrame:
    """One row a family and method: how many instances there are, placed and as good as the best known, gaps, seconds.

    Columns: ``family``, ``method``, ``instances`` (of the family, those included that a licence refused), ``placed``,
    ``as_good``, ``mean_gap`` and ``worst_gap`` (over what was placed, of each instance the median over seeds),
    ``median_s`` of a run, and ``at_limit``, the share of runs that lasted as long as the time limit. A method of which
    a licence refused a whole family has no row there.

    Args:
        results: rows of ``families.csv``.
        best: rows of ``families_best.csv``.
    """
    known = best.set_index("instance")["objective_s"]
    instances = results.groupby("family")["instance"].nunique().to_dict()
    runs = results[results["status"] != UNMEASURED]
    runs = runs.assign(
        gap=runs["objective_s"].fillna(np.inf) / runs["instance"].map(known) - 1,
        run_s=runs["build_s"] + runs["solve_s"],
    )
    rows = []
    for (family, method), part in runs.groupby(["family", "method"], sort=True):
        gap = part.groupby("instance")["gap"].median()
        placed = gap[np.isfinite(gap)]
        rows.append(
            {
                "family": family,
                "method": method,
                "instances": instances[family],
                "placed": len(placed),
                "as_good": int((placed <= OPTIMALITY_TOLERANCE).sum()),
                "mean_gap": placed.mean(),
                "worst_gap": placed.max(),
                "median_s": part["run_s"].median(),
                "at_limit": part["at_limit"].mean(),
            }
        )
    return pd.DataFrame(rows)


def families_table(best: pd.DataFrame) -> pd.DataFrame:
    """One row a family: instances, ranges of their sizes, proved optima, and the largest gap that is open.

    Args:
        best: rows of ``families_best.csv``.
    """
    rows = []
    for family, part in best.groupby("family", sort=True):
        ranges = {name: f"{part[name].min()}-{part[name].max()}" for name in ("devices", "modules", "requests")}
        open_gap = (part["objective_s"] / part["bound_s"] - 1).where(part["optimal"] == 0, 0.0)
        rows.append(
            {
                "family": family,
                "instances": len(part),
                **ranges,
                "proved": int(part["optimal"].sum()),
                "largest_open_gap": open_gap.max(),
            }
        )
    return pd.DataFrame(rows)


def draw(inputs: Inputs, output: Path) -> None:
    """Write both tables and the figure ``family_gaps``."""
    results, best = read_results(inputs.recorded(RESULTS)), read_best(inputs.recorded(BEST))
    table = gaps_table(results, best)
    save_table(table, output, NAME)
    save_table(families_table(best), output, FAMILIES)
    with paper_style():
        save_figure(_figure(table), output, NAME)


def _figure(table: pd.DataFrame) -> Figure:
    """A row a method, the best on top, and a column a family; the darker, the further from the best known."""
    by_method = table.pivot_table(index="method", columns="family", values="mean_gap", dropna=False)
    # What is not placed counts as much as the darkest there is.
    order = by_method.fillna(DARKEST).clip(upper=DARKEST).mean(axis=1).sort_values(kind="stable").index
    gaps = by_method.loc[order]
    cells = {(row["method"], row["family"]): cell_text(row) for row in plain_rows(table)}
    values = gaps.to_numpy(dtype=float)
    shades = np.log(np.clip(np.nan_to_num(values), LIGHTEST, DARKEST) / LIGHTEST)
    darkest = np.log(DARKEST / LIGHTEST)
    figure = Figure(figsize=(PAGE_WIDTH_IN, 0.9 + 0.2 * len(gaps)))
    axes = figure.subplots()
    axes.imshow(shades, vmin=0, vmax=darkest, cmap="Blues", aspect="auto")
    for i, j in np.ndindex(values.shape):
        ink = "white" if shades[i, j] > INK_FROM * darkest else "black"
        told = cells.get((gaps.index[i], gaps.columns[j]), NOTHING)
        axes.annotate(told, (j, i), ha="center", va="center", size=7, color=ink)
    axes.set_yticks(range(len(gaps)), [method_title(str(method)) for method in gaps.index])
    # The longest word is wider than a column.
    words = [str(family).replace("communication", "communi-cation") for family in gaps.columns]
    heads = [fill(family, 11, break_long_words=False) for family in words]
    axes.set_xticks(range(len(heads)), heads, size=7)
    axes.xaxis.tick_top()
    axes.tick_params(length=0)
    axes.grid(visible=False)
    axes.set_xlabel("Mean gap to the best known (%)")
    return figure


def cell_text(row: Mapping[str, Any]) -> str:
    """What stands in a cell: the mean gap in per cent, and how many were placed where not all were."""
    if row["placed"] == 0:
        return NOTHING
    percent = 100 * row["mean_gap"]
    shown = "0" if percent < 0.005 else f"{percent:.2f}" if percent < 10 else f"{percent:.0f}"
    return shown if row["placed"] == row["instances"] else f"{shown} ({row['placed']}/{row['instances']})"
