"""When runs count: against sequences of times that say what they are."""

from collections.abc import Callable, Sequence

import pytest

from splitshare.profiling.settling import Run, time_settled

GPU_DECODER = [1.36, 0.41, 0.352, 0.35, 0.351, 0.349]
"""A 7B decoder's request on an H100: a cold first one, as it was recorded once, then what its layers say."""


def taking(seconds: Sequence[float]) -> Callable[[], Run]:
    """Runs that take the given times, and the last of them from then on."""
    left = iter(seconds)
    return lambda: Run(next(left, seconds[-1]))


def test_cold_runs_do_not_count():
    timed = time_settled(taking(GPU_DECODER), budget_s=1.0, longest_run_s=10.0)
    assert [run.seconds for run in timed.runs] == GPU_DECODER[2:5]
    assert (timed.warm_up_runs, timed.settled) == (2, True)


def test_two_runs_that_agree_are_the_first_that_count():
    timed = time_settled(taking([2.0, 1.0, 1.09, 1.0]), budget_s=0.1, longest_run_s=10.0)
    assert [run.seconds for run in timed.runs] == [1.0, 1.09, 1.0]


def test_what_never_settles_is_timed_and_says_so():
    seconds = [1.0, 2.0] * 20
    timed = time_settled(taking(seconds), budget_s=0.1, longest_run_s=10.0)
    assert not timed.settled
    assert timed.warm_up_runs == 10
    assert len(timed.runs) == 3


def test_a_run_over_the_limit_is_the_last():
    timed = time_settled(taking([12.0]), budget_s=1.0, longest_run_s=10.0)
    assert (timed.runs, timed.warm_up_runs, timed.settled) == ([Run(12.0)], 0, False)
    timed = time_settled(taking([9.0, 9.5, 11.0]), budget_s=100.0, longest_run_s=10.0)
    assert [run.seconds for run in timed.runs] == [9.0, 9.5, 11.0]


def test_runs_that_spread_are_given_more():
    steady = time_settled(taking([0.1, 0.1]), budget_s=1.0, longest_run_s=10.0)
    assert sum(run.seconds for run in steady.runs) == pytest.approx(1.0, abs=0.11)
    spread = time_settled(taking([0.1, 0.1, *[0.05, 0.15] * 50]), budget_s=1.0, longest_run_s=10.0)
    assert sum(run.seconds for run in spread.runs) == pytest.approx(2.0, abs=0.16)


def test_nothing_counts_before_clocks_are_up():
    timed = time_settled(taking([0.01] * 50 + [0.005]), budget_s=0.02, longest_run_s=10.0, warm_for_s=0.5)
    assert timed.warm_up_runs >= 50
    assert {run.seconds for run in timed.runs} == {0.005}


def test_it_may_still_settle_once_clocks_are_up():
    timed = time_settled(taking([0.01] * 50 + [0.02, 0.005]), budget_s=0.02, longest_run_s=10.0, warm_for_s=0.505)
    assert timed.settled
    assert {run.seconds for run in timed.runs} == {0.005}


def test_a_fast_module_is_run_so_often_at_most():
    assert len(time_settled(taking([1e-6]), budget_s=1.0, longest_run_s=10.0, warm_for_s=1.0).runs) == 200
