"""Placements under load, from idle to saturation, seed by seed: what a job of a sweep does (ours).

All placements meet the same requests at the same rates, which are shares of what a reference holds on average, within
the same limits. So each seed can be replayed by itself, on any core; the tables of all seeds are then put together,
and the spread over seeds gives the intervals (``splitshare.replay.confidence``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from splitshare.replay.capacity import WARM_UP, LoadedSystem, knee_of, point_of
from splitshare.replay.confidence import replications
from splitshare.replay.metrics import percentile, utilisation
from splitshare.replay.result import ReplayResult

PERCENTS = tuple(range(1, 100))
"""Percentiles of latency that are kept of the rates that are looked at whole."""
KEYS: Mapping[str, tuple[str, ...]] = {
    "points": ("share", "offered_per_s"),
    "knees": ("holds_per_s", "bottleneck"),
    "latencies": ("share", "percent"),
    "utilisation": ("share", "kind", "name"),
}
"""The tables, and what their rows are told apart by, beside the seed."""
VALUES: Mapping[str, tuple[str, ...]] = {
    "points": ("mean_s", "p50_s", "p95_s", "p99_s", "in_time", "goodput_per_s", "busiest"),
    "knees": ("knee_per_s",),
    "latencies": ("latency_s",),
    "utilisation": ("utilisation",),
}
"""What is averaged over seeds."""


def columns_of(name: str, by: Sequence[str]) -> list[str]:
    """Columns of a table of a part, with those that tell systems apart before them."""
    return [*by, "seed", *KEYS[name], *VALUES[name]]


def empty_table(name: str, by: Sequence[str]) -> pd.DataFrame:
    """A table of no rows."""
    return pd.DataFrame(columns=columns_of(name, by))


@dataclass(frozen=True)
class Asked:
    """What a sweep looks at."""

    attainment: float
    """Share in time at the knee."""
    full_per_s: float
    """The rate that shares are of: what the reference's placement holds."""
    shares: Sequence[float]
    """Rates, as shares of that."""
    latencies_at: Sequence[float]
    """Of these the ones whose latencies are kept as percentiles."""


def sweep_seeds(system: LoadedSystem, asked: Asked, seeds: Sequence[int]) -> dict[str, pd.DataFrame]:
    """Replay each seed at each rate, and find its knee.

    Args:
        system: what is loaded.
        asked: what to look at.
        seeds: of the traces.

    Returns:
        The tables of ``KEYS``: a row a seed and what ``KEYS`` names, with the columns of ``VALUES``; after the warm-up.
        ``knees`` is 0 where not even an idle system keeps the limits.
    """
    limits_s, holds = system.limits_s, system.expected
    found: dict[str, list[pd.DataFrame]] = {name: [] for name in KEYS}
    for seed in seeds:
        knee_per_s = knee_of(system, limits_s, asked.attainment, holds.holds_per_s, seed)
        told = {"knee_per_s": knee_per_s, "holds_per_s": holds.holds_per_s, "bottleneck": holds.bottleneck}
        found["knees"].append(pd.DataFrame([{"seed": seed} | told]))
        for share in asked.shares:
            rate_per_s = share * asked.full_per_s
            result = system.replay(rate_per_s, seed, keep_stages=True)
            own = {"seed": seed, "share": share}
            point = own | {"offered_per_s": rate_per_s} | point_of(result, limits_s)
            found["points"].append(pd.DataFrame([point]))
            busy = utilisation(result.requests, result.stages, system.instance, warm_up_fraction=WARM_UP)
            busy = holds.resources[["kind", "name"]].merge(busy, on=["kind", "name"])[["kind", "name", "utilisation"]]
            found["utilisation"].append(busy.assign(**own))
            if share in asked.latencies_at:
                found["latencies"].append(_latencies(result).assign(**own))
    tables = {name: pd.concat(parts, ignore_index=True) for name, parts in found.items()}
    return {name: table[columns_of(name, ())] for name, table in tables.items()}


def _latencies(result: ReplayResult) -> pd.DataFrame:
    latency_s = result.requests["latency_s"].to_numpy(dtype=np.float64)
    after = np.sort(latency_s[int(len(latency_s) * WARM_UP) :])
    return pd.DataFrame({"percent": PERCENTS, "latency_s": [percentile(after, p) for p in PERCENTS]})


def over_seeds(name: str, table: pd.DataFrame, by: Sequence[str]) -> pd.DataFrame:
    """Means over seeds, with the interval of each (``<value>_low``, ``<value>_high``: Student's t).

    Args:
        name: which of the tables.
        table: it, of all seeds, two at least.
        by: columns that tell systems apart.

    Returns:
        A row a system and what ``KEYS`` names, in the order in which they come, with ``seeds``, their number.
    """
    keys = [*by, *KEYS[name]]
    rows = []
    for values, group in table.groupby(keys, sort=False):
        row: dict[str, object] = dict(zip(keys, values, strict=True)) | {"seeds": len(group)}
        for value in VALUES[name]:
            interval = replications(group[value].to_numpy(dtype=np.float64))
            row |= {value: interval.mean, f"{value}_low": interval.low, f"{value}_high": interval.high}
        rows.append(row)
    return pd.DataFrame(rows)
