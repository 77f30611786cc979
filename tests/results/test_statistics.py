import itertools

import numpy as np
import pytest

from splitshare.results.statistics import (
    cluster_bootstrap_mean,
    holm,
    performance_profile,
    relative_difference,
    signed_rank_p,
)


def test_bootstrap_of_one_cluster_has_no_spread():
    interval = cluster_bootstrap_mean(np.array([1.0, 2.0, 6.0]), ["a", "a", "a"])
    assert (interval.estimate, interval.low, interval.high) == (3.0, 3.0, 3.0)


def test_bootstrap_of_two_clusters_has_three_outcomes():
    """Both drawn (the mean), or one of them twice; with probabilities 1/2, 1/4, 1/4 the 95 % interval takes all."""
    interval = cluster_bootstrap_mean(np.array([0.0, 0.0, 3.0]), ["a", "a", "b"])
    assert (interval.estimate, interval.low, interval.high) == (1.0, 0.0, 3.0)


def test_resampling_clusters_is_wider_than_resampling_instances():
    draw = np.random.default_rng(0)
    clusters = np.repeat(np.arange(8), 10)
    values = np.repeat(draw.normal(size=8), 10) + 0.01 * draw.normal(size=80)
    together = cluster_bootstrap_mean(values, [str(c) for c in clusters])
    apart = cluster_bootstrap_mean(values, [str(i) for i in range(80)])
    assert together.high - together.low > 2 * (apart.high - apart.low)


def test_bootstrap_interval_covers_the_mean_as_often_as_it_says():
    """Normal cluster means: the percentile interval of 30 clusters covers in about 93 to 95 of 100 cases."""
    draw = np.random.default_rng(1)
    covered = 0
    for repetition in range(300):
        values = np.repeat(draw.normal(loc=2.0, size=30), 3)
        interval = cluster_bootstrap_mean(values, [str(i // 3) for i in range(90)], resamples=1000, seed=repetition)
        covered += interval.low <= 2.0 <= interval.high
    assert 0.89 <= covered / 300 <= 0.98


def pratt_p_by_enumeration(difference):
    """Two-sided p of Pratt's statistic over all signs of the non-zero differences, ties by mean rank."""
    magnitude = np.abs(difference)
    ranks = np.array([(magnitude < m).sum() + ((magnitude == m).sum() + 1) / 2 for m in magnitude])
    ranks = ranks[difference != 0]
    observed = abs(ranks[difference[difference != 0] > 0].sum() - ranks.sum() / 2)
    sums = [np.dot(signs, ranks) for signs in itertools.product((0, 1), repeat=len(ranks))]
    return np.mean([abs(s - ranks.sum() / 2) >= observed - 1e-9 for s in sums])


def test_signed_rank_agrees_with_enumeration():
    draw = np.random.default_rng(2)
    for shift in (0.0, 0.3, 0.8):
        difference = draw.normal(loc=shift, size=14)
        difference[:3] = 0.0
        p = signed_rank_p(np.exp(difference), np.ones(14), tolerance=1e-9)
        assert p == pytest.approx(pratt_p_by_enumeration(difference), abs=0.03)


def test_equal_methods_do_not_differ():
    assert signed_rank_p(np.array([1.0, 2.0, np.inf]), np.array([1.0 + 1e-9, 2.0, np.inf]), tolerance=1e-6) == 1.0


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
