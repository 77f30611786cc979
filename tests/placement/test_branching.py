"""The builtin branch and bound: its parts against enumeration, its answers against brute force, HiGHS and Gurobi."""

import itertools
import math
import signal
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from splitshare.cli import app
from splitshare.conformance import run_checks
from splitshare.errors import InputError, WorkError
from splitshare.jsonl import read_lines
from splitshare.onloading.algorithms.optimum import Optimum as OnloadingOptimum
from splitshare.placement.algorithms.optimum import Optimum
from splitshare.placement.arrays import numbered
from splitshare.placement.branching import answer, tree
from splitshare.placement.branching.dual import dual, lower_bound, onto_simplex
from splitshare.placement.branching.fixing import costs, exclude, settle
from splitshare.placement.branching.knapsacks import fill, forced
from splitshare.placement.branching.relaxation import Ask, cheapest_route, relaxation, scratch
from splitshare.placement.branching.symmetry import equal_devices, one_of_equals
from splitshare.placement.branching.tree import Search
from splitshare.placement.certificate import Certificate, certificate_of, objections
from splitshare.placement.conformance import CHECKS
from splitshare.placement.instance import Placement, PlacementInstance
from splitshare.placement.random_instances import STUDY, Shape, random_fields, random_instances
from splitshare.placement.run import solve
from splitshare.solvers.adapter import SizeLimitError
from splitshare.stopping import first_interrupt
from tests.placement import judge

ROOT = Path(__file__).parents[2]
BASELINES = ROOT / "data/baselines"
BUILTIN = Optimum(solver="builtin")
SHAPES = [
    {"routing": "parallel", "replication": False, "objective": "mean"},
    {"routing": "parallel", "replication": False, "objective": "max"},
    {"routing": "sequential", "replication": False},
    {"routing": "parallel", "replication": True},
    {"routing": "sequential", "replication": True},
    {"shape": Shape(half_precision=0.5)},
]
WIDE = Shape(devices=(2, 3), modules=(6, 6), requests=(1, 2), most_encoders=5)
"""Requests of up to five encoders."""
seeds = st.integers(0, 10**6)


def few_placements(instance):
    return (2 ** len(instance.devices) - 1 if instance.replication else len(instance.devices)) ** len(instance.modules)


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: "-".join(map(str, shape.values())))
def test_optimum_equals_brute_force(shape):
    infeasible = optimal = 0
    for instance in random_instances(range(40), **shape):
        if few_placements(instance) > 3000:
            continue
        expected = judge.optimum(instance)
        placement = solve(instance, BUILTIN)
        if expected is None:
            assert (placement.status, placement.assignment, placement.bound) == ("infeasible", None, None)
            infeasible += 1
        else:
            assert placement.status == "optimal"
            assert placement.objective == pytest.approx(expected, rel=2e-7)
            assert placement.bound is not None
            assert expected * (1 - 2e-7) <= placement.bound <= expected * (1 + 1e-12)
            optimal += 1
    assert infeasible >= 1
    assert optimal > 5


@settings(deadline=None, max_examples=60)
@given(seeds)
def test_optimum_equals_brute_force_on_any_tiny_instance(seed):
    for instance in [*random_instances([seed]), *random_instances([seed], WIDE)]:
        if few_placements(instance) <= 800:
            placement = solve(instance, BUILTIN)
            assert placement.objective == (
                None if (best := judge.optimum(instance)) is None else pytest.approx(best, rel=2e-7)
            )


def twinned(seed, **fixed):
    """A tiny instance whose devices have a twin each, linked as they are; memory halved so that both are needed."""
    fields = random_fields(seed, Shape(devices=(2, 2), modules=(4, 5)), replication=False, **fixed)
    twin = {d["name"]: f"{d['name']}-twin" for d in fields["devices"]}
    fields["devices"] = [
        d | {"name": n, "memory_bytes": 80} for d in fields["devices"] for n in (d["name"], twin[d["name"]])
    ]
    pairs = [
        (x, y) for link in fields["links"] for x in (link["a"], twin[link["a"]]) for y in (link["b"], twin[link["b"]])
    ]
    within = list(twin.items())
    alike = {"latency_s": 0.05, "bandwidth_bytes_per_s": 1000.0}
    fields["links"] = [{"a": a, "b": b, **alike} for a, b in [*pairs, *within]]
    uses = [use for r in fields["requests"] for use in r["encoders"] if "compute_s" in use]
    for record in [*fields["modules"], *uses]:
        record["compute_s"] |= {twin[name]: seconds for name, seconds in record["compute_s"].items()}
    return fields


