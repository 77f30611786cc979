"""``splitshare trace``: make a request trace for an instance."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, TypeVar

from splitshare.errors import InputError
from splitshare.placement.instance import PlacementInstance
from splitshare.replay.azure import read_azure_llm_2023
from splitshare.replay.generators import bursty_trace, poisson_trace, trace_at
from splitshare.replay.tables import check_table_path
from splitshare.replay.traces import RequestTrace, write_trace

TraceKind = Literal["poisson", "bursty", "azure-llm-2023"]
_T = TypeVar("_T")


def run(
    *,
    instance: Path,
    output: Path,
    kind: TraceKind,
    rate_per_s: float | None = None,
    requests: int | None = None,
    horizon_s: float | None = None,
    arrivals: Path | None = None,
    seed: int = 0,
) -> RequestTrace:
    """Write a seeded request trace.

    Args:
        instance: its request classes are drawn with their rates as weights.
        output: the trace to write, Parquet or CSV by suffix.
        kind: ``poisson``; ``bursty`` after recorded counts; ``azure-llm-2023`` at the times of such a file.
        rate_per_s: mean rate; may be left out for ``azure-llm-2023`` only, which then keeps its own.
        requests: how many requests; this or ``horizon_s`` for ``poisson`` and ``bursty``.
        horizon_s: how long, in seconds.
        arrivals: file of counts (``bursty``) or of requests (``azure-llm-2023``).
        seed: the same seed gives the same file.

    Raises:
        InputError: a file or an argument is wrong, missing, or not used by ``kind``.
    """
    check_table_path(output)
    read = PlacementInstance.read(instance)
    if kind == "azure-llm-2023":
        _refuse(kind, requests=requests, horizon_s=horizon_s)
        times_s = read_azure_llm_2023(_needed(kind, "arrivals", arrivals))
        trace = trace_at(read, times_s, rate_per_s=rate_per_s, seed=seed)
    elif kind == "bursty":
        trace = bursty_trace(
            _needed(kind, "arrivals", arrivals),
            read,
            _needed(kind, "rate_per_s", rate_per_s),
            requests=requests,
            horizon_s=horizon_s,
            seed=seed,
        )
    else:
        _refuse(kind, arrivals=arrivals)
        rate_per_s = _needed(kind, "rate_per_s", rate_per_s)
        trace = poisson_trace(read, rate_per_s, requests=requests, horizon_s=horizon_s, seed=seed)
    write_trace(trace, output)
    return trace


def _needed(kind: str, name: str, value: _T | None) -> _T:
    if value is None:
        raise InputError(name, "", f"is needed for a {kind} trace; give it")
    return value


def _refuse(kind: str, **given: object) -> None:
    for name, value in given.items():
        if value is not None:
            raise InputError(name, "", f"has no meaning for a {kind} trace; leave it out")
