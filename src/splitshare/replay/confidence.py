"""How sure a simulated mean is: independent replications, and batch means of one long run.

Replications: a mean for each seed; these are independent, and Student's t gives an interval of their mean. Batch means:
a run in its steady state is cut into batches in a row, long enough that their means hardly depend on each other, and
these are taken as replications (A. M. Law, Simulation Modeling and Analysis, 5th ed. 2015, sections 9.4.1 and 9.5.3).
Ten to thirty batches are enough (B. Schmeiser, Operations Research 30, 1982), twenty here. Whether they are long enough
is tested by von Neumann's ratio, as G. S. Fishman and L. S. Yarberry do (INFORMS Journal on Computing 9, 1997).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

LEVEL = 0.95
BATCHES = 20
LEAST_BATCH = 10
"""Observations of a batch at least, for a run to be cut up at all."""


@dataclass(frozen=True)
class Interval:
    """A mean, and where the true one lies in ``LEVEL`` of all cases."""

    mean: float
    low: float
    high: float

    def around(self, value: float) -> bool:
        """Whether ``value`` is inside."""
        return self.low <= value <= self.high


@dataclass(frozen=True)
class BatchMeans:
    """The mean of a run, by batch means."""

    interval: Interval
    batch: int
    """Observations of a batch."""
    independent: bool
    """Whether the batch means pass for independent; if not, the interval is too narrow, and a longer run is needed."""


def replications(means: Sequence[float] | NDArray[np.float64]) -> Interval:
    """The mean of independent replications.

    Args:
        means: one of each replication, shape (replications,), two at least.

    Raises:
        ValueError: there are fewer than two.
    """
    values = np.asarray(means, dtype=np.float64)
    if len(values) < 2:
        raise ValueError(f"an interval needs two replications at least, not {len(values)}")
    mean = float(values.mean())
    half = float(stats.t.ppf((1 + LEVEL) / 2, len(values) - 1) * values.std(ddof=1) / math.sqrt(len(values)))
    return Interval(mean, mean - half, mean + half)


def batch_means(observations: NDArray[np.float64]) -> BatchMeans | None:
    """The mean of one run.

    Args:
        observations: in the order in which they were made, without the warm-up; shape (observations,). The first few
            are left out where the batches do not come out even.

    Returns:
        None if there are fewer than ``BATCHES`` times ``LEAST_BATCH``.
    """
    batch = len(observations) // BATCHES
    if batch < LEAST_BATCH:
        return None
    means = observations[len(observations) - BATCHES * batch :].reshape(BATCHES, batch).mean(axis=1)
    return BatchMeans(replications(means), batch, _pass_for_independent(means))


def _pass_for_independent(means: NDArray[np.float64]) -> bool:
    """One-sided test of no positive correlation of neighbours, at 5 %: von Neumann's ratio, nearly normal."""
    off = means - means.mean()
    squares = float(off @ off)
    if squares == 0:
        return True
    ratio = float(np.square(np.diff(means)).sum()) / squares
    count = len(means)
    return (1 - ratio / 2) / math.sqrt((count - 2) / (count**2 - 1)) < stats.norm.ppf(0.95)