@pytest.mark.parametrize("seed", range(8))
def test_equal_devices_change_nothing(seed):
    instance = PlacementInstance.parse(twinned(seed), "fields")
    equal = equal_devices(numbered(instance).arrays)
    sources = {r.source for r in instance.requests}
    names = [d.name for d in instance.devices]
    # A source has inputs at once, its twin has not.
    assert equal.tolist() == [n if names[n - n % 2] in sources else n - n % 2 for n in range(len(names))]
    best = judge.optimum(instance)
    assert solve(instance, BUILTIN).objective == (None if best is None else pytest.approx(best, rel=2e-7))


def test_a_module_gets_the_first_of_equal_devices_that_nothing_tells_apart():
    equal, may = np.array([0, 0, 0, 3]), np.ones((2, 4), dtype=np.bool_)
    must = np.zeros_like(may)
    free = may.copy()
    one_of_equals(equal, free, must, 0)
    assert free.tolist() == [[True, False, False, True], [True] * 4]
    must[1, 0] = True
    told = may.copy()
    one_of_equals(equal, told, must, 0)
    assert told[0].tolist() == [True, True, False, True]
    may[1, 2] = False
    told = may.copy()
    one_of_equals(equal, told, must, 0)
    assert told[0].tolist() == [True] * 4


def test_builtin_keeps_the_contract():
    assert [result for result in run_checks(BUILTIN, CHECKS) if not result.passed] == []


def test_what_does_not_fit_is_proved_so_and_by_whom():
    fields = random_fields(7, replication=False)
    fields["devices"] = [d | {"memory_bytes": 100} for d in fields["devices"]]
    for module in fields["modules"]:  # three halves of a device, one more than there are devices
        module["memory_bytes"] = 60
    fields["devices"] = fields["devices"][: len(fields["modules"]) - 1]
    kept = {d["name"] for d in fields["devices"]}
    assert len(fields["devices"]) < len(fields["modules"])
    assert {link["a"] for link in fields["links"]} | {link["b"] for link in fields["links"]} <= kept
    placement = solve(PlacementInstance.parse(fields, "fields"), BUILTIN)
    assert (placement.status, placement.bound) == ("infeasible", None)
    assert str(placement.versions.solver).endswith("infeasible by scipy's HiGHS")


@pytest.mark.parametrize("seed", range(12))
def test_builtin_agrees_with_highs(seed):
    for instance in random_instances([seed], STUDY, replication=False):
        other, ours = solve(instance, Optimum(solver="highs")), solve(instance, BUILTIN)
        assert ours.status == other.status
        assert ours.objective == (None if other.objective is None else pytest.approx(other.objective, rel=1e-6))


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(60))
@pytest.mark.parametrize("replication", [False, True])
def test_builtin_agrees_with_highs_and_gurobi_at_length(seed, replication):
    for instance in random_instances([seed], STUDY, replication=replication):
        ours = solve(instance, BUILTIN, time_limit_s=10.0)
        for solver in ("highs", "gurobi"):
            try:
                other = solve(instance, Optimum(solver=solver))
            except SizeLimitError:
                continue
            if ours.status != "time_limit":
                assert ours.status == other.status
                assert ours.objective == (None if other.objective is None else pytest.approx(other.objective, rel=1e-6))
            elif other.objective is not None:
                assert ours.bound is not None
                assert ours.bound <= other.objective * (1 + 1e-6)


def test_committed_optima_are_proved_again():
    instances = read_lines(PlacementInstance, BASELINES / "instances/s2m3.jsonl")
    assert len(instances) == 95
    for instance in instances:
        placement = solve(instance, BUILTIN)
        recorded = Certificate.read(BASELINES / f"certificates/{instance.name}.json")
        assert placement.status == "optimal"
        assert placement.objective == pytest.approx(recorded.objective, rel=1e-6)
        assert not objections(instance, certificate_of(instance, [placement]))


def random_prices(draw, problem, *, positive):
    price = draw.normal(size=(len(problem.slot), len(problem.arrays.room))) * draw.choice([0.0, 0.02, 0.3])
    return np.abs(price) if positive else price


