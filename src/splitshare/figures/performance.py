"""The performance profile of methods over families of instances, of a verdict and of the baselines."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from splitshare.choices import Sense
from splitshare.figures.palette import BASELINES, NEW, line_of
from splitshare.figures.sizes import PAGE_WIDTH_IN
from splitshare.results.statistics import performance_profile
from splitshare.results.verdict import per_instance

PROFILE = "performance_profile"
"""Name of its files."""
TITLES = {
    "s2m3": "The paper's setting",
    "random-tuning": "Random, tuning half",
    "random-test": "Random, test half",
    "j3o": "Onloading suite",
}
FACTORS = np.geomspace(1, 32, 200)


def profile_shares(results: pd.DataFrame, family: str, methods: Sequence[str], sense: Sense) -> pd.DataFrame:
    """The share of a family's instances on which each method is within each of ``FACTORS`` (rows) of the best one."""
    part = results[results["family"] == family]
    there = [method for method in methods if (part["method"] == method).any()]
    objective = pd.concat(
        {method: per_instance(part[part["method"] == method], sense)["objective"] for method in there}, axis=1
    ).fillna(np.inf if sense == "min" else -np.inf)
    shares = performance_profile(objective.to_numpy(dtype=float).T, FACTORS, more_is_better=sense == "max")
    return pd.DataFrame(dict(zip(objective.columns, shares, strict=True)), index=FACTORS)


def profile_figure(
    results: pd.DataFrame,
    families: Sequence[str],
    new: str | None = None,
    *,
    problem: str = "placement",
    sense: Sense = "min",
) -> Figure:
    """Share of instances (vertical) on which a method is within a factor (horizontal) of the best method's objective.

    Args:
        results: rows of recorded baselines, those of ``new`` among them.
        families: a panel each.
        new: the method that is drawn on top of all others.
        problem: the problem's name; its known methods have lines of their own.
        sense: whether less or more is better.
    """
    figure = Figure(figsize=(PAGE_WIDTH_IN, 2.9))
    panels: list[Axes] = list(np.atleast_1d(figure.subplots(1, len(families), sharey=True)))
    known = list(BASELINES)
    place = {method: i for i, method in enumerate(known)}
    others = sorted((m for m in dict.fromkeys(results["method"]) if m != new), key=lambda m: place.get(m, len(known)))
    methods = others + ([new] if new else [])
    families = sorted(families, key=lambda family: list(TITLES).index(family) if family in TITLES else len(TITLES))
    for axes, family in zip(panels, families, strict=True):
        for method, share in profile_shares(results, family, methods, sense).items():
            title, style = line_of(problem, str(method), methods.index(str(method)))
            axes.step(FACTORS, share, where="post", label=title, **(NEW if method == new else style))
        axes.set_xscale("log", base=2)
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axes.set_xlim(FACTORS[0], FACTORS[-1])
        axes.set_ylim(0, 1.02)
        instances = results.loc[results["family"] == family, "instance"].nunique()
        axes.set_title(f"{TITLES.get(family, family)} ({instances})")
        axes.set_xlabel("Factor of the best objective, at most")
    panels[0].set_ylabel("Share of the instances")
    handles, labels = panels[-1].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=4 if len(families) > 1 else 3)
    return figure
