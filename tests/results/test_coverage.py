"""What the verdict's statistics promise, held by simulation against known truths, beside what they replaced."""

import numpy as np
import pytest
from scipy import stats

from splitshare.results.statistics import cluster_mean, cluster_sign_flips, relative_difference

SIZE = 5
"""Instances of a cluster."""


def correlated(draw, clusters, icc=0.5):
    """Standard normal values with the given correlation within clusters; shape (clusters, SIZE)."""
    own = draw.normal(size=(clusters, SIZE))
    return np.sqrt(icc) * draw.normal(size=(clusters, 1)) + np.sqrt(1 - icc) * own


def exponential(draw, clusters):
    return draw.exponential(size=(clusters, 1)) * (0.5 + draw.random((clusters, SIZE)))


def lognormal(draw, clusters):
    return np.exp(correlated(draw, clusters))


def long_tailed(draw, clusters):
    return np.exp(1.5 * correlated(draw, clusters))


def pareto(draw, clusters):
    return (1 + draw.pareto(2.5, size=(clusters, 1))) * (0.5 + draw.random((clusters, SIZE)))


def half_optimal(draw, clusters):
    return (draw.random((clusters, 1)) < 0.5) * np.exp(correlated(draw, clusters))


TRUTHS = {
    exponential: 1.0,
    lognormal: np.exp(0.5),
    long_tailed: np.exp(1.5**2 / 2),
    pareto: 2.5 / 1.5,
    half_optimal: 0.5 * np.exp(0.5),
}


def names(clusters):
    return [f"c{i:02}" for i in range(clusters) for _ in range(SIZE)]


def ends_by_scipy(values, method, seed):
    """Interval of a mean of equal clusters by one of scipy's methods."""
    means = values.mean(axis=1)
    found = stats.bootstrap((means,), np.mean, method=method, n_resamples=1999, rng=np.random.default_rng(seed))
    return found.confidence_interval


def coverage(distribution, clusters, repetitions, seed=0):
    """Shares of intervals that hold the truth: this method (where it gives one), percentile, BCa; and share given."""
    draw = np.random.default_rng(seed)
    truth = TRUTHS[distribution]
    own: list[bool] = []
    percentile: list[bool] = []
    bca: list[bool] = []
    for repetition in range(repetitions):
        values = distribution(draw, clusters)
        found = cluster_mean(values.ravel(), names(clusters), least=0.0, seed=repetition)
        if found.low is not None:
            own.append(found.low <= truth <= found.high)
        for method, hits in (("percentile", percentile), ("BCa", bca)):
            low, high = ends_by_scipy(values, method, repetition)
            hits.append(low <= truth <= high)
    return np.mean(own), np.mean(percentile), np.mean(bca), len(own) / repetitions


def test_skewed_gaps_of_19_workloads_are_covered():
    """Of 300 cases, a true coverage of 0.93 (long simulations) misses 0.88 once in some thousand times."""
    own, percentile, _, given = coverage(lognormal, 19, 300)
    assert given == 1
    assert own >= 0.88
    assert own > percentile


@pytest.mark.slow
@pytest.mark.parametrize(("clusters", "least"), [(5, 0.82), (8, 0.83), (19, 0.88), (40, 0.89)])
@pytest.mark.parametrize("distribution", TRUTHS)
@pytest.mark.filterwarnings("ignore::RuntimeWarning", "ignore::scipy.stats.DegenerateDataWarning")
def test_intervals_cover_better_than_what_they_replaced(distribution, clusters, least):
    own, percentile, bca, given = coverage(distribution, clusters, 1000)
    assert own >= least
    assert own >= max(percentile, bca) - 0.01
    assert given > 0.97 or distribution is half_optimal


def rejections(shift, icc, repetitions, clusters=19, seed=0):
    """Shares of cases in which equality is rejected at 5 %: by flips of clusters, by Wilcoxon over instances."""
    draw = np.random.default_rng(seed)
    flips, wilcoxon = [], []
    for repetition in range(repetitions):
        difference = correlated(draw, clusters, icc).ravel() + shift
        first = np.exp(difference)
        found = cluster_sign_flips(first, np.ones_like(first), names(clusters), tolerance=1e-6, seed=repetition)
        flips.append(found.p_value <= 0.05)
        wilcoxon.append(stats.wilcoxon(relative_difference(first, np.ones_like(first))).pvalue <= 0.05)
    return np.mean(flips), np.mean(wilcoxon)


def test_equal_methods_are_told_apart_in_5_of_100_cases_though_instances_are_correlated():
    flips, wilcoxon = rejections(0.0, 0.5, 400, clusters=12)
    assert flips <= 0.085
    assert wilcoxon >= 0.15


@pytest.mark.slow
@pytest.mark.parametrize("icc", [0.0, 0.5, 0.9])
@pytest.mark.parametrize("clusters", [8, 12, 19])
def test_errors_of_the_first_kind_hold(icc, clusters):
    flips, wilcoxon = rejections(0.0, icc, 1000, clusters)
    assert flips <= 0.072
    assert icc == 0.0 or wilcoxon >= 0.15


@pytest.mark.slow
def test_power_is_that_of_wilcoxon_where_instances_are_independent():
    flips, wilcoxon = rejections(0.3, 0.0, 400)
    assert flips >= wilcoxon - 0.05
