"""Searches, the genetic algorithm, rounding and the Lagrangian heuristic, held against the judge and brute force."""

import itertools
import math
import random

import numpy as np
import pytest

from splitshare.placement.algorithms.genetic import Genetic
from splitshare.placement.algorithms.lagrangian import Lagrangian
from splitshare.placement.algorithms.large_neighbourhood_search import LargeNeighbourhoodSearch
from splitshare.placement.algorithms.lp_rounding import LpRounding
from splitshare.placement.algorithms.s2m3_greedy import S2M3Greedy
from splitshare.placement.algorithms.swap_local_search import SwapLocalSearch
from splitshare.placement.conformance import LARGE
from splitshare.placement.contract import Answer
from splitshare.placement.feasible import cheapest_feasible
from splitshare.placement.random_instances import Shape, random_instances
from splitshare.placement.reinsertion import Reinsertion
from splitshare.placement.relaxation import Multipliers, Relaxation, onto_simplex
from tests.placement import judge
from tests.placement.test_search import holds

TINY = random_instances(range(40), replication=False)
MIDDLING = random_instances(
    range(12), Shape(devices=(5, 5), modules=(12, 12), requests=(4, 4), heads=3), replication=False
)
STARTED = [SwapLocalSearch(), LargeNeighbourhoodSearch(rounds=4), Genetic(population=10, children=60)]


def place(algorithm, instance, seed=0, time_limit=None):
    answer = algorithm.place(instance, seed=seed, time_limit=time_limit)
    return answer.assignment if isinstance(answer, Answer) else answer


@pytest.mark.parametrize("algorithm", STARTED, ids=lambda a: a.name)
def test_no_worse_than_the_greedy_and_found_where_it_is_at_a_dead_end(algorithm):
    improved = rescued = 0
    for instance in MIDDLING:
        placed, start = place(algorithm, instance), place(S2M3Greedy(), instance)
        assert (placed is None) == (cheapest_feasible(instance, {}) is None)
        if placed is None:
            continue
        assert holds(instance, placed)
        if start is None:
            rescued += 1
        else:
            assert judge.worth(instance, placed) <= judge.worth(instance, start) * (1 + 1e-12)
            improved += judge.worth(instance, placed) < judge.worth(instance, start) * (1 - 1e-9)
    assert improved >= 2
    assert rescued >= 1


@pytest.mark.parametrize("algorithm", [LargeNeighbourhoodSearch(), Genetic(), Lagrangian()], ids=lambda a: a.name)
def test_nearly_always_optimal_on_tiny_instances(algorithm):
    ratios = []
    for instance in TINY:
        best, placed = judge.optimum(instance), place(algorithm, instance)
        assert (placed is None) == (best is None)
        if placed is not None and best is not None:
            ratios.append(judge.worth(instance, placed) / best if best else 1.0)
    assert min(ratios) >= 1 - 1e-9
    assert sum(ratio <= 1 + 1e-9 for ratio in ratios) >= 0.95 * len(ratios)
    assert len(ratios) > 15


@pytest.mark.parametrize(
    "algorithm", [LargeNeighbourhoodSearch(rounds=1), Genetic(population=3, children=3)], ids=lambda a: a.name
)
def test_seeds_are_followed(algorithm):
    (instance,) = random_instances([2], LARGE, routing="parallel", replication=False, objective="mean")
    placed = [place(algorithm, instance, seed=seed) for seed in (0, 0, 1, 2, 3)]
    assert placed[0] == placed[1]
    assert len({tuple(p.values()) for p in placed}) >= 2


@pytest.mark.parametrize("algorithm", STARTED, ids=lambda a: a.name)
def test_without_time_the_start_is_the_answer(algorithm):
    instance = next(i for i in MIDDLING if place(S2M3Greedy(), i))
    assert place(algorithm, instance, time_limit=0.0) == place(S2M3Greedy(), instance)


def test_no_exchange_of_two_is_left_that_helps():
    found = 0
    for instance in MIDDLING:
        placed, start = place(SwapLocalSearch(), instance), place(S2M3Greedy(), instance)
        if placed is None:
            continue
        found += 1
        worth = judge.worth(instance, placed)
        for a, b in itertools.combinations(placed, 2):
            exchanged = placed | {a: placed[b], b: placed[a]}
            assert not holds(instance, exchanged) or judge.worth(instance, exchanged) >= worth * (1 - 1e-12)
        if start is not None:
            assert sorted(placed.values()) == sorted(start.values())
    assert found > 5