@settings(deadline=None, max_examples=60)
@given(seeds)
def test_a_bound_at_any_prices_is_below_every_placement(seed):
    for instance in random_instances([seed]):
        best = judge.optimum(instance) if few_placements(instance) <= 3000 else None
        if best is None:
            continue
        problem, draw = relaxation(numbered(instance)), np.random.default_rng(seed)
        node = dual(problem)
        may = problem.arrays.size <= problem.arrays.room if problem.replicas else problem.arrays.may
        for _ in range(4):
            node.price[:] = random_prices(draw, problem, positive=problem.replicas)
            if problem.arrays.worst:
                node.weight[:] = draw.random(len(node.weight))
                onto_simplex(node.weight)
            bound = lower_bound(problem, node, may, np.zeros_like(may), math.inf)
            assert bound <= best * (1 + 1e-9)


@settings(deadline=None, max_examples=40)
@given(seeds)
def test_what_a_choice_costs_is_never_told_too_high(seed):
    """Every placement is worth at least the bound and what any of its choices adds; nothing better is ruled out."""
    for instance in random_instances([seed]):
        if few_placements(instance) > 800:
            continue
        worths = [(judge.worth(instance, a), a) for a in judge.assignments(instance)]
        worths = [(worth, a) for worth, a in worths if math.isfinite(worth)]
        if not worths:
            continue
        best = min(worth for worth, _ in worths)
        problem, draw = relaxation(numbered(instance)), np.random.default_rng(seed)
        node = dual(problem)
        allowed = problem.arrays.size <= problem.arrays.room if problem.replicas else problem.arrays.may
        names = [d.name for d in instance.devices]
        for _ in range(3):
            may, must, extra = allowed.copy(), np.zeros_like(allowed), np.zeros(allowed.shape)
            assert settle(problem, may, must)
            node.price[:] = random_prices(draw, problem, positive=problem.replicas)
            bound = lower_bound(problem, node, may, must, math.inf)
            if problem.replicas and must.any():
                continue  # placements without what is ruled in are no worse than with it, and not looked at
            target = best * draw.choice([0.9, 1.01, 1.5])
            if bound >= target:
                continue
            costs(problem, node, may, must, math.inf, target - bound, extra)
            for worth, assignment in worths:
                for m, module in enumerate(instance.modules):
                    for host in assignment[module.name]:
                        rise = min(extra[m, names.index(host)], target - bound)
                        assert bound + rise <= worth * (1 + 1e-9) + 1e-9
            exclude(may, must, target - bound, extra)
            for worth, assignment in worths:
                if worth < target * (1 - 1e-9):
                    hosts = [(m, h) for m, module in enumerate(instance.modules) for h in assignment[module.name]]
                    assert all(may[m, names.index(h)] for m, h in hosts)


@settings(deadline=None, max_examples=30)
@given(seeds)
def test_the_cheapest_route_is_that_of_enumeration(seed):
    for instance in [*random_instances([seed]), *random_instances([seed], WIDE)]:
        problem, draw = relaxation(numbered(instance)), np.random.default_rng(seed)
        names = [d.name for d in instance.devices]
        space = scratch(len(names))
        price = random_prices(draw, problem, positive=False)
        may = draw.random(problem.arrays.may.shape) < 0.8
        for k, request in enumerate(instance.requests):
            first, count = problem.arrays.first[k], len(request.encoders)
            for fast, on in ((-1, -1), (int(draw.integers(count + 1)), int(draw.integers(len(names))))):
                weight, cut_s = float(draw.random()) + 0.01, float(draw.choice([math.inf, 1.5]))
                found = cheapest_route(problem, k, may, price, Ask(weight, cut_s, math.inf, fast, on), space)
                best = math.inf
                for route in itertools.product(range(len(names)), repeat=count + 1):
                    modules = [*problem.arrays.encoder[first : first + count], problem.arrays.head[k]]
                    if not all(may[m, n] for m, n in zip(modules, route, strict=True)) or route[fast] != on != -1:
                        continue
                    hosts = [names[n] for n in route]
                    seconds = judge.latency(instance, request, tuple(hosts[:-1]), hosts[-1])
                    if seconds < cut_s:
                        slots = [*range(first, first + count), len(problem.arrays.encoder) + k]
                        paid = sum(price[s, n] for s, n in zip(slots, route, strict=True))
                        best = min(best, weight * seconds + paid)
                assert found == pytest.approx(best, rel=1e-9, abs=1e-12)


