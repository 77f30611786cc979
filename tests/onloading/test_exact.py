import pytest

from splitshare.onloading.contract import load
from splitshare.onloading.run import solve
from splitshare.solvers.adapter import SizeLimitError
from tests.onloading import judge
from tests.onloading.examples import tiny
from tests.onloading.held import hold_both_solvers, optimal


@pytest.mark.parametrize("batching", [False, True])
@pytest.mark.parametrize("seed", range(4))
def test_both_solvers_find_what_trying_everything_finds(seed, batching):
    instance = tiny(seed, models=3 if not batching else 2, batching=batching)
    hold_both_solvers(instance, judge.optimum(instance))


def test_batching_is_worth_something_somewhere():
    """Otherwise the tests above would not see a batch size that is always 1."""
    gains = []
    for seed in range(8):
        without, with_ = (optimal(tiny(seed, batching=b)) for b in (False, True))
        gains.append(with_ - without)
    assert min(gains) >= -1e-9
    assert max(gains) > 0.005


def test_what_a_licence_refuses_for_its_size_is_told():
    with pytest.raises(SizeLimitError, match=r"2000 of each.*--solver highs"):
        solve(tiny(0, clients=150, servers=3, models=6), load("optimum", solver="gurobi"))


def test_other_threads_in_one_process_find_the_same():
    """The offloading program of every decision has one thread, whatever the exact one has."""
    instance = tiny(1)
    found = [solve(instance, load("optimum", solver="highs", threads=threads)) for threads in (2, 1, 2, 3)]
    assert {decision.status for decision in found} == {"optimal"}
    assert [decision.objective for decision in found] == pytest.approx([judge.optimum(instance)] * 4)