def test_reinsertion_with_all_discrepancies_is_exhaustive():
    compared = 0
    for instance in MIDDLING:
        start = cheapest_feasible(instance, {})
        if start is None:
            continue
        host = {module: hosts[0] for module, hosts in start.items()}
        removed = random.Random(0).sample(list(host), 3)
        devices = [d.name for d in instance.devices]
        tried = (
            start | {m: (d,) for m, d in zip(removed, to, strict=True)} for to in itertools.product(devices, repeat=3)
        )
        best = min(judge.worth(instance, placed) for placed in tried if holds(instance, placed))
        exhaustive = Reinsertion(instance, discrepancies=100)
        found = exhaustive.best(host, removed, math.inf)
        assert found is not None
        assert judge.worth(instance, start | {m: (d,) for m, d in found.items()}) == pytest.approx(best, rel=1e-12)
        assert exhaustive.best(host, removed, best * (1 - 1e-9)) is None
        compared += 1
    assert compared > 5


def relaxed_by_hand(instance, at):
    """The relaxation at multipliers ``at``, by trying all devices of each request and of each module."""
    allowed = {m.name: [d.name for d in instance.devices] for m in instance.modules}
    modules, devices = [m.name for m in instance.modules], [d.name for d in instance.devices]
    total = -at.memory.sum()
    price = {(m, d): 0.0 for m in modules for d in devices}
    for k, request in enumerate(instance.requests):
        uses = [*(e.module for e in request.encoders), request.head]
        for u, module in enumerate(uses):
            for n, device in enumerate(devices):
                price[module, device] -= at.copies[k][u, n]
        best = math.inf
        for hosts in itertools.product(*(allowed[m] for m in uses)):
            slowest = 0.0
            for e, use in enumerate(request.encoders):
                seconds = instance.encoder_compute_s(request, e).get(hosts[e])
                done = judge.comm(instance, request.source, hosts[e], use.input_bytes)
                done += math.inf if seconds is None else seconds
                sent = judge.comm(instance, hosts[e], hosts[-1], instance.encoder_output_bytes(request, e))
                slowest = max(slowest, done + sent)
            head = instance.head_compute_s(request).get(hosts[-1])
            latency = slowest + (math.inf if head is None else head)
            latency += judge.comm(instance, hosts[-1], request.source, request.result_bytes)
            prices = sum(at.copies[k][u, devices.index(h)] for u, h in enumerate(hosts))
            best = min(best, at.requests[k] * latency + prices)
        total += best
    for module in instance.modules:
        total += min(
            price[module.name, d.name] + at.memory[n] * module.bytes_on(d.name) / d.memory_bytes
            for n, d in enumerate(instance.devices)
        )
    return total


def test_the_relaxation_equals_brute_force_at_any_prices():
    draw = np.random.default_rng(0)
    shape = Shape(devices=(3, 3), modules=(5, 5), requests=(3, 3), heads=2, missing_compute=0.0, missing_links=0.0)
    for instance in random_instances(range(12), shape, replication=False):
        if any(m.memory_bytes > d.memory_bytes for m in instance.modules for d in instance.devices):
            continue
        relaxation = Relaxation(instance)
        at = relaxation.start()
        for _ in range(4):
            assert relaxation.solve(at).bound_s == pytest.approx(relaxed_by_hand(instance, at), abs=1e-9)
            at = Multipliers(
                tuple(draw.normal(size=u.shape) for u in at.copies), draw.random(len(at.memory)), at.requests
            )


def test_bounds_are_bounds():
    """Of the Lagrangian heuristic and of the linear relaxation, replication and sequential routing included."""
    tight, told = [], 0
    for instance in random_instances(range(40)):
        best = judge.optimum(instance)
        for algorithm in (Lagrangian(steps=60), LpRounding(roundings=5)):
            answer = algorithm.place(instance, seed=0, time_limit=None)
            bound = None if answer is None else answer.bound
            if best is None:
                assert answer is None or answer.assignment is None
            elif bound is not None:
                told += 1
                assert bound <= best + 1e-9
                tight.append(bound / best if best else 1.0)
    assert told > 30
    assert np.mean(tight) > 0.7


def test_rounding_finds_a_placement_wherever_there_is_one():
    for instance in (*TINY, *MIDDLING):
        placed = place(LpRounding(roundings=1), instance)
        assert (placed is None) == (cheapest_feasible(instance, {}) is None)
        assert placed is None or holds(instance, placed)


def test_nearest_point_of_the_simplex():
    draw = np.random.default_rng(3)
    for _ in range(50):
        point = draw.normal(size=draw.integers(1, 6))
        nearest = onto_simplex(point)
        assert nearest.min() >= 0
        assert nearest.sum() == pytest.approx(1)
        others = draw.dirichlet(np.ones(len(point)), size=200)
        assert ((others - point) ** 2).sum(axis=1).min() >= ((nearest - point) ** 2).sum() - 1e-12
