"""Least accuracy and share served by task, and limited energy: all methods against trying everything."""

from functools import cache

import numpy as np
import pytest

from splitshare.adaptation.onloading import Terms, follow
from splitshare.errors import InputError, WorkError
from splitshare.onloading.arrays import arrays_of
from splitshare.onloading.contract import Answer, load, shipped
from splitshare.onloading.instance import OnloadingInstance
from splitshare.onloading.lp import OffloadingLp
from splitshare.onloading.objective import InfeasibleDecisionError, evaluate, hosts_of
from splitshare.onloading.run import solve
from splitshare.onloading.uncertain import Uncertainty, plans
from tests.onloading import judge
from tests.onloading.examples import fields, limited
from tests.onloading.wild import wild_limited

SEEDS = range(16)


@cache
def tried(seed):
    """An instance and its optimum, by trying everything; ``None`` where nothing keeps its limits."""
    batching = seed % 4 == 3
    instance = limited(seed, models=2 if batching else 3, batching=batching, clients=1 if batching else 2)
    return instance, judge.optimum_if_any(instance)


def test_the_seeds_have_all_cases():
    """Instances that are infeasible, whose limits cost something, and whose limits cost nothing."""
    none = sum(tried(seed)[1] is None for seed in SEEDS)
    assert 2 <= none <= len(SEEDS) // 2
    costs = []
    for seed in SEEDS:
        instance, best = tried(seed)
        if best is not None:
            free = instance.model_copy(
                update={
                    "energy_limit_j": None,
                    "tasks": tuple(
                        task.model_copy(update={"least_accuracy": None, "least_served": None})
                        for task in instance.tasks
                    ),
                }
            )
            costs.append(judge.optimum(free) - best)
    assert min(costs) >= -1e-9
    assert sum(cost > 1e-3 for cost in costs) >= 3


@pytest.mark.parametrize("solver", ["gurobi", "highs"])
def test_both_solvers_find_what_trying_everything_finds(solver):
    for seed in SEEDS:
        instance, best = tried(seed)
        decision = solve(instance, load("optimum", solver=solver, gap=0.0))
        if best is None:
            assert (decision.status, decision.onloading, decision.bound) == ("infeasible", None, None)
        else:
            assert decision.status == "optimal"
            assert decision.objective == pytest.approx(best, rel=1e-6)
            assert decision.bound == pytest.approx(best, rel=1e-6)


@pytest.mark.parametrize("name", sorted(set(shipped()) - {"j3o-decomposed"}))
def test_no_decision_breaks_a_limit_and_no_bound_is_below_the_optimum(name):
    for seed in SEEDS:
        instance, best = tried(seed)
        decision = solve(instance, load(name))
        if decision.objective is None:
            assert decision.status == "infeasible"
            assert decision.reason or name == "optimum"
        else:
            assert best is not None
            assert decision.objective <= best + 1e-6
        if best is not None and decision.bound is not None:
            assert decision.bound >= best - 1e-6


def test_j3o_keeps_limits_and_is_near_the_optimum():
    shares = []
    for seed in SEEDS:
        instance, best = tried(seed)
        found = solve(instance, load("j3o-batching")).objective
        if best is not None:
            shares.append((found or 0.0) / best)
    assert min(shares) > 0.9
    assert np.mean(shares) > 0.98


def test_the_offloading_program_finds_the_best_that_keeps_the_limits_and_says_where_none_does():
    kept = missed = 0
    for seed in SEEDS:
        instance, _ = tried(seed)
        arrays = arrays_of(instance)
        program = OffloadingLp(arrays)
        for onloading in list(judge.onloadings(instance))[::7]:
            best = judge.best_offloading(instance, onloading)
            hosts = hosts_of(instance, onloading)
            solution = program.solve(hosts)
            if best is None:
                assert solution is None or solution.missed > 0
                if solution is not None:
                    missed += 1
                    with pytest.raises(InfeasibleDecisionError, match=r"below its least|above its limit"):
                        evaluate(arrays, hosts, solution.offloading)
            else:
                kept += 1
                assert solution is not None
                assert solution.missed == 0
                assert evaluate(arrays, hosts, solution.offloading).objective == pytest.approx(best, abs=1e-7)
    assert min(kept, missed) > 20


