"""Intervals of simulated means hold the true mean, known in closed form, in about the share of runs that they state."""

import math

import numpy as np
import pytest
from scipy import stats

from splitshare.replay.confidence import BATCHES, LEVEL, batch_means, replications
from splitshare.replay.simulator import simulate
from splitshare.replay.traces import RequestTrace
from tests.replay.test_queueing_theory import QUEUE, one_queue

RUNS = 200
LOAD = 0.5
INSTANCE = one_queue(compute_s=1.0, input_bytes=0.0)
M_D_1_S = 1 + LOAD / (2 * (1 - LOAD))
"""Mean time in the system of an M/D/1 queue (Pollaczek and Khinchin), service of 1 s."""
M_M_1_S = 1 / (1 - LOAD)


def latencies_s(seed: int, requests: int, *, exponential: bool) -> np.ndarray:
    """Of requests to one queue, without the first tenth."""
    stream = np.random.default_rng(seed)
    trace = RequestTrace(
        request_id=np.arange(requests, dtype=np.int64),
        arrival_s=np.cumsum(stream.exponential(1 / LOAD, requests)),
        classes=("single",),
        request_class=np.zeros(requests, dtype=np.int64),
        size=stream.exponential(1.0, requests) if exponential else np.ones(requests),
    )
    table = simulate(INSTANCE, QUEUE, trace, keep_stages=False).requests
    return table["latency_s"].to_numpy(dtype=np.float64)[requests // 10 :]


def assert_stated_share(held: int, level: float = LEVEL) -> None:
    """So many of ``RUNS`` as would be there by chance in 99.9 % of all cases."""
    low, high = (stats.binom.ppf(share, RUNS, level) for share in (0.0005, 0.9995))
    assert low <= held <= high


@pytest.mark.parametrize(("exponential", "expected_s"), [(False, M_D_1_S), (True, M_M_1_S)])
def test_batch_means_of_one_run_hold_the_closed_form(exponential: bool, expected_s: float) -> None:
    found = [batch_means(latencies_s(seed, 20_000, exponential=exponential)) for seed in range(RUNS)]
    assert all(run is not None and run.batch == 900 for run in found)
    assert_stated_share(sum(run.interval.around(expected_s) for run in found if run is not None))
    assert sum(run.independent for run in found if run is not None) > 0.85 * RUNS


def test_replications_hold_the_closed_form() -> None:
    each = 6
    means = [latencies_s(seed, 4000, exponential=False).mean() for seed in range(RUNS * each)]
    held = [replications(part).around(M_D_1_S) for part in np.reshape(means, (RUNS, each))]
    assert_stated_share(sum(held))


def test_replications_are_students_interval() -> None:
    values = np.random.default_rng(3).normal(5, 2, 9)
    low, high = stats.t.interval(LEVEL, 8, values.mean(), stats.sem(values))
    own = replications(values)
    assert (own.mean, own.low, own.high) == pytest.approx((values.mean(), low, high))
    with pytest.raises(ValueError, match="two replications"):
        replications([1.0])


def test_batches_that_depend_on_each_other_are_told() -> None:
    """Near saturation a short run is one excursion: its batches follow each other, and the interval is too narrow."""
    walk = np.cumsum(np.random.default_rng(4).normal(size=2000))
    found = batch_means(walk)
    assert found is not None
    assert not found.independent


def test_short_and_constant_runs() -> None:
    assert batch_means(np.ones(BATCHES * 10 - 1)) is None
    constant = batch_means(np.full(1003, 0.25))
    assert constant is not None
    assert constant.batch == 50
    assert (constant.interval.low, constant.interval.high) == (0.25, 0.25)
    assert constant.independent
    assert math.isfinite(constant.interval.mean)
