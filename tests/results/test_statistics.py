import itertools

import numpy as np
import pytest
from scipy import stats

from splitshare.results.statistics import (
    FLIPS,
    ClusterMean,
    NoInterval,
    cluster_mean,
    cluster_sign_flips,
    holm,
    performance_profile,
    relative_difference,
    smallest_p,
)


def singles(count):
    return [f"c{i:02}" for i in range(count)]


@pytest.mark.parametrize("clusters", [1, 2, 4])
def test_few_clusters_have_no_interval(clusters):
    found = cluster_mean(np.arange(8.0), [str(i % clusters) for i in range(8)])
    assert (found.estimate, found.low, found.high, found.clusters) == (3.5, None, None, clusters)
    assert found.no_interval is NoInterval.FEW_CLUSTERS


@pytest.mark.parametrize("value", [0.0, 0.1, 1e9])
def test_equal_clusters_have_no_interval(value):
    found = cluster_mean(np.full(30, value), [str(i % 6) for i in range(30)])
    assert found.no_interval is NoInterval.EQUAL_CLUSTERS
    assert found.low is found.high is None


def test_differences_within_the_tolerance_are_none():
    found = cluster_mean(np.linspace(0, 1e-9, 10), singles(10), tolerance=1e-6)
    assert found.no_interval is NoInterval.EQUAL_CLUSTERS


@pytest.mark.parametrize(("differing", "bounded"), [(1, False), (2, False), (6, True)])
@pytest.mark.filterwarnings("error")
def test_an_interval_that_resampling_cannot_bound_is_none(differing, bounded):
    """One cluster of 19 is missed by (18/19)^19, a third, of the resamples: the mean has no upper bound."""
    values = np.zeros(19)
    values[:differing] = np.arange(1, differing + 1)
    found = cluster_mean(values, singles(19), least=0.0)
    assert (found.high is not None) is bounded
    assert found.no_interval is (None if bounded else NoInterval.UNBOUNDED)
    if bounded:
        assert found.low is not None
        assert found.high is not None
        assert 0 <= found.low < found.estimate < found.high < 10


def test_the_interval_agrees_with_a_bootstrap_t_written_apart():
    """Resample by resample in plain Python, clusters of unequal size."""
    draw = np.random.default_rng(3)
    clusters = [np.exp(draw.normal(size=size) + draw.normal()) for size in (1, 2, 3, 5, 5, 5, 5, 4, 2, 1)]

    def mean_and_error(parts):
        mean = np.concatenate(parts).mean()
        residuals = [(part - mean).sum() for part in parts]
        variance = len(parts) / (len(parts) - 1) * sum(r**2 for r in residuals)
        return mean, variance**0.5 / sum(map(len, parts))

    mean, error = mean_and_error(clusters)
    pivots = []
    for _ in range(5000):
        drawn_mean, drawn_error = mean_and_error([clusters[i] for i in draw.integers(10, size=10)])
        pivots.append((drawn_mean - mean) / drawn_error)
    low, high = mean - error * np.quantile(pivots, [0.975, 0.025])
    found = cluster_mean(np.concatenate(clusters), [str(i) for i, c in enumerate(clusters) for _ in c])
    assert found.estimate == pytest.approx(mean)
    assert found.low == pytest.approx(low, abs=0.1 * (mean - low))
    assert found.high == pytest.approx(high, abs=0.15 * (high - mean))


def width(found: ClusterMean) -> float:
    assert found.low is not None
    assert found.high is not None
    return found.high - found.low


def test_resampling_clusters_is_wider_than_resampling_instances():
    draw = np.random.default_rng(0)
    clusters = np.repeat(np.arange(8), 10)
    values = np.repeat(draw.normal(size=8), 10) + 0.01 * draw.normal(size=80)
    together = cluster_mean(values, [str(c) for c in clusters])
    apart = cluster_mean(values, singles(80))
    assert width(together) > 2 * width(apart)


