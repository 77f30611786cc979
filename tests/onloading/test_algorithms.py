import numpy as np
import pytest

from splitshare.errors import InputError, WorkError
from splitshare.onloading.alternation import AlternationSettings, alternate
from splitshare.onloading.arrays import arrays_of
from splitshare.onloading.contract import Answer, load, shipped
from splitshare.onloading.lp import OffloadingLp
from splitshare.onloading.objective import evaluate, hosts_of, offloading_of
from splitshare.onloading.run import solve
from tests.onloading.examples import tiny

INSTANCES = [tiny(s, clients=6, servers=2, models=6, batching=s % 2 == 0) for s in range(6)]


def accuracy(instance, name, **parameters):
    """Objective of an algorithm's decision, which there must be."""
    objective = solve(instance, load(name, **parameters)).objective
    assert objective is not None
    return objective


OPTIMA = [accuracy(i, "optimum", gap=0.0) for i in INSTANCES]


@pytest.mark.parametrize("name", shipped())
def test_contract(name):
    """Feasible, scored by the evaluator, the same twice, the instance left alone, below optimum and bound."""
    answered = 0
    for instance, optimum in zip(INSTANCES, OPTIMA, strict=True):
        digest = instance.sha256()
        first, again = (solve(instance, load(name), seed=1, time_limit_s=10) for _ in range(2))
        assert (first.onloading, first.offloading) == (again.onloading, again.offloading)
        assert instance.sha256() == digest == first.instance_sha256
        arrays = arrays_of(instance)
        assert first.onloading is not None
        assert first.offloading is not None
        assert first.objective is not None
        worth = evaluate(arrays, hosts_of(instance, first.onloading), offloading_of(arrays, first.offloading))
        assert worth.objective == pytest.approx(first.objective, rel=1e-9)
        assert worth.unserved == pytest.approx(first.unserved, abs=1e-9)
        assert first.objective <= optimum * (1 + 1e-6)
        if first.bound is not None:
            assert first.bound >= optimum * (1 - 1e-6)
        answered += first.objective > 0
    assert answered == len(INSTANCES)


def test_j3o_is_near_the_optimum_of_tiny_instances():
    ratios = [accuracy(instance, "j3o-batching") / optimum for instance, optimum in zip(INSTANCES, OPTIMA, strict=True)]
    assert np.mean(ratios) > 0.99
    assert min(ratios) > 0.96


def test_each_part_of_j3o_is_worth_something():
    totals = {}
    for name, parameters in (
        ("j3o-batching", {}),
        ("j3o-batching", {"rounds": 1}),
        ("j3o-batching", {"prices": False}),
        ("j3o", {}),
    ):
        key = f"{name} {parameters}"
        totals[key] = sum(accuracy(i, name, **parameters) for i in INSTANCES)
    whole, *less = totals.values()
    assert whole > max(less), totals


def test_the_rounds_only_get_better_and_stop_as_stated():
    program = OffloadingLp(arrays_of(INSTANCES[1]))
    found = alternate(program, AlternationSettings(rounds=30, patience=4))
    incumbents = [r.incumbent for r in found.rounds]
    bounds = [r.bound for r in found.rounds]
    assert incumbents == sorted(incumbents)
    assert bounds == sorted(bounds, reverse=True)
    assert all(b >= i for b, i in zip(bounds, incumbents, strict=True))
    if len(found.rounds) < 30 and bounds[-1] - incumbents[-1] > 1e-5 * bounds[-1]:
        assert incumbents[-5] == incumbents[-1] > (incumbents[-6] if len(incumbents) > 5 else 0)


class Fixed:
    name = "fixed"

    def __init__(self, answer):
        self.answer = answer

    def onload(self, instance, *, seed, time_limit):
        return self.answer


def test_answers_may_name_models_alone():
    instance = INSTANCES[1]
    first = solve(instance, Fixed({"s0": [instance.models[0].name]}))
    second = solve(instance, Fixed({"s0": {instance.models[0].name: 1}}))
    assert first.objective == second.objective
    assert first.onloading == second.onloading == {"s0": {"m0": 1}}


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ({"c0": ["m0", "m1", "m2", "m3", "m4", "m5"]}, "do not fit"),
        ({"nowhere": ["m0"]}, "unknown client or server"),
        ({"s0": {"m0": 3}}, "no batch size 3"),
        ({"s0": {"m0": float("nan")}}, "s0: the batch size of 'm0' must be a whole number, not nan"),
        ({"s0": {"m0": float("inf")}}, "must be a whole number, not inf"),
        ({"s0": {"m0": 1.5}}, "must be a whole number, not 1.5"),
        ({"s0": {"m0": "1"}}, "must be a whole number, not '1'"),
        ({"s0": {"m0": None}}, "must be a whole number, not None"),
        (Answer({"s0": {"m0": float("nan")}}), "must be a whole number, not nan"),  # type: ignore[dict-item]
    ],
)
def test_answers_that_break_a_rule_are_infeasible_with_the_rule(answer, reason):
    decision = solve(INSTANCES[1], Fixed(answer))
    assert (decision.status, decision.objective, decision.onloading) == ("infeasible", None, None)
    assert reason in (decision.reason or "")


def test_batches_that_cannot_fill_are_infeasible():
    fields = INSTANCES[0].model_dump(mode="json", by_alias=True)
    for client in fields["clients"]:
        client["demand_per_s"] = dict.fromkeys(client["demand_per_s"], 0.1)
    instance = type(INSTANCES[0]).parse(fields, "idle")
    decision = solve(instance, Fixed({"s0": {"m0": 4}}))
    assert decision.status == "infeasible"
    assert "can never fill in time" in (decision.reason or "")


def test_no_answer_and_a_wrong_kind_of_answer():
    assert solve(INSTANCES[1], Fixed(None)).status == "infeasible"
    with pytest.raises(WorkError, match="not models by location"):
        solve(INSTANCES[1], Fixed(["m0"]))
    for held in (None, 1, "m0"):
        with pytest.raises(WorkError, match=f"has {type(held).__name__} for 's0'"):
            solve(INSTANCES[1], Fixed({"s0": held}))


def test_whole_batch_sizes_of_any_type_of_number_are_taken():
    for size in (1, 1.0, np.int32(1), np.float64(1)):
        decision = solve(INSTANCES[1], Fixed({"s0": {"m0": size}}))
        assert decision.onloading == {"s0": {"m0": 1}}


def test_an_unknown_algorithm_or_parameter_is_refused():
    with pytest.raises(InputError, match="did you mean 'j3o'"):
        load("j30")
    with pytest.raises(InputError, match="is no field of j3o"):
        load("j3o", ["round=3"])