@settings(deadline=None, max_examples=80)
@given(
    st.lists(st.tuples(st.floats(-1, 5), st.integers(0, 6), st.booleans()), min_size=1, max_size=7), st.integers(0, 15)
)
def test_knapsacks_equal_enumeration(items, capacity):
    profit = np.array([p for p, _, _ in items])
    weight = np.array([w for _, w, _ in items], dtype=np.int64)
    offered = np.array([o for _, _, o in items])
    sets = [
        np.array(chosen)
        for chosen in itertools.product([False, True], repeat=len(items))
        if not (np.array(chosen) & ~offered).any() and weight[list(chosen)].sum() <= capacity
    ]
    taken = np.zeros(len(items), dtype=np.bool_)
    best = fill(profit, weight, capacity, offered, taken, np.zeros((len(items) + 1, capacity + 1)))
    assert best == pytest.approx(max(profit[s].sum() for s in sets), abs=1e-12)
    assert best == pytest.approx(profit[taken].sum(), abs=1e-12)
    assert weight[taken].sum() <= capacity
    with_it, without = np.zeros(len(items)), np.zeros(len(items))
    forced(profit, weight, capacity, offered, with_it, without)
    for i in np.flatnonzero(offered):
        inside = [profit[s].sum() for s in sets if s[i]]
        assert with_it[i] == pytest.approx(max(inside, default=-math.inf), abs=1e-12)
        assert without[i] == pytest.approx(max(profit[s].sum() for s in sets if not s[i]), abs=1e-12)


def test_the_command_of_the_docs(tmp_path, monkeypatch):
    page = (ROOT / "docs/placement-problem.md").read_text()
    (command,) = [line for line in page.splitlines() if "--solver builtin -o" in line]
    monkeypatch.chdir(ROOT)
    written = tmp_path / "placement.json"
    result = CliRunner().invoke(app, [*command.split()[1:-1], str(written)], catch_exceptions=False)
    assert result.exit_code == 0
    placement = Placement.read(written)
    assert placement.status == "optimal"
    assert placement.objective == pytest.approx(0.8)
    assert str(placement.versions.solver).startswith("builtin ")


def test_without_time_the_start_and_a_true_bound_are_the_answer():
    (instance,) = random_instances([9], STUDY, replication=False)
    best = solve(instance, Optimum(solver="highs")).objective
    placement = solve(instance, BUILTIN, time_limit_s=0.0)
    assert placement.status == "time_limit"
    assert placement.bound is not None
    assert best is not None
    assert placement.bound <= best


def test_bounds_rise_and_placements_fall_until_they_meet():
    (instance,) = random_instances([1], STUDY, replication=False, objective="mean", routing="parallel")
    problem = numbered(instance)
    seen: list[tree.Progress] = []
    found = Search(problem, relaxation(problem), report=seen.append).run(None)
    best = solve(instance, Optimum(solver="highs")).objective
    assert found.proved
    assert best is not None
    assert found.objective == pytest.approx(best, rel=1e-6)
    assert all(p.bound <= best * (1 + 1e-9) <= p.objective * (1 + 2e-9) for p in seen)
    assert [p.objective for p in seen] == sorted((p.objective for p in seen), reverse=True)


def test_an_interrupt_keeps_the_best_placement(monkeypatch):
    shape = Shape(devices=(12, 12), modules=(40, 40), requests=(30, 30), heads=8, missing_links=0.0)
    (instance,) = random_instances([0], shape, replication=False, objective="mean", routing="parallel")
    calls = itertools.count()

    def press(progress):
        if next(calls) == 2:
            signal.raise_signal(signal.SIGINT)
        return ""

    monkeypatch.setattr(answer, "shown", press)
    placement = solve(instance, BUILTIN, time_limit_s=60.0)
    assert placement.status == "time_limit"
    assert placement.objective is not None
    assert placement.bound is not None
    assert 0 < placement.bound < placement.objective
    assert next(calls) < 8


def test_a_second_interrupt_is_not_caught():
    with first_interrupt() as pressed:
        assert not pressed()
        signal.raise_signal(signal.SIGINT)
        assert pressed()
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_lines_tell_where_a_search_stands():
    assert answer.shown(tree.Progress(1.5, 2.0, 1.9, 7)) == "    1.5 s  best 2 s  bound 1.9 s  gap 5.00%  7 nodes"
    assert "nothing found yet" in answer.shown(tree.Progress(1.5, math.inf, 1.9, 7))


def test_bytes_that_cannot_be_added_exactly_are_refused():
    fields = random_fields(2, replication=False)
    fields["modules"][0]["memory_bytes"] = 1e-300
    instance = PlacementInstance.parse(fields, "fields")
    with pytest.raises(WorkError, match="adds bytes exactly"):
        solve(instance, BUILTIN)


def test_an_onloading_problem_is_refused():
    with pytest.raises(InputError, match=r"--solver.*builtin.*solves placements only; give gurobi or highs"):
        OnloadingOptimum(solver="builtin").warm_up()  # type: ignore[arg-type]
