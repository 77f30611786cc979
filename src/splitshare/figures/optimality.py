"""How often and by how much the greedy misses the optimum (claim S4)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from splitshare.figures.declaration import Declaration
from splitshare.figures.inputs import Inputs
from splitshare.figures.palette import GAPS, METHODS, PAPER_LINE, method_key
from splitshare.figures.sizes import PAGE_WIDTH_IN
from splitshare.figures.style import paper_style, save_figure, save_table
from splitshare.results.claims_s2m3 import PAPER_INSTANCES, PAPER_OPTIMAL, gaps_with_prompts_cached, models_of
from splitshare.results.table import OPTIMALITY_TOLERANCE

DECLARATION = Declaration(
    name="optimality",
    category="Optimality",
    inputs=("placements.csv", "prompt_cache.csv"),
    tables=("optimality",),
    printed={
        "optimality": {
            "testbed": ("Testbed", "4.2cm"),
            "method": "Method",
            "instances": "n",
            "placed": "Placed",
            "optimal": "Optimal",
            "mean_gap": ("Mean gap (%)", 100),
            "largest_gap": ("Largest (%)", 100),
        }
    },
    drawn=("optimality",),
    caption=(
        "How far placements are from the proved optimum of sharing modules, for instances of one model and of several. "
        "A method that changes the problem (no sharing) can be faster than that optimum."
    ),
    takeaway=(
        "The greedy stands at the optimum, and misses a few when prompts are encoded beforehand; sequential routing "
        "costs latency on most instances, and one device alone often cannot hold a workload."
    ),
    claim="S4",
)

NAME = "optimality"
GREEDY = "s2m3-greedy"
ONE, SEVERAL = "one model", "several models"
DRAWN = ("s2m3-greedy", "sequential-routing", "no-sharing", "whole-models", "local")


def optimality_table(placements: pd.DataFrame) -> pd.DataFrame:
    """One row a method and testbed (and over all): instances, placed, optimal, mean and largest gap to the optimum.

    ``optimal`` counts placements within 1e-6 of the proved optimum; an instance without a placement counts as not
    optimal. The gap of a method that changes the instance may be negative.
    """
    heuristics = placements[~placements["method"].str.startswith("optimum")]
    groups = [("(all)", heuristics), *heuristics.groupby("testbed", sort=False)]
    rows = []
    for testbed, part in groups:
        for method, results in part.groupby("method", sort=False):
            rows.append(
                {
                    "testbed": testbed,
                    "method": method,
                    "instances": len(results),
                    "placed": int(results["objective_s"].notna().sum()),
                    "optimal": int((results["gap"].abs() <= OPTIMALITY_TOLERANCE).sum()),
                    "mean_gap": results["gap"].mean(),
                    "largest_gap": results["gap"].max(),
                }
            )
    return pd.DataFrame(rows)


def draw(inputs: Inputs, output: Path) -> None:
    """Write the table ``optimality`` and the figure of how many placements miss the optimum by how much."""
    placements, cached = inputs.csv("placements.csv"), inputs.csv("prompt_cache.csv")
    save_table(optimality_table(placements), output, NAME)
    with paper_style():
        save_figure(_figure(classes(placements, cached, models_of(inputs.catalog))), output, NAME)


def classes(placements: pd.DataFrame, cached: pd.DataFrame, models: Mapping[str, int]) -> pd.DataFrame:
    """One row a method and scope (one model or several): how many instances fall in each class of gap.

    The greedy has a further row, with class prompts encoded beforehand; instances without any are as they are.

    Args:
        placements: the table ``placements.csv`` of a run.
        cached: the table ``prompt_cache.csv`` of a run.
        models: number of models by workload.
    """
    keys = placements["method"].map(method_key)
    chosen = keys.isin(DRAWN) | ~keys.isin(list(METHODS))
    gaps = placements.assign(title=keys.map(lambda key: METHODS.get(key, (key, ""))[0]))[chosen]
    greedy = gaps[keys[chosen] == GREEDY]
    gap = gaps_with_prompts_cached(placements, cached).to_numpy()
    shown = pd.concat(
        [greedy, greedy.assign(title=f"{METHODS[GREEDY][0]},\nprompts cached", gap=gap), gaps.drop(greedy.index)]
    )
    shown["scope"] = shown["workload"].map(lambda name: ONE if models[name] == 1 else SEVERAL)
    shown["class"] = shown["gap"].map(class_of)
    counted = shown.groupby(["title", "scope"], sort=False)["class"].value_counts().unstack(fill_value=0)  # noqa: PD010
    return counted.reindex(columns=list(GAPS), fill_value=0).reset_index()


def class_of(gap: float) -> str:
    """The class of a gap to the optimum, as a share of it; no placement has no gap."""
    if pd.isna(gap):
        return "none"
    if gap < -OPTIMALITY_TOLERANCE:
        return "below"
    if gap <= OPTIMALITY_TOLERANCE:
        return "optimal"
    return "tenth" if gap <= 0.1 else "twice" if gap <= 1.0 else "more"


def _figure(counts: pd.DataFrame) -> Figure:
    """A bar a method, of the instances of one model and of several; the paper's share of optimal ones as a line."""
    scopes = [scope for scope in (ONE, SEVERAL) if (counts["scope"] == scope).any()]
    titles = list(dict.fromkeys(counts["title"]))
    figure = Figure(figsize=(PAGE_WIDTH_IN, 1.0 + 0.28 * len(titles)))
    for axes, scope in zip(figure.subplots(1, len(scopes), sharey=True, squeeze=False)[0], scopes, strict=True):
        part = counts[counts["scope"] == scope].set_index("title").reindex(titles)
        left = pd.Series(0.0, index=titles)
        for name, (title, bar) in GAPS.items():
            axes.barh(range(len(titles)), part[name], left=left, height=0.62, label=title, **bar)
            left = left + part[name]
        every = int(left.max())
        axes.axvline(every * PAPER_OPTIMAL / PAPER_INSTANCES, **PAPER_LINE | {"zorder": 4})
        for row, optimal in enumerate(part["optimal"] + part["below"]):
            axes.annotate(f"{optimal:.0f}", (1.01, row), xycoords=("axes fraction", "data"), va="center", size=7)
        axes.set_xlim(0, every)
        axes.set_yticks(range(len(titles)), titles)
        axes.set_title(f"{every} instances of {scope}")
        axes.set_xlabel("Instances (right: optimal or better)")
        axes.grid(visible=False, axis="y")
    axes.invert_yaxis()
    handles, labels = axes.get_legend_handles_labels()
    handles.append(Line2D([], [], **PAPER_LINE))
    labels.append(f"the paper: {PAPER_OPTIMAL} of {PAPER_INSTANCES} optimal")
    figure.legend(handles, labels, loc="outside lower center", ncols=4)
    return figure
