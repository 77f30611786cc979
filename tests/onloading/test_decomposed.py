"""J3O decomposed: servers' programs against HiGHS, bounds against optima, decisions against both."""

import time
from pathlib import Path

import numpy as np
import pytest
from scipy.optimize import linprog

from splitshare.errors import WorkError
from splitshare.jsonl import read_lines
from splitshare.onloading.arrays import arrays_of
from splitshare.onloading.contract import load
from splitshare.onloading.decomposed import whole, work
from splitshare.onloading.decomposed.decompose import DecompositionSettings, decompose
from splitshare.onloading.decomposed.dual import bound_at, fixed_at, room_for
from splitshare.onloading.decomposed.filled import solve_full
from splitshare.onloading.decomposed.gains import gains_of
from splitshare.onloading.decomposed.program import first_basis, solve_at
from splitshare.onloading.decomposed.simplex import maximise
from splitshare.onloading.decomposed.whole import offload
from splitshare.onloading.greedy import hosts_of_filling, knapsacks_of
from splitshare.onloading.instance import OnloadingInstance
from splitshare.onloading.lp import OffloadingLp
from splitshare.onloading.objective import evaluate, hosts_of, offloading_of
from splitshare.onloading.run import solve
from tests.onloading.examples import limited, sharing, tiered, tiny
from tests.onloading.wild import wild

SUITE = Path("data/baselines/onloading_instances.jsonl")
NEAR = DecompositionSettings()
WAYS = (0, NEAR.small)
"""Settings of ``small`` by which tiny instances are bound first, or searched first."""


@pytest.fixture(scope="module")
def suite():
    return {instance.name: instance for instance in read_lines(OnloadingInstance, SUITE)}


def decided(instance, name="j3o-decomposed", **parameters):
    """Decision, its objective, and its bound: the objective where the method proves none."""
    decision = solve(instance, load(name, **parameters))
    assert decision.objective is not None
    return decision, decision.objective, decision.objective if decision.bound is None else decision.bound


def optimum_of(instance):
    return decided(instance, "optimum", gap=0.0)[1]


def drawn(arrays, draw):
    """Models at random, as memory allows, and batch sizes at random."""
    sacks = knapsacks_of(arrays)
    held = np.full((len(sacks.capacity), len(arrays.memory)), -1, dtype=np.int64)
    for location, capacity in enumerate(sacks.capacity):
        free = capacity
        for model in draw.permutation(len(arrays.memory)):
            if arrays.memory[model] <= free:
                free -= arrays.memory[model]
                held[location, model] = 0 if location < sacks.clients else draw.integers(len(arrays.least_rate))
    return held


@pytest.mark.parametrize("seed", range(20))
def test_the_simplex_method_agrees_with_another(seed):
    draw = np.random.default_rng(seed)
    height, columns = 8, 20
    rows = np.array([draw.choice(height, 3, replace=False) for _ in range(columns)])
    use, gain, bound = draw.uniform(0.1, 1, (columns, 3)), draw.uniform(0, 1, columns), draw.uniform(0.5, 1, height)
    basis, price = -1 - np.arange(height), np.zeros(height)
    level = bound.copy()
    pivots = maximise(gain, rows, use, np.zeros(height), basis, np.eye(height), level, price, 500)
    matrix = np.zeros((height, columns))
    for k in range(columns):
        matrix[rows[k], k] = use[k]
    other = linprog(-gain, A_ub=matrix, b_ub=bound)
    assert other.fun is not None
    assert 0 < pivots < 500
    assert price @ bound == pytest.approx(-other.fun, rel=1e-9)
    assert sum(gain[k] * level[i] for i, k in enumerate(basis) if k >= 0) == pytest.approx(-other.fun, rel=1e-9)


@pytest.mark.parametrize("filled", [False, True])
@pytest.mark.parametrize("seed", range(12))
def test_servers_programs_add_up_to_the_offloading_program(seed, filled):
    """At the whole program's own price of the cloud, by strong duality; warm and cold, batches full or not."""
    draw = np.random.default_rng(seed)
    instance = tiny(seed, clients=6, servers=2, models=6, batching=seed % 2 == 1)
    arrays = arrays_of(instance)
    gains = gains_of(arrays)
    servers = range(len(instance.servers))
    clients = [len(set(arrays.row_client[slice(*arrays.server_rows[s])])) for s in servers]
    states = [first_basis(gains, s, clients[s]) for s in servers]
    program = OffloadingLp(arrays)
    for _ in range(5):
        held = drawn(arrays, draw)
        solution = program.solve(hosts_of_filling(knapsacks_of(arrays), held), filled=filled)
        price = float(solution.prices[-1]) if solution else 0.1
        values = [solve_at(gains, s, held, price, states[s])[0] for s in servers]
        if filled:
            values = [solve_full(gains, s, held, price, states[s])[0] for s in servers]
        if solution is None:
            assert min(values) == -np.inf
        else:
            assert sum(values) + price * arrays.cloud_limit == pytest.approx(solution.right_per_s, rel=1e-7)


