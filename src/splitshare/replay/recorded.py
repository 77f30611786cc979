"""What can be done with recorded requests before they become a trace: a window of them, another rate (ours)."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from splitshare.choices import Scaling
from splitshare.errors import InputError
from splitshare.replay.public_traces import RecordedRequests


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
