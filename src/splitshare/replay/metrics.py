"""Metrics of a replay, computed from its recorded tables after the fact.

Percentiles follow MLPerf LoadGen: of n sorted latencies the p-th percentile is ``sorted[int(n * p / 100)]``,
counted from the scheduled arrival, and is told only of enough requests (``min_requests``).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from splitshare.placement.instance import PlacementInstance
from splitshare.replay.traces import RequestTrace

PERCENTILES = (50, 90, 95, 99)
OVERALL = "(all)"
"""Stands for all classes together in ``request``; no class can have this name."""


def percentile(sorted_values: NDArray[np.float64], percent: int) -> float:
    """MLPerf LoadGen's percentile, with no interpolation.

    Args:
        sorted_values: ascending, shape (n,), n at least 1.
        percent: from 0 to 99.
    """
    return float(sorted_values[len(sorted_values) * percent // 100])


def min_requests(percent: int) -> int:
    """How many requests a percentile needs before it may be told.

    The smallest n at which, were the true share above the percentile as large as ``1 - percent/100``, one or
    none among n above it would have a probability of at most 1 %: MLPerf's early-stopping rule for one query
    above, at 99 % confidence and no tolerance. It gives MLPerf's published 64 for p90 and 662 for p99, hence
    11 for p50 and 130 for p95, which MLPerf does not list.

    Args:
        percent: from 1 to 99.
    """
    below = percent / 100
    n = 1
    while below**n + n * (1 - below) * below ** (n - 1) > 0.01:
        n += 1
    return n


def request_metrics(
    requests: pd.DataFrame,
    *,
    latency_limit_s: float | Mapping[str, float] | None = None,
    warm_up_fraction: float = 0.0,
) -> pd.DataFrame:
    """Latency and throughput by request class and overall.

    Args:
        requests: the requests table of a replay.
        latency_limit_s: a limit, or one by class, for the share of requests that meet it.
        warm_up_fraction: share of the requests, by arrival, that is left out at the start; from 0 to below 1.

    Returns:
        A row a class in order of name, then ``(all)``: ``request, n, ok, mean_s, p50_s, p90_s, p95_s, p99_s,
        throughput_per_s, slo_attainment, warm_up_fraction``. Latencies are of ``ok`` requests; a percentile
        of too few is null. Throughput is ``ok`` requests over the time from the first counted arrival (of any
        class) to the last finish. Attainment is a share of all counted requests, so that one that was lost
        counts as late; null without a limit.

    Raises:
        ValueError: ``warm_up_fraction`` is out of range, or a class has no limit.
    """
    counted = _after_warm_up(requests, warm_up_fraction)
    window_s = float(counted["finish_s"].max() - counted["arrival_s"].min())
    codes, labels = pd.factorize(counted["request"])
    texts = [str(label) for label in labels]
    limit_s = _limits(codes, texts, latency_limit_s)
    groups = [(text, codes == code) for text, code in sorted((text, code) for code, text in enumerate(texts))]
    groups.append((OVERALL, np.ones(len(counted), dtype=bool)))
    answered = np.asarray(counted["status"] == "ok")
    latency_s = counted["latency_s"].to_numpy(dtype=np.float64)
    rows = []
    for name, members in groups:
        ok_s = np.sort(latency_s[members & answered])
        in_time = answered & (latency_s <= limit_s) & members
        rows.append(
            {
                "request": name,
                "n": int(members.sum()),
                "ok": len(ok_s),
                "mean_s": float(ok_s.mean()) if len(ok_s) else math.nan,
                **{f"p{p}_s": percentile(ok_s, p) if len(ok_s) >= min_requests(p) else math.nan for p in PERCENTILES},
                "throughput_per_s": len(ok_s) / window_s if window_s > 0 else math.nan,
                "slo_attainment": math.nan if latency_limit_s is None else float(in_time.sum() / members.sum()),
                "warm_up_fraction": warm_up_fraction,
            }
        )
    return pd.DataFrame(rows)


def with_energy(metrics: pd.DataFrame, trace: RequestTrace, energy_j: Mapping[str, float | None]) -> pd.DataFrame:
    """The table of ``request_metrics`` with a column ``energy_j``: mean joules of a request; null where unknown.

    Args:
        metrics: of a replay without batches, whose requests all took their class's route.
        trace: what was replayed; a request of twice the size takes twice the joules, as it does seconds.
        energy_j: joules of a request of size 1 by class (``placement.energy``).
    """
    by_class = np.array([math.nan if energy_j[name] is None else energy_j[name] for name in trace.classes], dtype=float)
    spent_j = by_class[trace.request_class] * trace.size
    names = np.array(trace.classes)[trace.request_class]
    means = [spent_j.mean() if name == OVERALL else spent_j[names == name].mean() for name in metrics["request"]]
    return metrics.assign(energy_j=means)


def with_deadlines(metrics: pd.DataFrame, requests: pd.DataFrame, deadline_s: Mapping[str, float]) -> pd.DataFrame:
    """The table of ``request_metrics`` of a whole replay with columns ``dropped`` and ``goodput_per_s``.

    Args:
        metrics: without warm-up.
        requests: the requests table of the replay.
        deadline_s: seconds after the arrival by class; a class without one is in time whenever it is done.

    Returns:
        ``dropped`` is the share of all requests of the row that were; goodput is of those that were done by their
        deadline, over the same time as throughput.
    """
    names = requests["request"].astype(str).to_numpy()
    limit_s = np.array([deadline_s.get(name, math.inf) for name in names])
    dropped = np.asarray(requests["status"] == "dropped")
    in_time = np.asarray(requests["status"] == "ok") & (requests["latency_s"].to_numpy() <= limit_s)
    window_s = float(requests["finish_s"].max() - requests["arrival_s"].min())
    members = [names == row if row != OVERALL else np.ones(len(names), dtype=bool) for row in metrics["request"]]
    return metrics.assign(
        dropped=[float(dropped[own].mean()) for own in members],
        goodput_per_s=[float(in_time[own].sum() / window_s) if window_s > 0 else math.nan for own in members],
    )


def utilisation(
    requests: pd.DataFrame,
    stages: pd.DataFrame,
    instance: PlacementInstance,
    *,
    warm_up_fraction: float = 0.0,
) -> pd.DataFrame:
    """How busy each device, each direction of a link and each cell was.

    Args:
        requests: the requests table of a replay.
        stages: its stages table.
        instance: the instance that was replayed.
        warm_up_fraction: share of the requests, by arrival, before whose end nothing is counted.

    Returns:
        A row each in the instance's order: ``kind`` (``device``, ``link``, ``cell``), ``name`` (of a link
        ``from->to``), ``busy_s`` and ``utilisation``, its share of the time from the first counted arrival to
        the last finish. Under ``independent`` transfers overlap, so a link's share can exceed 1: it is the
        load offered.

    Raises:
        ValueError: ``warm_up_fraction`` is out of range.
    """
    counted = _after_warm_up(requests, warm_up_fraction)
    begin_s, end_s = float(counted["arrival_s"].min()), float(requests["finish_s"].max())
    start_s = stages["start_s"].to_numpy(dtype=np.float64)
    inside_s = np.minimum(start_s + stages["busy_s"].to_numpy(dtype=np.float64), end_s) - np.maximum(start_s, begin_s)
    busy = pd.Series(np.maximum(inside_s, 0.0), index=stages.index)
    by_device = busy.groupby(stages["device"].astype(object)).sum()
    by_link = busy.groupby(stages["link"].astype(object)).sum()

    rows: list[tuple[Literal["device", "link", "cell"], str, float]] = []
    cells: dict[str, float] = {}
    rows += [("device", device.name, float(by_device.get(device.name, 0.0))) for device in instance.devices]
    for link in instance.links:
        for name in (f"{link.a}->{link.b}", f"{link.b}->{link.a}"):
            busy_s = float(by_link.get(name, 0.0))
            rows.append(("link", name, busy_s))
            if link.cell is not None:
                cells[link.cell] = cells.get(link.cell, 0.0) + busy_s
    rows += [("cell", name, busy_s) for name, busy_s in cells.items()]
    frame = pd.DataFrame(rows, columns=["kind", "name", "busy_s"])
    frame["utilisation"] = frame["busy_s"] / (end_s - begin_s) if end_s > begin_s else math.nan
    return frame


def _after_warm_up(requests: pd.DataFrame, fraction: float) -> pd.DataFrame:
    if not 0 <= fraction < 1:
        raise ValueError(f"warm_up_fraction must be from 0 to below 1, not {fraction}")
    return requests.iloc[int(len(requests) * fraction) :]


def _limits(
    codes: NDArray[np.int64], names: list[str], limit_s: float | Mapping[str, float] | None
) -> NDArray[np.float64]:
    """The limit of each request, shape (requests,)."""
    if limit_s is None or isinstance(limit_s, float | int):
        return np.full(len(codes), math.inf if limit_s is None else float(limit_s))
    missing = sorted(set(names) - set(limit_s))
    if missing:
        raise ValueError(f"latency_limit_s has no limit for {missing[0]!r}")
    return np.array([limit_s[name] for name in names], dtype=np.float64)[codes]
