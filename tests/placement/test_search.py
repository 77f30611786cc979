import collections
import itertools
import math
import random as standard_random
import time

import pytest
from scipy.stats import chisquare

from splitshare.placement.algorithms.greedy_local_search import GreedyLocalSearch
from splitshare.placement.algorithms.random import Random
from splitshare.placement.algorithms.s2m3_greedy import S2M3Greedy
from splitshare.placement.algorithms.simulated_annealing import SimulatedAnnealing
from splitshare.placement.feasible import OpenPlacement, cheapest_feasible
from splitshare.placement.random_instances import Shape, random_instances
from splitshare.placement.search import SearchState
from tests.placement import judge

TINY = [
    *random_instances(range(40), replication=False),
    *random_instances(range(20), Shape(half_precision=0.5), replication=False),
]
MIDDLING = random_instances(
    range(12), Shape(devices=(5, 5), modules=(12, 12), requests=(4, 4), heads=3), replication=False
)


def feasible(instance):
    """Every feasible placement by the judge, with its worth."""
    worths = {tuple(sorted(a.items())): judge.worth(instance, a) for a in judge.assignments(instance)}
    return {a: worth for a, worth in worths.items() if math.isfinite(worth)}


def single_hosts(instance):
    devices = [d.name for d in instance.devices]
    for choice in itertools.product(devices, repeat=len(instance.modules)):
        yield {m.name: d for m, d in zip(instance.modules, choice, strict=True)}


def holds(instance, assignment):
    """Whether every device has room for its modules."""
    held = {d.name: [m for m in instance.modules if assignment[m.name] == (d.name,)] for d in instance.devices}
    return all(
        sum((m.memory_bytes_on or {}).get(d.name, m.memory_bytes) for m in held[d.name]) <= d.memory_bytes
        for d in instance.devices
    )


def neighbours(instance, assignment):
    """Placements that hold and differ by one module's device, or by two modules' devices exchanged."""
    devices = [d.name for d in instance.devices]
    changed = [assignment | {m: (d,)} for m in assignment for d in devices]
    changed += [assignment | {a: assignment[b], b: assignment[a]} for a, b in itertools.combinations(assignment, 2)]
    return [c for c in changed if holds(instance, c)]


def test_rules_allow_exactly_what_is_feasible():
    allowed_somewhere = refused_somewhere = 0
    for instance in TINY[::3]:
        expected = feasible(instance)
        for hosts in single_hosts(instance):
            open_ = OpenPlacement(instance)
            allowed = True
            for module, device in hosts.items():
                allowed = allowed and device in open_.candidates(module)
                if allowed:
                    open_.place(module, device)
            assert allowed == (tuple(sorted((m, (d,)) for m, d in hosts.items())) in expected)
            allowed_somewhere += allowed
            refused_somewhere += not allowed
    assert min(allowed_somewhere, refused_somewhere) > 100


def test_cheapest_feasible_placement_equals_brute_force():
    draw = standard_random.Random(0)
    found = 0
    for instance in TINY[::3]:
        cost = {(m.name, d.name): draw.random() for m in instance.modules for d in instance.devices}
        sums = [sum(cost[m, hosts[0]] for m, hosts in placement) for placement in feasible(instance)]
        placed = cheapest_feasible(instance, cost)
        if placed is None:
            assert not sums
        else:
            assert sum(cost[m, hosts[0]] for m, hosts in placed.items()) == pytest.approx(min(sums), rel=1e-9)
            found += 1
    assert found > 10


def test_search_keeps_the_worth_that_the_judge_finds():
    """Along random walks, for every change on offer, feasible or not."""
    compared = impossible = 0
    for instance in MIDDLING[:6]:
        start = Random().place(instance, seed=0, time_limit=None)
        if start is None:
            continue
        state = SearchState(instance, start)
        draw = standard_random.Random(0)
        for _ in range(6):
            possible = []
            for change in itertools.chain(state.moves(), state.swaps()):
                after = state.assignment() | {m: (d,) for m, d in change.items()}
                expected = judge.worth(instance, after) if holds(instance, after) else math.inf
                assert state.worth_after(change) == pytest.approx(expected, rel=1e-12)
                possible += [change] if math.isfinite(expected) else []
                compared += 1
            impossible += math.isinf(expected)
            state.apply(draw.choice(possible))
            assert state.objective == pytest.approx(judge.worth(instance, state.assignment()), rel=1e-12)
    assert compared > 1000
    assert impossible > 0


