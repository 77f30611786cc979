"""Re-decide which models to hold as demand, clients and servers change, under a price on moving models."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import pandas as pd
import typer

from splitshare.adaptation.onloading import POLICIES, Terms, follow, summary, table_of
from splitshare.adaptation.onloading_timeline import demand_over_time, read_changes, spans_of
from splitshare.choices import MovingPolicy
from splitshare.commands.onloading.follow import Options
from splitshare.errors import InputError
from splitshare.onloading.contract import load
from splitshare.onloading.instance import OnloadingInstance
from splitshare.ranges import MOST_SECONDS
from splitshare.results.write import write_csv
from splitshare.stages.kinds import chosen


def run(options: Options) -> pd.DataFrame:
    """Write ``policies.csv``, a row a policy, and ``over_time.csv``, a row a policy and span, into ``output``.

    Raises:
        InputError: a file or an option is wrong.
    """
    if options.spans * options.every_s > MOST_SECONDS:
        raise InputError("--spans", str(options.spans), f"makes it longer than {MOST_SECONDS:g} s; take fewer")
    instance = OnloadingInstance.read(options.instance)
    events = () if options.events is None else read_changes(options.events, instance)
    factors = demand_over_time(
        instance,
        options.demand,
        options.spans,
        options.every_s,
        period_s=options.period_s,
        depth=options.depth,
        seed=options.seed,
    )
    timeline = spans_of(instance, events, factors, options.every_s)
    terms = Terms(options.right_per_gb, options.ahead)
    policies = cast("tuple[MovingPolicy, ...]", chosen("--policy", options.policies, POLICIES))
    found = follow(instance, timeline, load(options.algorithm), policies, terms)
    table, over_time = summary(found, terms), table_of(found, timeline)
    write_csv(table, options.output / "policies.csv")
    write_csv(over_time, options.output / "over_time.csv")
    if options.plot is not None:
        _draw(over_time, options.plot)
    return table


def show(table: pd.DataFrame) -> None:
    """A row a policy."""
    typer.echo(table.to_string(index=False, float_format=lambda value: f"{value:.4g}"))


def _draw(table: pd.DataFrame, folder: Path) -> None:
    from splitshare.figures.follow_plot import FOLLOW, follow_figure  # half a second to import
    from splitshare.figures.style import paper_style, save_figure

    with paper_style():
        save_figure(follow_figure(table), folder, FOLLOW)
