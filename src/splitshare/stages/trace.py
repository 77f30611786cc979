"""Write a seeded request trace for the request classes of an instance."""

from __future__ import annotations

from typing import TypeVar

from splitshare.commands.trace import Options
from splitshare.errors import InputError
from splitshare.placement.instance import PlacementInstance
from splitshare.replay.azure import read_azure_llm_2023
from splitshare.replay.generators import bursty_trace, poisson_trace, trace_at
from splitshare.replay.tables import check_table_path
from splitshare.replay.traces import RequestTrace, write_trace

_T = TypeVar("_T")


def run(options: Options) -> RequestTrace:
    """Write a seeded request trace.

    Raises:
        InputError: a file or an argument is wrong, missing, or not used by ``kind``.
    """
    check_table_path(options.output)
    instance = PlacementInstance.read(options.instance)
    if options.kind == "azure-llm-2023":
        _refuse(options.kind, requests=options.requests, horizon_s=options.horizon_s)
        times_s = read_azure_llm_2023(_needed(options.kind, "arrivals", options.arrivals))
        trace = trace_at(instance, times_s, rate_per_s=options.rate_per_s, seed=options.seed, kind=options.kind)
    elif options.kind == "bursty":
        trace = bursty_trace(
            _needed(options.kind, "arrivals", options.arrivals),
            instance,
            _needed(options.kind, "rate_per_s", options.rate_per_s),
            requests=options.requests,
            horizon_s=options.horizon_s,
            seed=options.seed,
        )
    else:
        _refuse(options.kind, arrivals=options.arrivals)
        rate_per_s = _needed(options.kind, "rate_per_s", options.rate_per_s)
        trace = poisson_trace(
            instance, rate_per_s, requests=options.requests, horizon_s=options.horizon_s, seed=options.seed
        )
    write_trace(trace, options.output)
    return trace


def _needed(kind: str, name: str, value: _T | None) -> _T:
    if value is None:
        raise InputError(name, "", f"is needed for a {kind} trace; give it")
    return value


def _refuse(kind: str, **given: object) -> None:
    for name, value in given.items():
        if value is not None:
            raise InputError(name, "", f"has no meaning for a {kind} trace; leave it out")
