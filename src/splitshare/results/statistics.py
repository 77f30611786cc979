"""Statistics of a comparison over instances that are not independent: intervals, tests, profiles."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Interval:
    """An estimate with a confidence interval."""

    estimate: float
    low: float
    high: float
    confidence: float


def cluster_bootstrap_mean(
    values: Floats, clusters: Sequence[str], *, confidence: float = 0.95, resamples: int = 10_000, seed: int = 0
) -> Interval:
    """Mean with a percentile interval from resampling whole clusters (Davison and Hinkley 1997, section 3.8).

    Instances of one workload share their models, so they are drawn together: resampling single instances would make
    the interval too narrow.

    Args:
        values: shape (instances,), finite.
        clusters: the cluster of each value.
        confidence: of the interval.
        resamples: how many.
        seed: of the resampling.
    """
    names, member = np.unique(np.asarray(clusters), return_inverse=True)
    sums = np.bincount(member, weights=values, minlength=len(names))
    counts = np.bincount(member, minlength=len(names))
    drawn = np.random.default_rng(seed).integers(len(names), size=(resamples, len(names)))
    means = sums[drawn].sum(axis=1) / counts[drawn].sum(axis=1)
    tail = (1 - confidence) / 2
    low, high = np.quantile(means, [tail, 1 - tail])
    return Interval(float(np.mean(values)), float(low), float(high), confidence)


def signed_rank_p(first: Floats, second: Floats, tolerance: float) -> float:
    """Two-sided p-value of Wilcoxon's signed-rank test on the relative differences, zeros ranked as Pratt (1959) does.

    Differences below ``tolerance`` count as zero, and an infinite value (no placement) as worse than any finite one.
    1 where all differences are zero.
    """
    difference = relative_difference(first, second)
    difference[np.abs(difference) <= tolerance] = 0.0
    if not difference.any():
        return 1.0
    return float(stats.wilcoxon(difference, zero_method="pratt", method="approx").pvalue)


def relative_difference(first: Floats, second: Floats) -> Floats:
    """``log(first / second)`` with infinities as the largest difference, both infinite as none; shape (instances,)."""
    with np.errstate(invalid="ignore"):
        difference = np.log(first) - np.log(second)
    difference[np.isinf(first) & np.isinf(second)] = 0.0
    finite = np.abs(difference[np.isfinite(difference)])
    bound = 2 * float(finite.max(initial=1.0))
    clipped: Floats = np.clip(difference, -bound, bound)
    return clipped


def holm(p_values: Sequence[float]) -> list[float]:
    """P-values adjusted for their number by Holm's step-down method (1979), in the order given."""
    order = np.argsort(p_values, kind="stable")
    adjusted = np.empty(len(p_values))
    highest = 0.0
    for rank, index in enumerate(order):
        highest = max(highest, min(1.0, (len(p_values) - rank) * p_values[index]))
        adjusted[index] = highest
    return [float(p) for p in adjusted]


def performance_profile(objective: Floats, factors: Floats) -> Floats:
    """Share of instances on which each method is within a factor of the best (Dolan and Moré 2002).

    Args:
        objective: shape (methods, instances), infinite where a method has no placement.
        factors: shape (factors,), 1 and above.

    Returns:
        Shape (methods, factors).
    """
    best = objective.min(axis=0)
    with np.errstate(invalid="ignore"):
        ratio = np.where(np.isinf(objective), np.inf, objective / best)
    within = ratio[:, :, None] <= factors * (1 + 1e-9)
    shares: Floats = within.mean(axis=1)
    return shares
