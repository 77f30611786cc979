"""Tell what a least accuracy or share served of every task, or less energy, costs: objective against the limit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import typer

from splitshare.commands.onloading.price import Options
from splitshare.errors import InputError, WorkError
from splitshare.methods import Method
from splitshare.onloading.instance import OnloadingInstance
from splitshare.onloading.limiting import check_priceable, prices
from splitshare.problems.onloading import PROBLEM
from splitshare.progress import track
from splitshare.results.write import write_csv

SHARES = (0.5, 0.6, 0.7, 0.8, 0.9, 1.0)


def run(options: Options) -> pd.DataFrame:
    """Write ``prices.csv`` into ``output``: a row an instance, algorithm and share, none for the instance as it is.

    Raises:
        InputError: an instance or an option is wrong.
        WorkError: no algorithm finds anything, or takes any of what is limited, for any instance as it is.
    """
    instances = [OnloadingInstance.read(path) for path in options.instances]
    if len({instance.name for instance in instances}) < len(instances):
        raise InputError("INSTANCE", "", "two instances have the same name; price them one by one")
    for instance in instances:
        check_priceable(instance, options.limit)
    algorithms = {title: Method(title).load(PROBLEM.finder) for title in options.algorithms}
    shares = sorted(set(options.shares or SHARES))
    rows = []
    for instance in track(instances, "deciding", total=len(instances)):
        rows += list(
            prices(
                instance,
                algorithms,
                options.limit,
                shares,
                seed=options.seed,
                time_limit_s=options.time_limit_s,
            )
        )
    table = pd.DataFrame(rows)
    if table["share"].isna().all():
        raise WorkError("; ".join(_nothing(row) for row in rows))
    write_csv(table, options.output / "prices.csv")
    if options.plot is not None:
        _draw(table, options.plot)
    return table


def show(table: pd.DataFrame) -> None:
    """A row an instance, algorithm and share."""
    shown = table.drop(columns=["limit", "reason", "unserved"])
    typer.echo(shown.to_string(index=False, float_format=lambda value: f"{value:.4f}"))


def _nothing(row: dict[str, Any]) -> str:
    return f"{row['algorithm']} on {row['instance']}: {row['status']} ({row['reason'] or 'no decision'})"


def _draw(table: pd.DataFrame, folder: Path) -> None:
    from splitshare.figures.limit_price_plot import LIMIT_PRICE, limit_price_figure  # half a second to import
    from splitshare.figures.style import paper_style, save_figure

    with paper_style():
        save_figure(limit_price_figure(table), folder, LIMIT_PRICE)
