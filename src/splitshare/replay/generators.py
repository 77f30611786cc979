"""Seeded request traces: Poisson, bursty after recorded counts, or at given times.

All draws are from NumPy's PCG64, with one stream for the arrivals and one for the request classes.
"""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
from numpy.random import PCG64, Generator, SeedSequence
from numpy.typing import NDArray

from splitshare.errors import InputError, WorkError
from splitshare.placement.instance import PlacementInstance
from splitshare.profiling.machine import available_memory_bytes
from splitshare.ranges import MOST_SECONDS
from splitshare.replay.arrival_counts import ArrivalCounts, read_arrival_counts
from splitshare.replay.arrivals import Arrivals
from splitshare.replay.traces import RequestTrace

BYTES_A_REQUEST = 100
"""Memory that a request takes while its trace is made and written, roughly."""


def poisson_trace(
    instance: PlacementInstance,
    rate_per_s: float,
    *,
    requests: int | None = None,
    horizon_s: float | None = None,
    seed: int,
) -> RequestTrace:
    """Arrivals of a Poisson process; the first ``requests`` of them, or those before ``horizon_s``.

    Args:
        instance: its request classes are drawn with their ``rate_per_s`` as weights.
        rate_per_s: mean rate over all classes together.
        requests: how many requests; give this or ``horizon_s``.
        horizon_s: how long, in seconds.
        seed: the same seed gives the same trace.

    Raises:
        InputError: an argument is out of range, both or none of the lengths are given, or nothing arrives.
    """
    _check_length(rate_per_s, requests, horizon_s)
    arrival_stream, class_stream = _streams(seed)
    if requests is not None:
        _check_room(requests)
        arrival_s = np.cumsum(arrival_stream.exponential(1 / rate_per_s, requests))
    else:
        assert horizon_s is not None
        _check_room(rate_per_s * horizon_s)
        # Given their number, the arrivals of a Poisson process are uniform over the horizon.
        count = int(arrival_stream.poisson(rate_per_s * horizon_s))
        arrival_s = np.sort(arrival_stream.random(count)) * horizon_s
    if not len(arrival_s):
        raise InputError("horizon_s", "", f"nothing arrives within {horizon_s} s at {rate_per_s}/s; make it longer")
    return _trace(instance, arrival_s, class_stream, "poisson")


def drawn_trace(
    instance: PlacementInstance,
    arrivals: Arrivals,
    rate_per_s: float,
    *,
    requests: int | None = None,
    horizon_s: float | None = None,
    seed: int,
    kind: str,
) -> RequestTrace:
    """Arrivals of any process; the first ``requests`` of them, or those before ``horizon_s``.

    Args:
        instance: its request classes are drawn with their ``rate_per_s`` as weights.
        arrivals: the process.
        rate_per_s: mean rate over all classes together.
        requests: how many requests; give this or ``horizon_s``.
        horizon_s: how long, in seconds.
        seed: the same seed gives the same trace.
        kind: what the trace says of how it was made.

    Raises:
        InputError: an argument is out of range, both or none of the lengths are given, or nothing arrives.
    """
    _check_length(rate_per_s, requests, horizon_s)
    arrival_stream, class_stream = _streams(seed)
    count = requests if requests is not None else math.ceil(rate_per_s * (horizon_s or 0.0) * 1.25) + 100
    _check_room(count)
    if horizon_s is None:
        return _trace(instance, arrivals.times(count, rate_per_s, arrival_stream), class_stream, kind)
    # Where so many end before the horizon they are drawn anew, twice as many, from the stream's start.
    state = arrival_stream.bit_generator.state
    while True:
        arrival_stream.bit_generator.state = state
        arrival_s = arrivals.times(count, rate_per_s, arrival_stream)
        if arrival_s[-1] >= horizon_s or not arrival_s[-1] > 0:
            break
        count *= 2
        _check_room(count)
    arrival_s = arrival_s[arrival_s < horizon_s]
    if not len(arrival_s):
        raise InputError("horizon_s", "", f"nothing arrives within {horizon_s} s at {rate_per_s}/s; make it longer")
    return _trace(instance, arrival_s, class_stream, kind)


