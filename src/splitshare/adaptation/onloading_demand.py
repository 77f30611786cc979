"""Demand over time as it was recorded: a trace's requests, or counts of them, as demand of clients for tasks (ours).

A recorded request becomes one of the pairs of a client and a task that it asks: the first rule of a mapping that fits
its row says which may be; one of them is drawn in proportion to their demand in the instance. A pair's rate in a span
is the number of its requests in it over the span's length. Counts say nothing of who asked, so each pair gets its share
of the instance's demand of them. Unless rates are taken as recorded, all are multiplied by one factor such that over
all spans and pairs together the mean is the instance's demand.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from splitshare.errors import InputError
from splitshare.onloading.instance import OnloadingInstance
from splitshare.records import Name, Record, nearest
from splitshare.replay.arrival_counts import ArrivalCounts
from splitshare.replay.public_traces import RecordedRequests
from splitshare.replay.trace_mapping import Column, Range, fitting, left_for, values_of


class DemandRule(Record):
    """Whose requests rows that fit are."""

    where: dict[Column, str | Range] = Field(default_factory=dict)
    """By column: the text that stands there, or a range of numbers; all must hold. Empty: every row."""
    clients: tuple[Name, ...] | None = Field(default=None, min_length=1)
    """Who may have asked; left out: everybody."""
    tasks: tuple[Name, ...] | None = Field(default=None, min_length=1)
    """What may have been asked; left out: everything."""


class DemandMapping(Record):
    """Rules for the rows of a recorded trace; the first that fits is taken, rows that none fits are left out."""

    schema_: Literal["splitshare.demand-mapping/1"] = Field(alias="schema")
    rules: tuple[DemandRule, ...] | None = Field(default=None, min_length=1)
    """Left out: all rows, of any client and task."""
    together: Column | None = None
    """Rows with the same value there (a user, an application) are drawn together: one client and task for all of them
    that a rule fits."""


@dataclass(frozen=True, eq=False)
class RecordedQueries:
    """Requests that have become queries, in order of arrival; every array has the shape (queries,)."""

    arrival_s: NDArray[np.float64]
    client: NDArray[np.int64]
    """Its number in the instance."""
    task: NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class DemandOverTime:
    """Demand by span."""

    factors: NDArray[np.float64]
    """On what the instance says, shape (spans, clients), or by task, too, (spans, clients, tasks); 0 where a client
    does not ask."""
    told: tuple[str, ...]
    """What its reader should know."""
    queries: RecordedQueries | None = None
    """The requests themselves, where rates are as recorded."""


def recorded_demand(
    instance: OnloadingInstance,
    recorded: RecordedRequests,
    spans: int,
    every_s: float,
    *,
    mapping: DemandMapping,
    source: Path | str,
    as_recorded: bool,
    seed: int,
) -> DemandOverTime:
    """Demand as requests were recorded; see the module.

    Args:
        instance: its clients, tasks and demand.
        recorded: the requests.
        spans: how many; requests after the last are left out.
        every_s: how long each is.
        mapping: by which rules.
        source: the mapping's file, for messages.
        as_recorded: whether rates are those of the trace; otherwise the mean over all spans is the instance's demand.
        seed: of what is drawn.

    Raises:
        InputError: the trace ends before the last span begins, a rule names a column, a client or a task that there is
            not, or no row within the spans fits.
    """
    last_s = float(recorded.arrival_s[-1])
    _check_length(spans, every_s, last_s, math.floor(last_s / every_s) + 1)
    pairs = _pairs(instance)
    pair, told = _drawn(recorded, instance, pairs, mapping, str(source), seed)
    span = np.searchsorted(every_s * np.arange(spans + 1), recorded.arrival_s, side="right") - 1
    late = span >= spans
    if late.any():
        told.append(f"{int(late.sum())} of {len(recorded)} requests come after the last span and are left out")
    counted = (pair >= 0) & ~late
    counts = np.zeros((spans, *pairs.rate.shape))
    np.add.at(counts, (span[counted], pairs.client[pair[counted]], pairs.task[pair[counted]]), 1.0)
    if not counted.any():
        raise InputError(
            source, "rules", "no row within the spans fits any rule; mend `where`, or add a rule without it"
        )
    found = _factors(pairs, counts, every_s, as_recorded, told)
    if not as_recorded:
        return found
    pair = pair[counted]
    return replace(found, queries=RecordedQueries(recorded.arrival_s[counted], pairs.client[pair], pairs.task[pair]))


def counted_demand(
    instance: OnloadingInstance, counted: ArrivalCounts, spans: int, every_s: float, *, as_recorded: bool
) -> DemandOverTime:
    """Demand as arrivals were counted, evenly within each bin; see the module and ``recorded_demand``.

    Raises:
        InputError: the counts end before the last span begins, or nothing arrives within the spans.
    """
    bins = counted.width_s * np.arange(len(counted.arrivals) + 1)
    _check_length(spans, every_s, float(bins[-1]), math.ceil(bins[-1] / every_s))
    upto = np.interp(every_s * np.arange(spans + 1), bins, np.concatenate([[0], np.cumsum(counted.arrivals)]))
    if not upto[-1] > 0:
        raise InputError("--spans", str(spans), "nothing was counted in them; give more, or longer ones by --every-s")
    pairs = _pairs(instance)
    counts = np.diff(upto)[:, None, None] * pairs.rate / pairs.rate.sum()
    return _factors(pairs, counts, every_s, as_recorded, [])


@dataclass(frozen=True, eq=False)
class _Pairs:
    """Who asks what; a pair is a position in ``client`` and ``task``."""

    rate: NDArray[np.float64]
    """Queries a second, shape (clients, tasks)."""
    client: NDArray[np.int64]
    task: NDArray[np.int64]


def _pairs(instance: OnloadingInstance) -> _Pairs:
    rate = np.array([[c.demand_per_s.get(task.name, 0.0) for task in instance.tasks] for c in instance.clients])
    client, task = np.nonzero(rate > 0)
    return _Pairs(rate, client, task)


def _check_length(spans: int, every_s: float, last_s: float, most: int) -> None:
    if spans > most:
        problem = f"of {every_s:g} s are more than there are in {last_s:.6g} s of arrivals; give {most} or fewer"
        raise InputError("--spans", str(spans), problem)


def _drawn(
    recorded: RecordedRequests,
    instance: OnloadingInstance,
    pairs: _Pairs,
    mapping: DemandMapping,
    source: str,
    seed: int,
) -> tuple[NDArray[np.int64], list[str]]:
    """The pair of each row, -1 where no rule fits, and what was left out."""
    stream = np.random.Generator(np.random.PCG64(seed))
    if mapping.together is None:
        chance = stream.random(len(recorded))
    else:
        group = values_of(recorded, mapping.together, source, "together")
        chance = stream.random(int(group.max()) + 1)[group]
    pair = np.full(len(recorded), -1, dtype=np.int64)
    told: list[str] = []
    for i, rule in enumerate(mapping.rules or (DemandRule(),)):
        may = _allowed(instance, pairs, rule, source, f"rules[{i}]")
        fits, idle = left_for(pair < 0, fitting(recorded, rule.where, source, f"rules[{i}]"), f"rules[{i}]")
        told += idle
        upto = np.cumsum(pairs.rate[pairs.client[may], pairs.task[may]])
        # A share of just below 1 may round up to it, so that the search would end behind the last pair.
        which = np.minimum(np.searchsorted(upto / upto[-1], chance[fits], side="right"), len(may) - 1)
        pair[fits] = may[which]
    left = int((pair < 0).sum())
    if left:
        told.append(f"{left} of {len(recorded)} rows fit no rule and are left out")
    return pair, told


def _allowed(
    instance: OnloadingInstance, pairs: _Pairs, rule: DemandRule, source: str, where: str
) -> NDArray[np.int64]:
    """Pairs that a rule allows.

    Raises:
        InputError: it names a client or a task that there is not, or that nobody asks.
    """
    allowed = np.ones(len(pairs.client), dtype=bool)
    for field, asked, known, of in (
        ("clients", rule.clients, [c.name for c in instance.clients], pairs.client),
        ("tasks", rule.tasks, [t.name for t in instance.tasks], pairs.task),
    ):
        for name in asked or ():
            if name not in known:
                raise InputError(source, f"{where}.{field}", f"unknown {field[:-1]} {name!r}; {nearest(name, known)}")
        if asked:
            allowed &= np.isin(of, [known.index(name) for name in asked])
    if not allowed.any():
        raise InputError(source, where, "no client of these asks any of these tasks in the instance; name others")
    return np.flatnonzero(allowed)


def _factors(
    pairs: _Pairs, counts: NDArray[np.float64], every_s: float, as_recorded: bool, told: list[str]
) -> DemandOverTime:
    per_s = counts / every_s
    mean, wanted = float(per_s.sum()) / len(per_s), float(pairs.rate.sum())
    if not as_recorded:
        per_s = per_s * (wanted / mean)
        told.append(f"{mean:.4g} requests a second in the mean, multiplied by {wanted / mean:.4g}")
    else:
        told.append(f"{mean:.4g} requests a second in the mean, as recorded; the instance says {wanted:.4g}")
    factors = np.divide(per_s, pairs.rate, out=np.zeros_like(per_s), where=pairs.rate > 0)
    return DemandOverTime(factors, tuple(told))
