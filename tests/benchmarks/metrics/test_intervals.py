import numpy as np
import pytest

from splitshare.benchmarks.metrics.intervals import mean_interval


def test_wilson_interval_of_a_textbook():
    """Newcombe 1998, table I: 81 of 263, Wilson without continuity correction: 0.2553 to 0.3662."""
    interval = mean_interval([1.0] * 81 + [0.0] * 182)
    assert interval.estimate == pytest.approx(81 / 263)
    assert (round(interval.low, 4), round(interval.high, 4)) == (0.2553, 0.3662)


def test_all_right_is_not_certain():
    interval = mean_interval([1.0] * 20)
    assert interval.estimate == interval.high == 1
    assert interval.low == pytest.approx(0.8389, abs=5e-5)  # 20 of 20 by the same formula: n / (n + z^2)


def test_bootstrap_is_near_the_normal_interval_and_repeats():
    values = np.random.default_rng(1).beta(2, 3, size=2000)
    first, second = (mean_interval(values) for _ in range(2))
    assert first == second
    half = 1.96 * values.std() / np.sqrt(len(values))
    assert first.low == pytest.approx(values.mean() - half, abs=0.15 * half)
    assert first.high == pytest.approx(values.mean() + half, abs=0.15 * half)


def test_scores_without_an_upper_end_are_not_shares():
    interval = mean_interval([0.0] * 20, shares=False)
    assert (interval.low, interval.high) == (0, 0)


@pytest.mark.parametrize("wrong", [[], [[1.0]], [float("nan")], [float("inf")]])
def test_refuses_what_has_no_mean(wrong):
    with pytest.raises(ValueError, match=r"must have the shape|is not finite"):
        mean_interval(wrong)
