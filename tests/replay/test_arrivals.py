"""Processes of arrivals, held against what is known of them in closed form."""

import numpy as np
import pytest

from splitshare.errors import InputError
from splitshare.replay.arrivals import PROCESSES, AtOnce, Diurnal, Gamma, Mmpp, Pareto, process_of
from splitshare.replay.generators import drawn_trace
from tests.replay.examples import example

COUNT = 200_000


def stream(seed: int = 1) -> np.random.Generator:
    return np.random.default_rng(seed)


@pytest.mark.parametrize("kind", [kind for kind in PROCESSES if kind != "at-once"])
@pytest.mark.parametrize("rate_per_s", [0.01, 40.0])
def test_times_ascend_at_the_mean_rate(kind: str, rate_per_s: float) -> None:
    narrow = {"pareto": ["shape=3"], "diurnal": [f"period_s={100 / rate_per_s}"]}.get(kind, [])
    slow = {"mmpp": [f"burst_s={3 / rate_per_s}", f"calm_s={9 / rate_per_s}"]}.get(kind, [])
    times = process_of(kind, [*narrow, *slow]).times(COUNT, rate_per_s, stream())
    assert times.shape == (COUNT,)
    assert times[0] >= 0
    assert (np.diff(times) >= 0).all()
    assert COUNT / times[-1] == pytest.approx(rate_per_s, rel=0.05)


@pytest.mark.parametrize("cv", [0.3, 1.0, 3.0])
def test_gamma_gaps_vary_as_asked(cv: float) -> None:
    gaps = np.diff(Gamma(cv).times(COUNT, 5.0, stream()))
    assert gaps.std() / gaps.mean() == pytest.approx(cv, rel=0.05)


def test_pareto_gaps_have_the_tail() -> None:
    """P(gap > x) = (least / x) ^ shape, and a squared coefficient of variation of 1 / (shape (shape - 2))."""
    shape, rate = 3.0, 2.0
    gaps = np.diff(Pareto(shape).times(COUNT, rate, stream()))
    least = (shape - 1) / (shape * rate)
    assert gaps.min() >= least * (1 - 1e-6)
    for x in (2 * least, 5 * least):
        assert (gaps > x).mean() == pytest.approx((least / x) ** shape, rel=0.1)


def test_bursts_spread_counts_as_known() -> None:
    """Index of dispersion of a stationary two-state MMPP over long windows:

    1 + 2 p q (r1 - r0)^2 / ((s0 + s1) mean), where p and q are the shares of time and s the rates of leaving a state.
    """
    process = Mmpp(burst_factor=8.0, burst_s=5.0, calm_s=15.0)
    calm, burst = process.rates_per_s(10.0)
    assert (calm * 15 + burst * 5) / 20 == pytest.approx(10.0)
    times = process.times(1_000_000, 10.0, stream(3))
    window_s = 2000.0
    counts = np.bincount((times // window_s).astype(int))[:-1]
    share = 5 / 20
    expected = 1 + 2 * share * (1 - share) * (burst - calm) ** 2 / ((1 / 5 + 1 / 15) * 10.0)
    assert counts.var() / counts.mean() == pytest.approx(expected, rel=0.5)
    assert expected > 10  # far from a Poisson process, whose index is 1
    # Over short windows states hardly change: 1 + p q (r1 - r0)^2 t / mean.
    short = np.bincount((times // 0.01).astype(int))
    close = 1 + share * (1 - share) * (burst - calm) ** 2 * 0.01 / 10.0
    assert short.var() / short.mean() == pytest.approx(close, rel=0.02)


def test_a_day_has_its_peak_and_its_trough() -> None:
    process = Diurnal(peak_to_mean=1.8, period_s=1000.0)
    times = process.times(500_000, 50.0, stream())
    whole = times[times < 9000.0]
    counts = np.bincount((whole % 1000.0 // 100).astype(int), minlength=10) / 9
    for i, count in enumerate(counts):
        low, high = 100 * i, 100 * (i + 1)
        swing = 0.8 * 1000 / (2 * np.pi) * (np.sin(2 * np.pi * high / 1000) - np.sin(2 * np.pi * low / 1000))
        assert count == pytest.approx(50 * (100 - swing), rel=0.05)


def test_all_at_once() -> None:
    assert AtOnce().times(5, 1.0, stream()).tolist() == [0] * 5


@pytest.mark.parametrize("kind", [kind for kind in PROCESSES if kind != "at-once"])
def test_a_horizon_ends_before_its_time_and_is_the_same_again(kind: str) -> None:
    given = {"diurnal": ["period_s=50"], "mmpp": ["burst_s=5", "calm_s=5"]}.get(kind, [])
    process = process_of(kind, given)
    short = drawn_trace(example(), process, 4.0, horizon_s=50.0, seed=2, kind=kind)
    again = drawn_trace(example(), process, 4.0, horizon_s=50.0, seed=2, kind=kind)
    assert short.arrival_s.tolist() == again.arrival_s.tolist()
    assert short.arrival_s[-1] < 50.0
    assert short.kind == kind


def test_parameters_are_checked() -> None:
    assert process_of("gamma", ["cv=0.5"]) == Gamma(0.5)
    for text, problem in (
        ("cv", "is no parameter"),
        ("cw=1", "did you mean 'cv'"),
        ("cv=x", "must be a number from 0.01 to 100"),
        ("cv=nan", "must be a number"),
        ("cv=0", "must be a number"),
    ):
        with pytest.raises(InputError, match=problem):
            process_of("gamma", [text])
    with pytest.raises(InputError, match="it has none"):
        process_of("at-once", ["cv=1"])
