"""What a replay gives: a table of its requests and one of their stages (contract ours)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from splitshare.replay.load import OfferedLoad
from splitshare.replay.plan import STAGES, StagePlan
from splitshare.replay.tables import categorical, write_table
from splitshare.replay.traces import RequestTrace

STATUSES = ("ok", "dropped", "failed")
"""How a request ends."""


@dataclass(frozen=True, eq=False)
class ReplayResult:
    """The two tables of a replay (contract ours)."""

    requests: pd.DataFrame
    """A row a request, as in the trace: ``request_id, request, arrival_s, start_s, finish_s, latency_s,
    status``.

    ``start_s`` is when a device or link first served it; null where none did. ``status`` is ``ok``, or ``dropped``
    where a deadline was past (``splitshare.replay.serving``): ``finish_s`` is then when that was found, and
    ``latency_s`` is null.
    """
    stages: pd.DataFrame
    """A row a stage, by request and then as the class lists them: ``request_id, request, stage, module,
    device, link, ready_s, start_s, finish_s, busy_s``.

    ``stage`` is ``input``, ``encode``, ``send``, ``head`` or ``result``; ``device`` is null for a transfer,
    ``link`` (``from->to``) for computing, both for a handover inside one device. It entered the queue at
    ``ready_s``, held its device or link for ``busy_s`` from ``start_s``, and was there at ``finish_s``, a
    link's latency included. Stages that ran as one batch have one ``start_s`` and ``finish_s`` and each an equal
    share of the batch's time as ``busy_s``, so that sums are the time for which a device was busy. The times of a
    stage that was never reached are null.
    """
    load: OfferedLoad | None = None
    """What the trace asks of devices and links; of a simulation."""
    loads: pd.DataFrame | None = None
    """A row a module and device that it was loaded on: ``device, module, loads, load_s, load_bytes``, sums over the
    replay; ``None`` where every module stays in memory."""

    def write(self, requests: Path, stages: Path | None = None) -> None:
        """Write the tables as Parquet or CSV by suffix; ``stages`` only where a path is given."""
        write_table(self.requests, requests)
        if stages is not None:
            write_table(self.stages, stages)


def first_rows(plan: StagePlan, trace: RequestTrace) -> NDArray[np.int64]:
    """Where each request's stage rows start, and their number; shape (requests + 1,)."""
    first = np.zeros(len(trace) + 1, dtype=np.int64)
    np.cumsum(np.diff(plan.first)[trace.request_class], out=first[1:])
    return first


def stages_of_rows(plan: StagePlan, trace: RequestTrace, row_first: NDArray[np.int64]) -> NDArray[np.int64]:
    """Position in the plan of each row's stage."""
    return np.arange(row_first[-1]) - np.repeat(row_first[:-1] - plan.first[trace.request_class], np.diff(row_first))


def replay_tables(
    plan: StagePlan,
    trace: RequestTrace,
    row_first: NDArray[np.int64],
    stage: NDArray[np.int64],
    times: Sequence[NDArray[np.float64]],
    share_s: NDArray[np.float64],
) -> ReplayResult:
    """The tables; ``share_s`` is what each row has of its resource's time, at size 1."""
    _, start_s, finish_s = times
    owner = np.repeat(np.arange(len(trace)), np.diff(row_first))
    served_s = np.where((plan.link[stage] < 0) & (plan.device[stage] < 0), np.inf, start_s)
    request_finish_s = finish_s[row_first[1:] - 1]  # the result is a class's last stage
    requests = request_table(trace, np.minimum.reduceat(served_s, row_first[:-1]), request_finish_s)
    return ReplayResult(requests, stage_table(plan, trace, owner, stage, times, share_s * trace.size[owner]))


def request_table(
    trace: RequestTrace,
    served_s: NDArray[np.float64],
    finish_s: NDArray[np.float64],
    late_s: NDArray[np.float64] | None = None,
) -> pd.DataFrame:
    """A row a request; ``late_s``, when it was dropped, and ``served_s`` are infinite where that never was."""
    columns = {
        "request_id": trace.request_id,
        "request": categorical(trace.request_class, trace.classes),
        "arrival_s": trace.arrival_s,
        "start_s": served_s,
        "finish_s": finish_s,
        "latency_s": finish_s - trace.arrival_s,
        "status": categorical(np.zeros(len(trace), dtype=np.int8), STATUSES),
    }
    if late_s is not None:
        lost = np.isfinite(late_s)
        columns |= {
            "start_s": np.where(np.isfinite(served_s), served_s, np.nan),
            "finish_s": np.where(lost, late_s, finish_s),
            "latency_s": np.where(lost, np.nan, finish_s - trace.arrival_s),
            "status": categorical(lost.astype(np.int8), STATUSES),
        }
    return pd.DataFrame(columns)


def stage_table(
    plan: StagePlan,
    trace: RequestTrace,
    owner: NDArray[np.int64],
    stage: NDArray[np.int64],
    times: Sequence[NDArray[np.float64]],
    busy_s: NDArray[np.float64],
) -> pd.DataFrame:
    """A row a stage: positions of its request and in the plan, its times, seconds for which it held its resource."""
    ready_s, start_s, finish_s = times
    return pd.DataFrame(
        {
            "request_id": trace.request_id[owner],
            "request": categorical(trace.request_class[owner], trace.classes),
            "stage": categorical(plan.kind[stage], STAGES),
            "module": categorical(plan.module[stage], plan.modules),
            "device": categorical(plan.device[stage], plan.devices),
            "link": categorical(plan.link[stage], plan.links),
            "ready_s": ready_s,
            "start_s": start_s,
            "finish_s": finish_s,
            "busy_s": busy_s,
        }
    )
