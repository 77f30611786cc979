import collections
import itertools
import math
import random as standard_random
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chisquare

from splitshare.placement.algorithms.greedy_local_search import GreedyLocalSearch
from splitshare.placement.algorithms.random import Random
from splitshare.placement.algorithms.s2m3_greedy import S2M3Greedy
from splitshare.placement.algorithms.simulated_annealing import SimulatedAnnealing
from splitshare.placement.annealing import Draws, anneal, annealing, below, fraction
from splitshare.placement.arrays import numbered
from splitshare.placement.delta import exact_mean, standing, take_change, try_change, worth_after, worth_s
from splitshare.placement.feasible import OpenPlacement, cheapest_feasible
from splitshare.placement.instance import PlacementInstance
from splitshare.placement.objective import evaluate
from splitshare.placement.random_instances import Shape, random_fields, random_instances
from splitshare.placement.search import descend
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


def test_changes_are_worth_what_the_judge_finds():
    """Along random walks, for every move and every exchange, feasible or not."""
    compared = impossible = 0
    for instance in MIDDLING[:4]:
        start = Random().place(instance, seed=0, time_limit=None)
        if start is None:
            continue
        problem = numbered(instance)
        state = standing(problem.arrays, problem.hosts(start))
        modules, devices = range(len(instance.modules)), range(len(instance.devices))
        draw = standard_random.Random(0)
        for _ in range(4):
            possible = []
            moves = [(a, to, -1) for a in modules for to in devices if to != state.host[a]]
            for change in [*moves, *((a, state.host[b], b) for a, b in itertools.combinations(modules, 2))]:
                a, to, b = change
                hosts = state.host.copy()
                hosts[a], hosts[b if b >= 0 else a] = to, to if b < 0 else hosts[a]
                after = problem.assignment(hosts)
                expected = judge.worth(instance, after) if holds(instance, after) else math.inf
                found = worth_after(problem.arrays, state, *change)
                # An exchange of modules that stand together is none.
                if b < 0 or state.host[a] != state.host[b]:
                    assert found == pytest.approx(expected, rel=1e-12)
                    possible += [change] if math.isfinite(expected) else []
                    compared += 1
                    impossible += math.isinf(expected)
            a, to, b = draw.choice(possible)
            assert try_change(problem.arrays, state, a, to, b)
            take_change(problem.arrays, state, a, to, b)
            now = worth_s(problem.arrays, state.latency_s, state.partial)
            assert now == pytest.approx(judge.worth(instance, problem.assignment(state.host)), rel=1e-12)
            assert now == evaluate(instance, problem.assignment(state.host)).objective
    assert compared > 1000
    assert impossible > 0


@settings(deadline=None, max_examples=50)
@given(
    st.lists(st.tuples(st.floats(0, 1e6), st.floats(1e-6, 1e6)), min_size=1, max_size=12),
    st.floats(1e-3, 1e3),
)
def test_the_sum_is_rounded_as_fsum_rounds_it(pairs, total):
    values, weights = (np.array(column) for column in zip(*pairs, strict=True))
    expected = math.fsum(w * v for w, v in zip(weights.tolist(), values.tolist(), strict=True)) / total
    assert exact_mean(values, weights, total, np.zeros(len(values) + 2)) == expected


@pytest.mark.parametrize("fields", [{"objective": "mean", "routing": "parallel"}, {"routing": "sequential"}])
def test_every_accepted_change_at_200_by_50_is_worth_what_the_evaluator_says(fields):
    shape = Shape(devices=(50, 50), modules=(200, 200), requests=(60, 60), heads=40)
    (instance,) = random_instances([0], shape, replication=False, **fields)
    start = S2M3Greedy().place(instance, seed=0, time_limit=None)
    assert start is not None
    problem = numbered(instance)
    run = annealing(problem.arrays, problem.hosts(start), problem.order(start))
    draws = Draws(standard_random.Random(0))
    accepted = 0
    while accepted < 25:
        before = run.state.host.copy()
        draws.at = anneal(problem.arrays, run, draws.words(), draws.at, int(run.tally[0]) + 1, 1e-3)
        if (run.state.host != before).any():
            accepted += 1
            assert run.worth[0] == evaluate(instance, problem.assignment(run.state.host)).objective


def test_draws_are_those_of_python():
    draw, draws = standard_random.Random(5), Draws(standard_random.Random(5))
    for count in (1, 2, 3, 7, 8, 200, 65536) * 200:
        drawn, draws.at = below(draws.words(), draws.at, count)
        assert drawn == draw.randrange(count)
        assert fraction(draws.words(), draws.at) == draw.random()
        draws.at += 2


def test_a_quick_descent_ends_in_a_local_optimum():
    ended = 0
    for instance in MIDDLING[:6]:
        start = Random().place(instance, seed=0, time_limit=None)
        if start is None:
            continue
        problem = numbered(instance)
        state = standing(problem.arrays, problem.hosts(start))
        assert descend(problem.arrays, state, 100)
        placed = problem.assignment(state.host)
        worth = judge.worth(instance, placed)
        assert worth <= judge.worth(instance, start) * (1 + 1e-12)
        assert min(judge.worth(instance, n) for n in neighbours(instance, placed)) >= worth * (1 - 1e-12)
        ended += 1
    assert ended >= 3


def test_sizes_that_no_unit_divides_still_fit_after_rounding():
    fields = random_fields(2, replication=False)
    for module in fields["modules"]:
        module["memory_bytes"] *= 1 + 1e-12 / 3
    fields["modules"][0]["memory_bytes"] = 1e-300
    instance = PlacementInstance.parse(fields, "fields")
    problem = numbered(instance)
    assert not problem.whole_units
    sizes = np.array([[m.memory_bytes] * len(instance.devices) for m in instance.modules])
    room = np.array([d.memory_bytes for d in instance.devices])
    for chosen in itertools.product([False, True], repeat=len(instance.modules)):
        picked = np.array(chosen)
        fits = problem.arrays.size[picked].sum(axis=0) <= problem.arrays.room
        assert not (fits & (sizes[picked].sum(axis=0) > room)).any()


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
