"""Arrivals as most services keep them: counts in bins of one width."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from splitshare.errors import InputError
from splitshare.ranges import LEAST_SECONDS
from splitshare.replay.tables import at_row, parse_counts, parse_floats, read_csv

MOST_ARRIVALS = 10**9
"""Greatest count of one bin."""


@dataclass(frozen=True, eq=False)
class ArrivalCounts:
    """Arrivals counted in consecutive bins of one width, from time 0 on."""

    width_s: float
    arrivals: NDArray[np.int64]
    """Shape (bins,); empty bins are there, with 0."""


def read_arrival_counts(path: Path) -> ArrivalCounts:
    """Read ``start_s,arrivals``: one row a bin, the first from 0, each as wide as the first.

    Raises:
        InputError: a bin is missing (empty ones are written as 0), a count is no whole number, or nothing
            arrives.
    """
    text = read_csv(path, ("start_s", "arrivals"))
    start_s = parse_floats(path, "start_s", text["start_s"])
    arrivals = parse_counts(path, "arrivals", text["arrivals"], MOST_ARRIVALS)
    if np.any(np.diff(start_s) <= 0):
        i = int(np.flatnonzero(np.diff(start_s) <= 0)[0]) + 1
        raise InputError(path, at_row("start_s", i), f"{start_s[i]:.9g} is not after the row above; sort by start_s")
    if len(start_s) < 2 or start_s[1] < LEAST_SECONDS:
        raise InputError(path, "start_s", "needs at least two bins, the second after 0, to tell the width of one")
    width_s = float(start_s[1])
    wrong = np.flatnonzero(np.abs(start_s - width_s * np.arange(len(start_s))) > 1e-6 * width_s)
    if wrong.size:
        i = int(wrong[0])
        raise InputError(
            path,
            at_row("start_s", i),
            f"must be {width_s * i:.9g} in bins of {width_s:.9g} s from 0; write empty bins with 0 arrivals",
        )
    if not arrivals.sum():
        raise InputError(path, "arrivals", "nothing ever arrives; at least one bin needs a count")
    return ArrivalCounts(width_s, arrivals)