def test_local_search_ends_in_a_local_optimum_no_worse_than_the_greedy():
    improved = rescued = 0
    for instance in MIDDLING:
        placed = GreedyLocalSearch().place(instance, seed=0, time_limit=None)
        start = S2M3Greedy().place(instance, seed=0, time_limit=None)
        if placed is None:
            assert start is None
            continue
        assert holds(instance, placed)
        worth = judge.worth(instance, placed)
        assert min(judge.worth(instance, n) for n in neighbours(instance, placed)) >= worth * (1 - 1e-12)
        if start is None:
            rescued += 1
        else:
            assert worth <= judge.worth(instance, start) * (1 + 1e-12)
            improved += worth < judge.worth(instance, start) * (1 - 1e-9)
    assert improved >= 3
    assert rescued >= 1


def test_annealing_is_optimal_on_tiny_instances():
    optimal = 0
    for instance in TINY:
        best = judge.optimum(instance)
        placed = SimulatedAnnealing().place(instance, seed=0, time_limit=None)
        if best is None:
            assert placed is None
        else:
            assert placed is not None
            assert judge.worth(instance, placed) == pytest.approx(best, rel=1e-9)
            optimal += 1
    assert optimal > 20


def test_annealing_is_no_worse_than_its_start_and_follows_its_seed():
    different = set()
    for instance in MIDDLING[:3]:
        start = S2M3Greedy().place(instance, seed=0, time_limit=None)
        seeds = (0, 0, 1, 2)
        placed = [SimulatedAnnealing(size_factor=1).place(instance, seed=seed, time_limit=None) for seed in seeds]
        assert placed[0] == placed[1]
        found = [p for p in placed if p is not None]
        if start is not None:
            assert len(found) == len(seeds)
            assert all(judge.worth(instance, p) <= judge.worth(instance, start) * (1 + 1e-12) for p in found)
        different |= {tuple(p.values()) for p in found}
    assert len(different) > 3


@pytest.mark.parametrize("algorithm", [GreedyLocalSearch(), SimulatedAnnealing()], ids=lambda a: a.name)
def test_without_time_the_start_is_the_answer(algorithm):
    instance = next(i for i in MIDDLING if S2M3Greedy().place(i, seed=0, time_limit=None))
    assert algorithm.place(instance, seed=0, time_limit=0.0) == S2M3Greedy().place(instance, seed=0, time_limit=None)


def test_annealing_keeps_its_time_limit():
    shape = Shape(devices=(8, 8), modules=(30, 30), requests=(16, 16), heads=6, missing_compute=0.0)
    (instance,) = random_instances([2], shape, replication=False, routing="parallel", objective="mean")
    started = time.perf_counter()
    assert SimulatedAnnealing(size_factor=10_000).place(instance, seed=0, time_limit=0.3) is not None
    assert time.perf_counter() - started < 2.0


def test_random_placements_are_uniform():
    tested = 0
    for instance in TINY:
        expected = feasible(instance)
        if not 15 <= len(expected) < 30 or len(expected) == len(list(single_hosts(instance))):
            continue
        placed = [Random().place(instance, seed=seed, time_limit=None) or {} for seed in range(2000)]
        drawn = collections.Counter(tuple(sorted(p.items())) for p in placed)
        assert set(drawn) == set(expected)
        assert chisquare([drawn[placement] for placement in expected]).pvalue > 0.01
        tested += 1
    assert tested >= 3


def test_random_placements_where_no_draw_is_feasible():
    found = set()
    for instance in TINY[::6]:
        expected = feasible(instance)
        for seed in range(5):
            placed = Random(draws=0).place(instance, seed=seed, time_limit=None)
            assert (placed is None) == (not expected)
            if placed is not None:
                assert tuple(sorted(placed.items())) in expected
                found.add((instance.name, tuple(sorted(placed.items()))))
    assert len(found) > 10


def test_the_module_called_random_hides_nothing():
    assert "algorithms" not in str(standard_random.__file__)
    assert Random.__module__ == "splitshare.placement.algorithms.random"