def flips(difference, clusters, **options):
    return cluster_sign_flips(np.exp(difference), np.ones(len(difference)), clusters, tolerance=1e-9, **options)


def test_flips_of_single_instances_are_wilcoxons_exact_test():
    draw = np.random.default_rng(2)
    for shift in (0.0, 0.3, 0.8):
        difference = draw.normal(loc=shift, size=13)
        assert flips(difference, singles(13)).p_value == pytest.approx(
            stats.wilcoxon(difference, method="exact").pvalue, abs=1e-12
        )


def test_flips_of_clusters_agree_with_enumeration():
    """Pratt's signed ranks, ties by mean rank, all signs of nine clusters of three."""
    draw = np.random.default_rng(4)
    for shift in (0.0, 0.5, 1.0):
        difference = (draw.normal(loc=shift, size=(9, 1)) + draw.normal(size=(9, 3))).round(1)
        difference[0] = 0.0
        magnitude = np.abs(difference).ravel()
        ranks = np.array([(magnitude < m).sum() + ((magnitude == m).sum() + 1) / 2 for m in magnitude])
        sums = (np.sign(difference) * ranks.reshape(9, 3)).sum(axis=1)
        every = [abs(np.dot(signs, sums)) for signs in itertools.product((-1, 1), repeat=9)]
        expected = np.mean(np.array(every) >= abs(sums.sum()) - 1e-9)
        found = flips(difference.ravel(), [f"c{i}" for i in range(9) for _ in range(3)])
        assert found.p_value == pytest.approx(expected, abs=1e-12)
        assert found.direction == np.sign(sums.sum())
        assert (found.clusters, found.deciding) == (9, np.count_nonzero(sums))


def test_many_clusters_are_flipped_at_random_and_repeat():
    difference = np.random.default_rng(5).normal(loc=0.4, size=30)
    first, second = (flips(difference, singles(30), seed=7) for _ in range(2))
    assert first == second
    assert first.p_value == pytest.approx(stats.wilcoxon(difference, method="exact").pvalue, abs=0.005)


@pytest.mark.parametrize("clusters", [1, 4, 5, 6, 12, 15, 16, 40])
def test_the_smallest_p_is_that_of_clusters_all_on_one_side(clusters):
    found = flips(np.arange(1.0, clusters + 1), singles(clusters))
    assert found.smallest_p == smallest_p(clusters)
    if 2**clusters <= FLIPS:
        assert found.p_value == found.smallest_p == 2.0 ** (1 - clusters)
    else:  # random flips: each one-sided outcome may be drawn a few times
        assert found.smallest_p <= found.p_value <= 8 * found.smallest_p


def test_equal_methods_do_not_differ():
    found = cluster_sign_flips(
        np.array([1.0, 2.0, np.inf]), np.array([1.0 + 1e-9, 2.0, np.inf]), ["a", "b", "c"], tolerance=1e-6
    )
    assert (found.p_value, found.direction, found.deciding, found.smallest_p) == (1.0, 0, 0, 1.0)


def test_no_placement_is_worse_than_any():
    difference = relative_difference(np.array([np.inf, 1.0, 2.0, np.inf]), np.array([1.0, np.inf, 1.0, np.inf]))
    assert difference[0] > difference[2] > 0 > difference[1]
    assert difference[3] == 0.0


def test_holm_by_hand():
    """Sorted 0.01, 0.02, 0.03, 0.04 are multiplied by 4, 3, 2, 1 and made non-decreasing."""
    assert holm([0.04, 0.01, 0.03, 0.02]) == pytest.approx([0.06, 0.04, 0.06, 0.06])
    assert holm([0.9, 0.8]) == [1.0, 1.0]
    assert holm([]) == []


def test_performance_profile_by_hand():
    objective = np.array([[1.0, 2.0, np.inf], [2.0, 2.0, 3.0]])
    profile = performance_profile(objective, np.array([1.0, 2.0, 10.0]))
    np.testing.assert_allclose(profile, [[2 / 3, 2 / 3, 2 / 3], [2 / 3, 1.0, 1.0]])