@pytest.mark.parametrize("instance", [limited(0), tiered(0, servers=2)], ids=["limits", "tiers"])
def test_what_couples_servers_is_refused_wherever_servers_are_taken_by_themselves(instance, monkeypatch):
    monkeypatch.setattr(whole, "LARGE", 1)
    arrays = arrays_of(instance)
    assert not whole.by_servers(arrays)
    with pytest.raises(WorkError, match=r"^j3o-decomposed: 'tiny-0' has .* couples .*; use j3o-batching or optimum"):
        decompose(arrays, NEAR)


@pytest.mark.parametrize("seed", range(16))
def test_no_prices_prove_too_low_a_bound(seed):
    instance = tiny(seed, clients=4, servers=2, models=4, batching=seed % 2 == 1)
    optimum = optimum_of(instance) * arrays_of(instance).demand
    arrays = arrays_of(instance)
    gains = gains_of(arrays)
    made = work.work_of(gains)
    draw = np.random.default_rng(seed)
    for _ in range(20):
        cloud_price = draw.choice([0.0, 1.0, 10.0]) * draw.uniform()
        total = cloud_price * arrays.cloud_limit
        for s, server in enumerate(made.servers):
            price = draw.uniform(0, 1, made.start[s + 1] - made.start[s]) * draw.choice([0.0, 1.0, 5.0])
            fill = draw.uniform(0, 1, made.fill[s].shape) * draw.choice([0.0, 1.0, 5.0])
            fixed = fixed_at(gains, server, cloud_price)
            slopes = (np.empty_like(price), np.empty_like(fill))
            bound, _ = bound_at(gains, server, fixed, price, fill, *slopes, room_for(gains))
            total += bound
        assert total >= optimum * (1 - 1e-9)


@pytest.mark.parametrize("small", WAYS)
@pytest.mark.parametrize("seed", range(40))
def test_decisions_of_wild_instances_hold_and_are_near_the_optimum(seed, small):
    instance = wild(seed)
    decision, objective, bound = decided(instance, small=small)
    arrays = arrays_of(instance)
    optimum = optimum_of(instance)
    assert decision.onloading is not None
    assert decision.offloading is not None
    worth = evaluate(arrays, hosts_of(instance, decision.onloading), offloading_of(arrays, decision.offloading))
    assert worth.objective == pytest.approx(objective, rel=1e-9)
    assert objective <= optimum + 1e-9
    assert optimum <= bound * (1 + 1e-6) + 1e-9
    assert objective >= 0.95 * optimum


@pytest.mark.parametrize("small", WAYS)
def test_models_that_share_backbones_are_near_the_optimum_and_below_the_bound(small):
    shares = []
    for seed in range(20):
        instance = sharing(seed, models=5, batching=seed % 2 == 0)
        _, objective, bound = decided(instance, small=small)
        optimum = optimum_of(instance)
        assert objective <= optimum + 1e-9
        assert optimum <= bound * (1 + 1e-6)
        shares.append(objective / optimum)
    assert np.mean(shares) > 0.99
    assert min(shares) > 0.9


@pytest.mark.parametrize("small", WAYS)
def test_the_master_program_is_worth_what_the_offloading_program_says(small):
    for seed in range(10):
        instance = tiny(seed, clients=6, servers=3, models=6, batching=seed % 2 == 1)
        arrays = arrays_of(instance)
        found = decompose(arrays, DecompositionSettings(small=small))
        solution = OffloadingLp(arrays).solve(hosts_of_filling(knapsacks_of(arrays), found.held))
        assert solution is not None
        assert solution.right_per_s == pytest.approx(found.right_per_s, rel=1e-6)
        assert found.bound * arrays.demand >= found.right_per_s * (1 - 1e-9)