@cache
def optimal(seed):
    """A wild instance and what HiGHS proves of it."""
    instance = wild_limited(seed)
    return instance, solve(instance, load("optimum", gap=0.0))


def test_both_solvers_agree_on_wild_instances():
    kept = 0
    for seed in range(40):
        instance, highs = optimal(seed)
        gurobi = solve(instance, load("optimum", solver="gurobi", gap=0.0))
        assert gurobi.status == highs.status
        if highs.objective is not None:
            kept += 1
            assert gurobi.objective == pytest.approx(highs.objective, abs=1e-6)
    assert 10 <= kept <= 30


def test_j3o_keeps_wild_limits_or_says_which_it_breaks_and_its_bounds_hold():
    kept = found = 0
    for seed in range(40):
        instance, best = optimal(seed)
        decision = solve(instance, load("j3o-batching"))
        if best.objective is None:
            assert decision.objective is None
        else:
            kept += 1
            assert decision.bound is not None
            assert decision.bound >= best.objective - 1e-6
        if decision.objective is None:
            assert decision.reason
        else:
            assert best.objective is not None
            assert decision.objective <= best.objective + 1e-6
            found += decision.objective >= best.objective * 0.98
    assert found >= 0.9 * kept


def test_limits_that_are_not_given_change_neither_digest_nor_file():
    said = fields(1)
    instance = OnloadingInstance.parse(said, "plain")
    given = said | {
        "energy_limit_j": None,
        "tasks": [task | {"least_accuracy": None, "least_served": None} for task in said["tasks"]],
    }
    assert OnloadingInstance.parse(given, "given").sha256() == instance.sha256()


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (
            lambda said: said | {"energy_limit_j": 1.0},
            r"models\[0\]\.compute\.client\.per_query_j: is missing, though energy",
        ),
        (lambda said: said | {"energy_limit_j": 0.0}, r"energy_limit_j: "),
        (lambda said: said["clients"][1].update(uplink_j_per_byte=1.0), r"though clients\[1\]\.uplink_j_per_byte is"),
        (
            lambda said: said["models"][0]["compute"]["edge"].update(per_query_j=1.0),
            r"compute\.client\.per_query_j: is miss",
        ),
        (lambda said: said["models"][0]["compute"]["edge"].update(start_j=1.0), r"though start_j is told"),
        (lambda said: said["tasks"][0].update(least_served=1.1), r"tasks\[0\]\.least_served: "),
    ],
)
def test_what_is_wrong_is_told_with_its_mend(change, told):
    said = fields(2)
    said = change(said) or said
    with pytest.raises(InputError, match=told):
        OnloadingInstance.parse(said, "wrong")


def test_what_cannot_keep_limits_refuses_them():
    instance = limited(3)
    with pytest.raises(WorkError, match=r"j3o-decomposed: .*couples all servers; use j3o-batching or optimum"):
        solve(instance, load("j3o-decomposed"))
    algorithm = load("j3o")
    with pytest.raises(InputError, match="demand that is not known cannot keep"):
        plans(instance, algorithm, Uncertainty(0.5), samples=2, candidates=1, seed=0)
    with pytest.raises(InputError, match="re-deciding over time cannot keep"):
        follow(instance, [], algorithm, ("keep",), Terms(1.0))


def test_nothing_found_in_time_is_no_proof_that_there_is_nothing():
    class Late:
        name = "late"

        def onload(self, instance, *, seed, time_limit):
            return Answer(None, status="time_limit")

    assert solve(limited(0), Late()).status == "time_limit"
