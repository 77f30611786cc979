"""Ruin and recreate: latencies against the one evaluator, answers against proofs, brute force and the greedy."""

import csv
import dataclasses
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from splitshare.placement.algorithms import ruin_and_recreate
from splitshare.placement.algorithms.ruin_and_recreate import ROUNDS_AT_ONCE, RuinAndRecreate
from splitshare.placement.algorithms.s2m3_greedy import S2M3Greedy
from splitshare.placement.arrays import numbered
from splitshare.placement.branching.tree import CLOSE, ceiling_s
from splitshare.placement.contract import Answer
from splitshare.placement.delta import plain_worth_s
from splitshare.placement.generator import below, fraction, generator
from splitshare.placement.held_out import held_out
from splitshare.placement.hosting import hosting, put, routed_s, sweep
from splitshare.placement.instance_families import FAMILIES, family_instance
from splitshare.placement.objective import best_route, evaluate
from splitshare.placement.random_instances import STUDY, random_instances
from splitshare.placement.removal import run
from splitshare.placement.root_bound import RootBound
from splitshare.placement.ruin import arrange, build, change, search
from splitshare.placement.search import feasible_start
from tests.placement import judge

PLACEMENTS = Path(__file__).parents[2] / "data/baselines/placements.csv"
QUICK = RuinAndRecreate(rounds=2000)
KINDS = [
    {"replication": replication, "objective": objective, "routing": routing}
    for replication in (False, True)
    for objective in ("mean", "max")
    for routing in ("parallel", "sequential")
]


def answered(instance, seed=0, algorithm=QUICK):
    answer = algorithm.place(instance, seed=seed, time_limit=None)
    assert answer is None or isinstance(answer, Answer)
    return answer


def test_optimal_on_the_95(canonical):
    with PLACEMENTS.open(encoding="utf-8") as lines:
        optimum_s = {r["instance"]: float(r["optimum_s"]) for r in csv.DictReader(lines) if r["family"] == "s2m3"}
    for instance in canonical:
        answer = answered(instance, algorithm=RuinAndRecreate())
        assert answer is not None
        worth = evaluate(instance, answer.assignment).objective
        assert worth == pytest.approx(optimum_s[instance.name], rel=1e-7), instance.name
        assert answer.bound is not None
        assert answer.bound <= worth


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: "-".join(map(str, kind.values())))
def test_each_change_is_worth_what_the_evaluator_says(kind):
    kept = 0
    for instance in [*random_instances(range(4), **kind), *random_instances(range(2), STUDY, **kind)]:
        arrays = numbered(instance).arrays
        state = hosting(arrays, replication=instance.replication, penalty_s=1e3)
        parts = arrays, state, run(arrays, state, generator(1))
        if not build(*parts, np.argsort(-arrays.size.max(axis=1)), instance.replication):
            continue
        for _ in range(150):
            if change(*parts, 3, instance.replication, 0.05):
                kept += 1
                held = names(instance, state)
                used = dict.fromkeys(range(len(arrays.room)), 0)
                for m in range(len(state.copies)):
                    for n in state.hosts[m, : state.copies[m]].tolist():
                        used[n] += int(arrays.size[m, n])
                assert [int(room) - used[n] for n, room in enumerate(arrays.room)] == state.left.tolist()
                assert min(state.left) >= 0
                latency_s = [best_route(instance, r, held)[0] for r in instance.requests]
                assert state.latency_s.tolist() == latency_s
                if max(latency_s) < np.inf:
                    assert plain_worth_s(arrays, state.latency_s) == pytest.approx(
                        evaluate(instance, held).objective, rel=1e-12
                    )
    assert kept > 50