@pytest.mark.parametrize("name", ["small-16-batching", "medium-01", "medium-06-batching", "large-03"])
def test_the_offloading_by_servers_is_the_offloading_program_s(name, suite):
    """For J3O's models and for models at random; the evaluator accepts it."""
    arrays = arrays_of(suite[name])
    draw = np.random.default_rng(0)
    trials = [decompose(arrays, NEAR).held, *(np.minimum(drawn(arrays, draw), 0) for _ in range(2))]
    for held in trials:
        hosts = hosts_of_filling(knapsacks_of(arrays), held)
        other, found = OffloadingLp(arrays).solve(hosts), offload(arrays, hosts)
        assert other is not None
        assert found is not None
        assert found.right_per_s == pytest.approx(other.right_per_s, rel=1e-8)
        worth = evaluate(arrays, hosts, found.offloading)
        assert worth.objective * arrays.demand == pytest.approx(found.right_per_s, rel=1e-9)


@pytest.mark.parametrize("seed", range(1, 20, 2))
def test_by_servers_batches_fill_or_cannot_as_in_the_offloading_program(seed):
    arrays = arrays_of(tiny(seed, clients=6, servers=2, models=6, batching=True))
    draw = np.random.default_rng(seed)
    for _ in range(6):
        hosts = hosts_of_filling(knapsacks_of(arrays), drawn(arrays, draw))
        other, found = OffloadingLp(arrays).solve(hosts), offload(arrays, hosts)
        assert (other is None) == (found is None)
        if other is not None and found is not None:
            assert found.right_per_s == pytest.approx(other.right_per_s, rel=1e-7)
            evaluate(arrays, hosts, found.offloading)


def test_large_instances_are_scored_by_servers(suite, monkeypatch):
    instance = suite["medium-06-batching"]
    one = decided(instance, "density-greedy")[1]
    monkeypatch.setattr(whole, "LARGE", 1)
    assert whole.by_servers(arrays_of(instance))
    assert decided(instance, "density-greedy")[1] == pytest.approx(one, rel=1e-8)


def test_proved_gaps_of_medium_instances_are_below_one_percent_on_average(suite):
    names = [name for name in suite if name.startswith("medium")]
    gaps = []
    for name in names:
        _, objective, bound = decided(suite[name])
        gaps.append(bound / objective - 1)
    assert min(gaps) >= -1e-9
    assert np.mean(gaps) < 0.01


def test_the_decision_does_not_depend_on_threads(suite):
    instance = suite["medium-06-batching"]
    alone, both = (decompose(arrays_of(instance), DecompositionSettings(threads=n)) for n in (1, 2))
    assert (alone.held == both.held).all()
    assert (alone.bound, alone.right_per_s) == (both.bound, both.right_per_s)


def test_without_time_there_is_still_a_decision_and_a_bound(suite):
    instance = suite["medium-06-batching"]
    arrays = arrays_of(instance)
    found = decompose(arrays, NEAR, until=time.perf_counter())
    assert OffloadingLp(arrays).solve(hosts_of_filling(knapsacks_of(arrays), found.held)) is not None
    assert found.bound * arrays.demand > found.right_per_s


@pytest.mark.parametrize("small", WAYS)
def test_without_time_a_tiny_instance_has_a_decision_and_a_bound_that_holds(small):
    for seed in range(4):
        instance = tiny(seed, clients=4, servers=2, models=4, batching=seed % 2 == 1)
        arrays = arrays_of(instance)
        found = decompose(arrays, DecompositionSettings(small=small), until=time.perf_counter())
        assert OffloadingLp(arrays).solve(hosts_of_filling(knapsacks_of(arrays), found.held)) is not None
        assert found.bound >= optimum_of(instance) * (1 - 1e-9)


def test_servers_that_are_too_large_for_the_search_are_filled_by_their_prices(suite, monkeypatch):
    instance = suite["medium-06-batching"]
    monkeypatch.setattr(work, "MOST_ROWS", 10)
    squares = np.diff(work.work_of(gains_of(arrays_of(instance))).square)
    assert (squares == 0).any()
    _, objective, bound = decided(instance)
    assert objective > 0.8 * bound


@pytest.mark.parametrize("name", ["j3o-decomposed", "j3o-batching"])
def test_a_demand_that_nothing_can_serve_is_an_answer_of_next_to_nothing(name: str) -> None:
    instance = OnloadingInstance.read(Path(__file__).parents[2] / "docs" / "examples" / "one-client.json")
    asking = [one.with_changes(demand_per_s=dict.fromkeys(one.demand_per_s, 1e12)) for one in instance.clients]
    decision = solve(instance.with_changes(clients=tuple(asking)), load(name))
    assert decision.objective == pytest.approx(0.0, abs=1e-6)