def bursty_trace(
    counts: Path,
    instance: PlacementInstance,
    rate_per_s: float,
    *,
    requests: int | None = None,
    horizon_s: float | None = None,
    seed: int,
) -> RequestTrace:
    """Arrivals after recorded counts a bin, at another mean rate.

    Each bin's arrivals are placed uniformly at random within it. The first ``requests`` of them (from the
    start of the record, which begins anew when it is used up, freshly placed) are kept, and time is stretched
    by one factor such that they fill ``requests / rate_per_s`` seconds. Stretching changes how long a burst
    lasts, in proportion, and leaves what does not depend on the unit of time as it was: the coefficient of
    variation of the inter-arrival times, and how the counts of a (stretched) bin spread. What happened inside
    a bin is lost: at that scale the arrivals are Poisson-like, smoother than the recorded ones were.

    Args:
        counts: file of ``start_s,arrivals``, see ``read_arrival_counts``.
        instance: its request classes are drawn with their ``rate_per_s`` as weights.
        rate_per_s: mean rate over all classes together.
        requests: how many requests; give this or ``horizon_s``.
        horizon_s: how long, in seconds; the same as ``requests = rate_per_s * horizon_s``, rounded.
        seed: the same seed gives the same trace.

    Raises:
        InputError: an argument or the file is wrong.
    """
    _check_length(rate_per_s, requests, horizon_s)
    if requests is None:
        assert horizon_s is not None
        requests = round(rate_per_s * horizon_s)
        if not requests:
            raise InputError("horizon_s", "", f"nothing arrives within {horizon_s} s at {rate_per_s}/s; make it longer")
    arrival_stream, class_stream = _streams(seed)
    _check_room(requests)
    recorded_s = _place(read_arrival_counts(counts), requests + 1, arrival_stream)
    # The window ends where the next request would come, so it holds exactly `requests` of them.
    arrival_s = recorded_s[:requests] * (requests / (rate_per_s * recorded_s[requests]))
    return _trace(instance, arrival_s, class_stream, "bursty")


def trace_at(
    instance: PlacementInstance,
    arrival_s: NDArray[np.float64],
    *,
    rate_per_s: float | None = None,
    seed: int,
    kind: str | None = None,
) -> RequestTrace:
    """A trace with given arrival times, such as those of a public trace.

    Args:
        instance: its request classes are drawn with their ``rate_per_s`` as weights.
        arrival_s: seconds, ascending from 0 on, shape (requests,).
        rate_per_s: where given, time is stretched such that the last request comes ``requests / rate_per_s``
            seconds after time 0.
        seed: of the classes.
        kind: what the trace says of where its times are from.

    Raises:
        InputError: the rate is out of range, or cannot be had because all requests arrive at once.
    """
    if rate_per_s is not None:
        _check_positive("rate_per_s", rate_per_s)
        if arrival_s[-1] <= 0:
            raise InputError("rate_per_s", "", "all requests arrive at once, so no stretching of time gives a rate")
        arrival_s = arrival_s * (len(arrival_s) / (rate_per_s * arrival_s[-1]))
    return _trace(instance, arrival_s, _streams(seed)[1], kind)


def _place(counts: ArrivalCounts, at_least: int, stream: Generator) -> NDArray[np.float64]:
    """Sorted times of all arrivals of as many passes over the record as give ``at_least`` of them."""
    _check_room(at_least + float(counts.arrivals.sum()))
    bins = len(counts.arrivals)
    bin_of = np.repeat(np.arange(bins), counts.arrivals)
    passes = -(-at_least // len(bin_of))
    return np.concatenate(
        [np.sort((i * bins + bin_of + stream.random(len(bin_of))) * counts.width_s) for i in range(passes)]
    )


def _trace(
    instance: PlacementInstance, arrival_s: NDArray[np.float64], stream: Generator, kind: str | None
) -> RequestTrace:
    if arrival_s[-1] > MOST_SECONDS:
        problem = f"the last request would come at {arrival_s[-1]:.3g} s; {MOST_SECONDS:g} s is the most"
        raise InputError("rate_per_s", "", problem)
    rates = np.array([request.rate_per_s for request in instance.requests])
    return RequestTrace(
        request_id=np.arange(len(arrival_s), dtype=np.int64),
        arrival_s=arrival_s,
        classes=tuple(request.name for request in instance.requests),
        request_class=stream.choice(len(rates), size=len(arrival_s), p=rates / rates.sum()).astype(np.int64),
        size=np.ones(len(arrival_s)),
        kind=kind,
    )


def _streams(seed: int) -> tuple[Generator, Generator]:
    if seed < 0:
        raise InputError("seed", "", f"must be 0 or more, not {seed}")
    arrivals, classes = SeedSequence(seed).spawn(2)
    return Generator(PCG64(arrivals)), Generator(PCG64(classes))


def _check_room(requests: float) -> None:
    """Refuse a trace that does not fit into memory before any of it is drawn.

    Raises:
        WorkError: it would not.
    """
    needed, free = BYTES_A_REQUEST * requests, available_memory_bytes()
    if needed > free:
        raise WorkError(
            f"a trace of {requests:.3g} requests takes about {needed / 1e9:.3g} GB of memory, {free / 1e9:.3g} GB are "
            "free; ask for fewer"
        )


def _check_length(rate_per_s: float, requests: int | None, horizon_s: float | None) -> None:
    _check_positive("rate_per_s", rate_per_s)
    if (requests is None) == (horizon_s is None):
        raise InputError("requests, horizon_s", "", "give exactly one of the two")
    if requests is not None and requests < 1:
        raise InputError("requests", "", f"must be 1 or more, not {requests}")
    if horizon_s is not None:
        _check_positive("horizon_s", horizon_s)


def _check_positive(name: str, value: float) -> None:
    if not (np.isfinite(value) and value > 0):
        raise InputError(name, "", f"must be a finite number above 0, not {value}")
