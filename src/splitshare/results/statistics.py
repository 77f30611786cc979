"""Statistics of a comparison over instances that are not independent: intervals, tests, profiles."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt
from scipy import stats

Floats = npt.NDArray[np.float64]

LEAST_CLUSTERS = 5
"""Fewer have no interval: of means that so few give, none covers what it says."""
RESAMPLES = 9_999
"""Of an interval."""
FLIPS = 2**15
"""Of a test: exact up to 15 clusters."""
BATCH = 2_048
"""Resamples at a time, to keep memory small."""
BEYOND = 1e12
"""Stands for a distance of infinitely many standard errors, which scipy would warn of."""


class NoInterval(StrEnum):
    """Why a mean has no interval."""

    FEW_CLUSTERS = "few_clusters"
    """Fewer than ``LEAST_CLUSTERS``."""
    EQUAL_CLUSTERS = "equal_clusters"
    """All clusters have the same mean: there is no spread to resample."""
    UNBOUNDED = "unbounded"
    """So few clusters differ from the rest that more resamples than the tail holds miss them all."""


@dataclass(frozen=True)
class ClusterMean:
    """A mean over instances in clusters, with a confidence interval or why there is none."""

    estimate: float
    low: float | None
    high: float | None
    """Ends of the interval; both ``None`` where there is none."""
    confidence: float
    clusters: int
    no_interval: NoInterval | None


def cluster_mean(
    values: Floats,
    clusters: Sequence[str],
    *,
    least: float = -np.inf,
    tolerance: float = 0.0,
    confidence: float = 0.95,
    seed: int = 0,
) -> ClusterMean:
    """Mean with a bootstrap-t interval from resampling whole clusters (Davison and Hinkley 1997, sections 3.8, 5.2).

    Instances of one workload share their models, so they are drawn together: resampling single instances would make
    the interval too narrow. What is resampled is the mean's distance from the estimate in standard errors, those of a
    ratio of sums over clusters. Gaps are skewed and clusters few: there the percentile method covers far less than it
    says, BCa a little more, and this one nearly what it says (measured in ``tests/results/test_coverage.py``).

    Args:
        values: shape (instances,), finite, at least one.
        clusters: the cluster of each value.
        least: no mean is below it; an interval is cut there.
        tolerance: means of clusters that lie no further apart are the same.
        confidence: of the interval.
        seed: of the resampling.
    """
    names, member = np.unique(np.asarray(clusters), return_inverse=True)
    sums = np.bincount(member, weights=values, minlength=len(names)).astype(np.float64)
    counts = np.bincount(member, minlength=len(names)).astype(np.float64)
    mean = float(np.mean(values))
    if len(names) < LEAST_CLUSTERS:
        return ClusterMean(mean, None, None, confidence, len(names), NoInterval.FEW_CLUSTERS)
    own_means = sums / counts
    if np.ptp(own_means) <= max(tolerance, 1e-12 * abs(mean)):
        return ClusterMean(mean, None, None, confidence, len(names), NoInterval.EQUAL_CLUSTERS)
    _, error = _ratio(sums, counts)

    def pivot(drawn_sums: Floats, drawn_counts: Floats, axis: int) -> Floats:
        drawn_mean, drawn_error = _ratio(drawn_sums, drawn_counts, axis)
        away = drawn_mean - mean
        with np.errstate(divide="ignore", invalid="ignore"):
            # Clusters that are all alike have an error of zero, but for rounding.
            return np.where(drawn_error > 1e-9 * error, away / drawn_error, np.sign(away) * BEYOND)

    drawn = stats.bootstrap(
        (sums, counts),
        pivot,
        n_resamples=RESAMPLES,
        batch=BATCH,
        vectorized=True,
        paired=True,
        axis=-1,
        method="percentile",
        rng=np.random.default_rng(seed),
    ).bootstrap_distribution
    tail = (1 - confidence) / 2
    down = np.quantile(drawn, tail, method="lower")
    up = np.quantile(drawn, 1 - tail, method="higher")
    if max(-down, up) >= BEYOND:
        return ClusterMean(mean, None, None, confidence, len(names), NoInterval.UNBOUNDED)
    low, high = (float(mean - t * error) for t in (up, down))
    return ClusterMean(mean, min(mean, max(low, least)), high, confidence, len(names), None)


def _ratio(sums: Floats, counts: Floats, axis: int = -1) -> tuple[Floats, Floats]:
    """Mean over instances from sums over clusters, and its standard error by linearisation (Cochran 1977, 6.4)."""
    n = sums.shape[axis]
    total = counts.sum(axis=axis, keepdims=True)
    mean = sums.sum(axis=axis, keepdims=True) / total
    squares = ((sums - mean * counts) ** 2).sum(axis=axis, keepdims=True)
    error = np.sqrt(n / (n - 1) * squares) / total
    return mean.squeeze(axis), error.squeeze(axis)


@dataclass(frozen=True)
class SignFlips:
    """What flipping the signs of whole clusters found."""

    p_value: float
    """Two-sided."""
    direction: int
    """-1: the first is less; 1: the second is; 0: neither."""
    clusters: int
    deciding: int
    """Clusters in which one of the two is ahead."""
    smallest_p: float
    """The smallest p-value that so many deciding clusters can give."""


def cluster_sign_flips(
    first: Floats, second: Floats, clusters: Sequence[str], *, tolerance: float, seed: int = 0
) -> SignFlips:
    """Clustered signed-rank test by permutation (Rosner, Glynn and Lee 2006), zeros ranked as Pratt (1959) does.

    The relative differences of all instances are ranked by size, and their signed ranks summed over each cluster. If
    neither method were better, the sign of a whole cluster could as well be the other: its instances share their
    models, and their differences come together. Wilcoxon's test flips instances one by one and finds far too many
    differences where clusters matter. All flips are tried where they are at most ``FLIPS``, else so many random ones.

    Args:
        first: shape (instances,), infinite where there is no placement: worse than anything finite.
        second: likewise.
        clusters: the cluster of each instance.
        tolerance: relative differences up to it count as zero.
        seed: of random flips.
    """
    difference = relative_difference(first, second)
    difference[np.abs(difference) <= tolerance] = 0.0
    names, member = np.unique(np.asarray(clusters), return_inverse=True)
    # Sizes that differ by rounding alone are ties; what is left of them would order instances by chance.
    signed = np.sign(difference) * stats.rankdata(np.abs(difference).round(12))
    sums = np.bincount(member, weights=signed, minlength=len(names))
    deciding = sums[sums != 0]
    direction = int(np.sign(deciding.sum()))
    if len(deciding) < 2:  # either sign of one cluster is as far from zero
        return SignFlips(1.0, direction, len(names), len(deciding), 1.0)
    flipped = stats.permutation_test(
        (deciding,),
        np.sum,
        permutation_type="samples",
        vectorized=True,
        n_resamples=FLIPS,
        batch=BATCH,
        rng=np.random.default_rng(seed),
    )
    return SignFlips(
        p_value=float(flipped.pvalue),
        direction=direction,
        clusters=len(names),
        deciding=len(deciding),
        smallest_p=smallest_p(len(deciding)),
    )


def smallest_p(clusters: int) -> float:
    """The smallest two-sided p-value of ``cluster_sign_flips`` over so many deciding clusters: all on one side."""
    return 2 / 2**clusters if 2**clusters <= FLIPS else 2 / (FLIPS + 1)


def relative_difference(first: Floats, second: Floats) -> Floats:
    """``log(first / second)`` with infinities as the largest difference, equal ones as none; shape (instances,)."""
    with np.errstate(invalid="ignore", divide="ignore"):
        difference = np.log(first) - np.log(second)
    difference[first == second] = 0.0
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


def performance_profile(objective: Floats, factors: Floats, *, more_is_better: bool = False) -> Floats:
    """Share of instances on which each method is within a factor of the best (Dolan and Moré 2002).

    Args:
        objective: shape (methods, instances), infinite where a method has no answer.
        factors: shape (factors,), 1 and above.
        more_is_better: whether the best has the most.

    Returns:
        Shape (methods, factors).
    """
    best = objective.max(axis=0) if more_is_better else objective.min(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        ratio = best / objective if more_is_better else objective / best
    ratio = np.where(np.isinf(objective), np.inf, np.where(objective == best, 1.0, ratio))
    within = ratio[:, :, None] <= factors * (1 + 1e-9)
    shares: Floats = within.mean(axis=1)
    return shares
