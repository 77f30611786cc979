"""What every decision is held to beside an optimum that is known."""

import pytest

from splitshare.onloading.contract import load
from splitshare.onloading.run import solve


def optimal(instance):
    """Accuracy of the proved optimum."""
    objective = solve(instance, load("optimum", gap=0.0)).objective
    assert objective is not None
    return objective


def hold_both_solvers(instance, best):
    """Gurobi and HiGHS prove that ``best`` is the optimum."""
    for solver in ("gurobi", "highs"):
        decision = solve(instance, load("optimum", solver=solver, gap=0.0))
        assert decision.status == "optimal"
        assert decision.objective == pytest.approx(best, rel=1e-6)
        assert decision.bound == pytest.approx(best, rel=1e-6)


def hold_below(decision, best):
    """The decision is no better than the optimum, and its bound, where it proves one, no lower."""
    assert decision.objective is not None, decision.reason
    assert decision.objective <= best + 1e-6
    assert decision.bound is None or decision.bound >= best - 1e-6