def names(instance, state):
    return {
        module.name: [instance.devices[n].name for n in state.hosts[m, : state.copies[m]]]
        for m, module in enumerate(instance.modules)
        if state.copies[m]
    }


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: "-".join(map(str, kind.values())))
def test_all_devices_at_once_are_as_one_by_one(kind):
    rng = np.random.default_rng(3)
    for instance in random_instances(range(6), STUDY, **kind):
        arrays = numbered(instance).arrays
        state = hosting(arrays, replication=instance.replication, penalty_s=1e3)
        for m in rng.permutation(len(arrays.may))[: rng.integers(2, len(arrays.may))].tolist():
            if state.may[m].any():
                put(arrays, state, m, int(rng.choice(np.flatnonzero(state.may[m]))))
        for k, request in enumerate(instance.requests):
            state.latency_s[k] = routed_s(arrays, state, k)
            assert state.latency_s[k] == best_route(instance, request, names(instance, state))[0]
            for m in {*arrays.encoder[arrays.first[k] : arrays.first[k + 1]].tolist(), int(arrays.head[k])}:
                if state.copies[m] and not instance.replication:
                    continue
                sweep(arrays, state, k, m)
                held = names(instance, state)
                module = instance.modules[m].name
                for n, device in enumerate(instance.devices):
                    hosts = [*held.get(module, []), device.name]
                    expected = best_route(instance, request, held | {module: list(dict.fromkeys(hosts))})[0]
                    assert state.sweep_s[n] == expected


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: "-".join(map(str, kind.values())))
def test_no_worse_than_the_greedy_and_above_the_bound(kind):
    placed = 0
    for instance in [*random_instances(range(8), **kind), *random_instances(range(4), STUDY, **kind)]:
        answer, start = answered(instance), S2M3Greedy().place(instance, seed=0, time_limit=None)
        if answer is None:
            assert start is None
            continue
        placed += 1
        worth = judge.worth(instance, answer.assignment)
        assert answer.bound is not None
        assert answer.bound <= worth * (1 + 1e-12)
        if start is not None:
            assert worth <= judge.worth(instance, start) * (1 + 1e-12)
    assert placed > 5


def test_nearly_always_optimal_on_tiny_instances():
    ratios = []
    for instance in random_instances(range(60)):
        if (2 ** len(instance.devices) - 1 if instance.replication else len(instance.devices)) ** len(
            instance.modules
        ) > 3000:
            continue
        best, answer = judge.optimum(instance), answered(instance)
        assert (answer is None) == (best is None)
        if answer is not None and best:
            ratios.append(judge.worth(instance, answer.assignment) / best)
            assert answer.bound <= best * (1 + 1e-7)
    assert min(ratios) >= 1 - 1e-9
    assert sum(ratio <= 1 + 1e-7 for ratio in ratios) >= len(ratios) - 1
    assert len(ratios) > 20


@pytest.mark.parametrize("family", [f for f in FAMILIES if f != "large"])
def test_feasible_and_the_same_for_the_same_seed(family):
    instance = family_instance(family, 1001)
    answers = [answered(instance, seed=seed) for seed in (5, 5)]
    assert answers[0] is not None
    assert answers[0].assignment == answers[1].assignment
    assert judge.worth(instance, answers[0].assignment) == pytest.approx(
        evaluate(instance, answers[0].assignment).objective, rel=1e-12
    )


def test_the_bound_closes_only_what_cannot_be_better():
    closed = 0
    for instance in random_instances(range(20), replication=False):
        best = judge.optimum(instance)
        if best is None:
            continue
        problem = numbered(instance)
        bound = RootBound(problem, ceiling_s(problem.arrays))
        for _ in range(5):
            bound.raise_(20, best)
        assert bound.bound_s <= best * (1 + 1e-9)
        closed += bound.bound_s >= best * (1 - CLOSE)
        worse = RootBound(problem, ceiling_s(problem.arrays))
        worse.raise_(100, best * 1.01)
        assert worse.bound_s <= best * (1 + 1e-9)
    assert closed > 5


