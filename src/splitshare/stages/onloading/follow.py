"""Re-decide which models to hold as demand, clients and servers change, under a price on moving models."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

import pandas as pd
import typer

from splitshare.adaptation.onloading import POLICIES, Terms, follow, summary, table_of
from splitshare.adaptation.onloading_demand import DemandMapping, DemandOverTime, counted_demand, recorded_demand
from splitshare.adaptation.onloading_replay import TimelineReplay, replayed
from splitshare.adaptation.onloading_timeline import Span, demand_over_time, left_out, read_changes, spans_of
from splitshare.choices import MovingPolicy
from splitshare.commands.onloading.follow import Options
from splitshare.errors import InputError
from splitshare.onloading.contract import load
from splitshare.onloading.instance import OnloadingInstance
from splitshare.ranges import MOST_SECONDS
from splitshare.replay.arrival_counts import read_arrival_counts
from splitshare.replay.public_traces import read_public_trace
from splitshare.replay.recorded import window
from splitshare.results.write import write_csv
from splitshare.stages.kinds import chosen, needed, refuse

NOT_SHOWN = ("decide_mean_s", "replayed_queries", "replayed_accuracy", "replayed_latency_mean_s", "replayed_batch_mean")
"""Columns of ``policies.csv`` that are not shown, for want of room."""
PERIOD_S, DEPTH = 86_400.0, 0.6
"""Of demand that changes by itself, where nothing else is said."""


@dataclass(frozen=True)
class Followed:
    """What was found."""

    policies: pd.DataFrame
    told: tuple[str, ...] = ()
    """What its reader should know of the demand and the events."""


def run(options: Options) -> Followed:
    """Live through the changes with each policy.

    Writes ``policies.csv``, a row a policy, and ``over_time.csv``, a row a policy and span, into ``output``; of a
    replay also ``replayed.csv``, a row a policy and window.

    Raises:
        InputError: a file or an option is wrong.
        WorkError: a replay would have too many queries, or an algorithm's answer is wrong.
    """
    if options.spans * options.every_s > MOST_SECONDS:
        raise InputError("--spans", str(options.spans), f"makes it longer than {MOST_SECONDS:g} s; take fewer")
    if options.windows is not None and not options.replay:
        raise InputError(
            "--windows", str(options.windows), "has no meaning without --replay; leave it out, or give that"
        )
    instance = OnloadingInstance.read(options.instance)
    events = () if options.events is None else read_changes(options.events, instance)
    demand = _demand(options, instance)
    timeline = spans_of(instance, events, demand.factors, options.every_s)
    terms = Terms(options.right_per_gb, options.ahead)
    policies = cast("tuple[MovingPolicy, ...]", chosen("--policy", options.policies, POLICIES))
    replay = _replay(options, instance, timeline, demand) if options.replay else None
    found = follow(instance, timeline, load(options.algorithm), policies, terms)
    table, over_time, windows = summary(found, terms), table_of(found, timeline), None
    if replay is not None:
        windows, whole = replayed(replay, found, windows=options.windows or 1)
        table = table.merge(whole, on="policy")
        write_csv(windows, options.output / "replayed.csv")
    write_csv(table, options.output / "policies.csv")
    write_csv(over_time, options.output / "over_time.csv")
    if options.plot is not None:
        _draw(over_time, windows, options.plot)
    return Followed(table, (*demand.told, *left_out(timeline, events)))


def show(followed: Followed) -> None:
    """What one should know, and a row a policy."""
    for line in followed.told:
        typer.echo(line)
    short = followed.policies.drop(columns=[name for name in NOT_SHOWN if name in followed.policies])
    typer.echo(short.to_string(index=False, float_format=lambda value: f"{value:.4g}"))


def _replay(
    options: Options, instance: OnloadingInstance, timeline: Sequence[Span], demand: DemandOverTime
) -> TimelineReplay:
    if demand.queries is not None and any(
        factor not in {0.0, 1.0} for span in timeline for factor in span.factor.values()
    ):
        problem = "changes a demand, and what was recorded is replayed as it is; leave such rows or --as-recorded out"
        raise InputError(options.events or "--events", "demand", problem)
    return TimelineReplay(instance, timeline, seed=options.seed, queries=demand.queries)


def _demand(options: Options, instance: OnloadingInstance) -> DemandOverTime:
    shape = options.demand
    if shape in {"flat", "recorded", "counts"}:
        refuse(shape, period_s=options.period_s, depth=options.depth)
    if shape == "recorded":
        return _recorded(options, instance)
    refuse(
        shape,
        mapping=options.mapping,
        from_s=options.from_s,
        until_s=options.until_s,
        sort=options.sort or None,
    )
    if shape == "counts":
        counts = read_arrival_counts(needed(shape, "arrivals", options.arrivals))
        return counted_demand(instance, counts, options.spans, options.every_s, as_recorded=options.as_recorded)
    refuse(shape, arrivals=options.arrivals, as_recorded=options.as_recorded or None)
    factors = demand_over_time(
        instance,
        shape,
        options.spans,
        options.every_s,
        period_s=PERIOD_S if options.period_s is None else options.period_s,
        depth=DEPTH if options.depth is None else options.depth,
        seed=options.seed,
    )
    return DemandOverTime(factors, ())


def _recorded(options: Options, instance: OnloadingInstance) -> DemandOverTime:
    path = needed(options.demand, "arrivals", options.arrivals)
    rows = window(read_public_trace(path, sort=options.sort), path, options.from_s, options.until_s)
    if options.mapping is None:
        mapping = DemandMapping(schema_="splitshare.demand-mapping/1")
    else:
        mapping = DemandMapping.read(options.mapping)
    found = recorded_demand(
        instance,
        rows,
        options.spans,
        options.every_s,
        mapping=mapping,
        source=options.mapping or path,
        as_recorded=options.as_recorded,
        seed=options.seed,
    )
    return replace(found, told=(*rows.told, *found.told))


def _draw(table: pd.DataFrame, windows: pd.DataFrame | None, folder: Path) -> None:
    from splitshare.figures.follow_plot import FOLLOW, follow_figure  # half a second to import
    from splitshare.figures.style import paper_style, save_figure

    with paper_style():
        save_figure(follow_figure(table, windows), folder, FOLLOW)
