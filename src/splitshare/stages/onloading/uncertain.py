"""Decide which models to hold before the demand is known, and judge the plans on demands that were not looked at."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import typer

from splitshare.commands.onloading.uncertain import Options
from splitshare.errors import InputError
from splitshare.onloading.contract import load
from splitshare.onloading.instance import OnloadingInstance
from splitshare.onloading.uncertain import Plan, Uncertainty, judged, plans, price_of_robustness
from splitshare.results.write import write_csv


def run(options: Options) -> pd.DataFrame:
    """Write ``plans.csv`` (a row a plan) and ``draws.csv`` (a row a plan and demand) into ``output``.

    Raises:
        InputError: the instance or an option is wrong.
        WorkError: the algorithm finds nothing for a demand.
    """
    if options.candidates > options.samples:
        raise InputError("--candidates", str(options.candidates), f"is more than the {options.samples} samples")
    instance, algorithm = OnloadingInstance.read(options.instance), load(options.algorithm)
    uncertainty = Uncertainty(options.cv, options.common_cv, options.worst)
    chosen = plans(
        instance,
        algorithm,
        uncertainty,
        samples=options.samples,
        candidates=options.candidates,
        seed=2 * options.seed,
    )
    # An odd seed of its own, so that plans are judged on demands that they were not chosen by.
    draws = judged(instance, algorithm, chosen, uncertainty, draws=options.draws, seed=2 * options.seed + 1)
    table = price_of_robustness(draws, options.worst)
    table.insert(1, "decided_for", table["plan"].map(_decided_for(chosen)).fillna("each demand"))
    write_csv(table, options.output / "plans.csv")
    write_csv(draws, options.output / "draws.csv")
    if options.plot is not None:
        _draw(draws, options.plot)
    return table


def show(table: pd.DataFrame) -> None:
    """A row a plan."""
    typer.echo(table.to_string(index=False, float_format=lambda value: f"{value:.4f}"))


def _decided_for(chosen: list[Plan]) -> dict[str, str]:
    return {plan.name: plan.decided_for for plan in chosen}


def _draw(draws: pd.DataFrame, folder: Path) -> None:
    from splitshare.figures.style import paper_style, save_figure  # half a second to import
    from splitshare.figures.uncertain_plot import UNCERTAIN, uncertain_figure

    with paper_style():
        save_figure(uncertain_figure(draws), folder, UNCERTAIN)