def test_put_back_are_the_largest_first_wherever_they_are_large():
    arrays = numbered(held_out("assignment")[0]).arrays  # items weigh something else in each knapsack
    largest = arrays.size.max(axis=1)
    assert np.argsort(-largest, kind="stable").tolist() != np.argsort(-arrays.size[:, 0], kind="stable").tolist()
    held = run(arrays, hosting(arrays, replication=False, penalty_s=1e3), generator(1))
    orders = set()
    for _ in range(200):
        held.out[:] = np.arange(len(held.out))
        arrange(held, 1, len(held.out))
        assert held.out[0] == 0
        orders.add(tuple(largest[held.out[1:]].tolist()))
    assert tuple(sorted(largest[1:].tolist(), reverse=True)) in orders
    assert len(orders) > 3


@pytest.fixture
def clock(monkeypatch):
    """A clock that goes a second on with each round; what it tells, and the limits that the greedy was given."""
    told = SimpleNamespace(now_s=0.0, most=0, limits_s=[])

    def counted(arrays, state, held, cooling, replicas):
        told.now_s += cooling.rounds
        told.most = max(told.most, cooling.rounds)
        search(arrays, state, held, cooling, replicas)

    def limited(greedy, instance, *, seed, time_limit):
        told.limits_s.append(time_limit)
        return greedily(greedy, instance, seed=seed, time_limit=time_limit)

    greedily = S2M3Greedy.place
    monkeypatch.setattr(ruin_and_recreate, "search", counted)
    monkeypatch.setattr(ruin_and_recreate, "time", SimpleNamespace(perf_counter=lambda: told.now_s))
    monkeypatch.setattr(S2M3Greedy, "place", limited)
    return told


def test_the_rounds_of_the_bound_keep_to_the_time_limit(clock):
    instance = family_instance("communication-bound", 1001)
    cells = len(instance.modules) * len(instance.devices)
    algorithm = RuinAndRecreate(first_rounds=3 * ROUNDS_AT_ONCE / cells)
    limit_s = 3.5 * ROUNDS_AT_ONCE  # ends in the middle of the first rounds that the bound has
    answer = algorithm.place(instance, seed=0, time_limit=limit_s)
    assert answer is not None
    assert answer.bound is not None
    assert answer.assignment is not None
    assert answer.bound < judge.worth(instance, answer.assignment) * (1 - 1e-6)  # else the bound had ended it
    assert limit_s <= clock.now_s < limit_s + ROUNDS_AT_ONCE
    assert clock.limits_s == [0.0]


def test_what_begins_late_is_given_what_is_left_of_the_limit(clock):
    answered(family_instance("communication-bound", 1001))
    assert clock.limits_s == [None]
    spent_s, clock.now_s = clock.now_s, 0.0
    QUICK.place(family_instance("communication-bound", 1001), seed=0, time_limit=2 * spent_s)
    assert spent_s <= clock.limits_s[1] < 2 * spent_s
    assert feasible_start(family_instance("min-max", 1001), 0.0) is None


def test_the_rounds_of_the_bound_are_no_more_than_those_allowed(clock):
    answered(family_instance("communication-bound", 1001), algorithm=RuinAndRecreate(rounds=10, first_rounds=1000.0))
    assert clock.most == 10


def test_numbers_are_drawn_evenly():
    state = generator(7)
    drawn = np.array([fraction(state) for _ in range(20_000)])
    assert 0 <= drawn.min() < drawn.max() < 1
    assert np.histogram(drawn, 20, (0, 1))[0] == pytest.approx(np.full(20, 1000.0), abs=150)
    assert np.corrcoef(drawn[1:], drawn[:-1])[0, 1] == pytest.approx(0, abs=0.03)
    assert {below(state, 3) for _ in range(100)} == {0, 1, 2}
    assert generator(7) == generator(7) != generator(8)


@pytest.mark.parametrize(
    "wrong", [{"rounds": -1}, {"steps": -1}, {"agreed": 0}, {"most_removed": 0}, {"cold": 0.0}, {"hot": 0.001}]
)
def test_wrong_parameters_are_refused(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        dataclasses.replace(RuinAndRecreate(), **wrong)
