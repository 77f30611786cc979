"""What can be done with recorded requests before they become a trace: a window of them, another rate (ours)."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from splitshare.choices import Scaling
from splitshare.errors import InputError
from splitshare.ranges import MOST_SECONDS
from splitshare.replay.public_traces import RecordedRequests
from splitshare.replay.tables import at_row, parse_floats, read_csv

MOST_FACTOR = 1e6
"""By which a rate is raised or lowered."""


def window(
    recorded: RecordedRequests,
    source: Path | str,
    from_s: float | None = None,
    until_s: float | None = None,
    requests: int | None = None,
) -> RecordedRequests:
    """Requests from a second on, before another one, and so many of them at most; times since the first that is left.

    Raises:
        InputError: none is left.
    """
    rows = np.flatnonzero(
        (recorded.arrival_s >= (0.0 if from_s is None else from_s))
        & (recorded.arrival_s < (np.inf if until_s is None else until_s))
    )[:requests]
    if not len(rows):
        last_s = recorded.arrival_s[-1]
        raise InputError(source, "", f"nothing arrives in this window; its requests come from 0 to {last_s:.6g} s")
    return recorded if len(rows) == len(recorded) else recorded.select(rows)


def read_warp(path: Path) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Read ``time_s,rate_factor``: from a second of the trace on, its rate is multiplied by the factor.

    Returns:
        Times from 0, strictly ascending, and factors above 0; each of shape (rows,).

    Raises:
        InputError: names the row of the first mistake.
    """
    table = read_csv(path, ("time_s", "rate_factor"))
    times = parse_floats(path, "time_s", table["time_s"])
    factors = parse_floats(path, "rate_factor", table["rate_factor"], MOST_FACTOR)
    low = np.flatnonzero(factors < 1 / MOST_FACTOR)
    if low.size:
        i = int(low[0])
        raise InputError(path, at_row("rate_factor", i), f"must be {1 / MOST_FACTOR:g} to {MOST_FACTOR:g}")
    if times[0] != 0:
        raise InputError(path, at_row("time_s", 0), "must be 0, where the trace begins")
    wrong = np.flatnonzero(np.diff(times) <= 0)
    if wrong.size:
        raise InputError(path, at_row("time_s", int(wrong[0]) + 1), "is not after the row above; sort by time")
    return times, factors


def warped(recorded: RecordedRequests, path: Path) -> tuple[RecordedRequests, str]:
    """The same requests, time running faster or slower in places.

    Where the factor is f, what took a second takes 1/f: the rate there is f times what it was, order and number of
    requests stay.

    Returns:
        The requests, and what was done, in words.

    Raises:
        InputError: the file is wrong, or the trace would get too long.
    """
    times, factors = read_warp(path)
    starts = np.concatenate([[0.0], np.cumsum(np.diff(times) / factors[:-1])])
    at = np.searchsorted(times, recorded.arrival_s, side="right") - 1
    arrival_s = starts[at] + (recorded.arrival_s - times[at]) / factors[at]
    if arrival_s[-1] > MOST_SECONDS:
        raise InputError(
            path, "rate_factor", f"makes the trace {arrival_s[-1]:.3g} s long; {MOST_SECONDS:g} is the most"
        )
    how = f"warped from {recorded.arrival_s[-1]:.6g} to {arrival_s[-1]:.6g} s by {len(times)} factors of {path.name}"
    return replace(recorded, arrival_s=arrival_s), how


def scaled(recorded: RecordedRequests, rate_per_s: float, by: Scaling, seed: int) -> tuple[RecordedRequests, str]:
    """The same requests at another mean rate.

    ``stretch`` multiplies all times by one factor: bursts get longer or shorter with it, and gaps in units of their
    mean stay as they are. ``thin`` leaves requests out at random: bursts last as long as they did, and are lower.

    Returns:
        The requests, and what was done, in words.

    Raises:
        InputError: all arrive at once, or thinning would need a higher rate than there is.
    """
    last_s = float(recorded.arrival_s[-1])
    if last_s <= 0:
        raise InputError("--rate-per-s", "", "all requests arrive at once, so they have no rate; leave it out")
    own_per_s = len(recorded) / last_s
    factor = own_per_s / rate_per_s
    if by == "stretch":
        how = f"from {own_per_s:.4g} to {rate_per_s:.4g} requests a second by stretching time {factor:.4g} times"
        return replace(recorded, arrival_s=recorded.arrival_s * factor), how
    if factor < 1:
        problem = (
            f"thinning only lowers a rate, and there are {own_per_s:.4g}/s; ask for less, or give --scale-by stretch"
        )
        raise InputError("--rate-per-s", f"{rate_per_s:g}", problem)
    stream = np.random.Generator(np.random.PCG64(np.random.SeedSequence(seed).spawn(3)[2]))
    kept = np.flatnonzero(stream.random(len(recorded)) < 1 / factor)
    if not len(kept):
        raise InputError("--rate-per-s", f"{rate_per_s:g}", "leaves no request of the trace; ask for more")
    how = (
        f"from {own_per_s:.4g} to {rate_per_s:.4g} requests a second by leaving out all but 1 in {factor:.4g} at random"
    )
    return recorded.select(kept), how
