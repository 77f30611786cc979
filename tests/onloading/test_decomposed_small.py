"""J3O decomposed on small instances: searched first, then all prices lowered in one descent; and what it reads."""

import itertools
import subprocess
import sys

import numpy as np
import pytest

from splitshare.onloading.arrays import arrays_of
from splitshare.onloading.columns import columns_of, useful_in_cloud
from splitshare.onloading.contract import load
from splitshare.onloading.decomposed import decompose as decomposing
from splitshare.onloading.decomposed.decompose import ENOUGH, DecompositionSettings, decompose
from splitshare.onloading.decomposed.dual import bound_at, fixed_at, room_for
from splitshare.onloading.decomposed.gains import gains_of, most_of
from splitshare.onloading.decomposed.joint import descend_jointly
from splitshare.onloading.decomposed.price import crossing_by
from splitshare.onloading.decomposed.work import work_of
from splitshare.onloading.instance import OnloadingInstance
from splitshare.onloading.lp import OffloadingLp
from splitshare.onloading.objective import CLIENT, CLOUD, EDGE, hosts_of
from splitshare.onloading.run import solve
from tests.onloading.examples import fields, sharing, tiny, varied


def cloudless(seed):
    """The cloud has no computing, so that no price of it counts."""
    said = fields(seed, clients=5, servers=2, models=5)
    said["cloud"]["compute_limit"] = 0.0
    return OnloadingInstance.parse(said, f"seed {seed}")


KINDS = [
    *(tiny(seed, clients=5, servers=2, models=5, batching=seed % 2 == 1) for seed in range(6)),
    *(sharing(seed, models=5, batching=seed % 2 == 0) for seed in range(4)),
    *(varied(seed) for seed in range(3)),
    cloudless(6),
]


def optimum_of(instance):
    objective = solve(instance, load("optimum", gap=0.0)).objective
    assert objective is not None
    return objective * arrays_of(instance).demand


def lowered(arrays, right, *, windows=24, stall=0.0):
    """What one descent towards ``right`` proves: gains, work with its prices, bound and cloud's price."""
    gains = gains_of(arrays)
    work = work_of(gains)
    start = 0.02 * arrays.demand / max(arrays.cloud_limit, 1e-9)
    given = (most_of(gains), arrays.cloud_limit, start, right, 1e-9, 25, windows, stall)
    bound, price, steps = descend_jointly(gains, work, *given)
    assert 0 <= steps <= 25 * windows
    return gains, work, bound, price


@pytest.mark.parametrize("number", range(len(KINDS)))
def test_a_descent_proves_its_bound_whatever_it_is_told_to_aim_at(number):
    """No less than the optimum, also where it aims above or far below that; and the prices that it leaves prove it."""
    arrays = arrays_of(KINDS[number])
    optimum = optimum_of(KINDS[number])
    for right in (0.0, 0.7 * optimum, optimum, 1.5 * optimum):
        gains, work, bound, price = lowered(arrays, right)
        assert bound >= optimum * (1 - 1e-9)
        total = price * arrays.cloud_limit
        for s, server in enumerate(work.servers):
            own, fill = work.price[work.start[s] : work.start[s + 1]], work.fill[s]
            assert min(own.min(), fill.min(), price) >= 0
            fixed = fixed_at(gains, server, price)
            total += bound_at(
                gains, server, fixed, own, fill, np.empty_like(own), np.empty_like(fill), room_for(gains)
            )[0]
        assert bound == pytest.approx(total, rel=1e-9)


def test_a_descent_comes_near_the_linear_relaxation():
    excess = []
    for instance in KINDS[:6]:
        relaxed = solve(instance, load("lp-rounding")).bound
        assert relaxed is not None
        arrays = arrays_of(instance)
        bound = lowered(arrays, optimum_of(instance))[2]
        excess.append(bound / (relaxed * arrays.demand) - 1)
    assert min(excess) > -1e-6
    assert np.mean(excess) < 0.02


def test_a_descent_ends_where_steps_bring_little_or_the_decision_is_met():
    arrays = arrays_of(KINDS[0])
    gains = gains_of(arrays)
    most = most_of(gains)
    given = (arrays.cloud_limit, 1.0)
    met = descend_jointly(gains, work_of(gains), most, *given, 10 * most.sum(), 1e-4, 25, 24, 0.0)
    assert met[2] == 0
    stalled = descend_jointly(gains, work_of(gains), most, *given, 0.0, 1e-4, 25, 24, 1.0)
    assert stalled[2] == 25


@pytest.mark.parametrize("number", range(len(KINDS)))
def test_small_instances_are_decided_as_well_as_bound_first(number):
    """Near the optimum and below the bound, which both ways to lower it keep."""
    arrays = arrays_of(KINDS[number])
    assert len(work_of(gains_of(arrays)).price) <= DecompositionSettings().small
    optimum = optimum_of(KINDS[number])
    found = decompose(arrays, DecompositionSettings())
    assert found.right_per_s <= optimum * (1 + 1e-9)
    assert found.right_per_s >= 0.97 * optimum
    assert found.bound * arrays.demand >= optimum * (1 - 1e-9)
    other = decompose(arrays, DecompositionSettings(small=0))
    assert other.bound * arrays.demand >= optimum * (1 - 1e-9)
    assert found.right_per_s >= 0.99 * other.right_per_s


def test_nothing_is_searched_or_lowered_once_bound_and_decision_meet(monkeypatch):
    """Where every query gets the best answer that anybody may give it, that alone proves the optimum."""

    def refuse(*_: object) -> None:
        raise AssertionError("there is nothing to lower")

    met = [
        arrays
        for arrays in map(arrays_of, KINDS)
        if optimum_of(arrays.instance) >= most_of(gains_of(arrays)).sum() * (1 - ENOUGH / 2)
    ]
    assert met
    monkeypatch.setattr(decomposing, "descend_jointly", refuse)
    for arrays in met:
        found = decompose(arrays, DecompositionSettings())
        assert found.rounds == 1
        assert found.bound * arrays.demand == pytest.approx(most_of(gains_of(arrays)).sum())


def test_the_decision_of_a_small_instance_does_not_depend_on_threads():
    many = tiny(0, clients=24, servers=12, models=5, batching=True)  # so many that sums in another order are others
    for instance in (*KINDS, many):
        for small in (0, 1000):
            alone, both = (
                decompose(arrays_of(instance), DecompositionSettings(small=small, threads=n)) for n in (1, 2)
            )
            assert (alone.held == both.held).all()
            assert (alone.bound, alone.right_per_s) == (both.bound, both.right_per_s)


@pytest.mark.parametrize("seed", range(10))
def test_the_crossing_of_lines_is_the_least_of_the_limit_s_program(seed):
    """Against all crossings of two lines, compiled or not it is one function."""
    draw = np.random.default_rng(seed)
    worth, use, limit = draw.uniform(0, 5, 6), draw.uniform(0, 3, 6), draw.uniform(0.2, 2)
    use[0] = 0.0

    def at(_: None, price: float) -> tuple[float, float]:
        best = int(np.argmax(worth - price * use))
        return float((worth - price * use)[best]), float(use[best])

    prices = [0.0] + [
        (worth[a] - worth[b]) / (use[a] - use[b]) for a, b in itertools.combinations(range(6), 2) if use[a] != use[b]
    ]
    least = min(at(None, price)[0] + price * limit for price in prices if price >= 0)
    for guessed in (False, True):
        assert crossing_by(at)(None, limit, draw.uniform(0.1, 3), guessed).value == pytest.approx(least, rel=1e-8)


@pytest.mark.parametrize("number", range(len(KINDS)))
def test_gains_are_the_columns_of_the_linear_program(number):
    """Those of models that fit; places, gains and uses of computing and links agree."""
    arrays = arrays_of(KINDS[number])
    gains, columns = gains_of(arrays), columns_of(arrays)
    clients, servers = arrays.client_memory, arrays.server_memory
    seen = {CLIENT: 0, EDGE: 0, CLOUD: 0}
    for row, model, place, batch, gain, use in zip(
        columns.row, columns.model, columns.place, columns.batch, columns.gain, columns.use, strict=True
    ):
        memory = {CLIENT: clients[arrays.row_client[row]], EDGE: servers[arrays.row_server[row]]}.get(place, np.inf)
        if arrays.alone[model] > memory:
            continue
        seen[place] += 1
        told = {
            CLIENT: (gains.client[row, model], gains.client_use[row, model], 1),
            EDGE: (gains.edge[row, batch, model], gains.edge_use[row, batch, model], 2),
            CLOUD: (gains.cloud[row, model], gains.cloud_use[row, model], 3),
        }[place]
        assert told[0] == gain
        assert told[1] == use[told[2]]
        if place != CLIENT:
            assert gains.sent[row] == use[1]
    assert seen[CLIENT] == (gains.client > -1).sum()
    assert seen[EDGE] == (gains.edge > -1).sum()
    assert seen[CLOUD] == (gains.cloud > -1).sum()
    for row, listed in enumerate(gains.client_models):
        assert [j for j in listed if j >= 0] == np.flatnonzero(gains.client[row] > -1).tolist()
    assert gains.client_rate.sum() == pytest.approx(arrays.demand)
    assert gains.server_rate.sum() == pytest.approx(arrays.demand)


@pytest.mark.parametrize("seed", range(8))
def test_the_cloud_s_useful_models_are_those_that_no_other_beats(seed):
    draw = np.random.default_rng(seed)
    task = np.array([0, 0, 2, 2, 1])
    share, serves = draw.integers(1, 4, (3, 6)) / 4, draw.random((3, 6)) < 0.8
    seconds = draw.choice([1.0, 2.0, np.inf], 6)
    joules = draw.choice([0.0, 1.0], 6)
    found = useful_in_cloud(share[task], serves[task], task, seconds, joules)
    for r, t in enumerate(task):
        for j in range(6):
            one = (-share[t, j], seconds[j], joules[j])
            beaten = False
            for k in range(6):
                other = (-share[t, k], seconds[k], joules[k])
                no_worse = all(a <= b for a, b in zip(other, one, strict=True))
                if serves[t, k] and np.isfinite(seconds[k]) and no_worse and (other != one or k < j):
                    beaten = True
            assert found[r, j] == (not beaten)


def test_the_program_s_value_is_the_offloading_program_s():
    for instance in KINDS:
        arrays = arrays_of(instance)
        decision = solve(instance, load("j3o-decomposed"))
        assert decision.onloading is not None
        solution = OffloadingLp(arrays).solve(hosts_of(instance, decision.onloading))
        assert solution is not None
        assert solution.right_per_s == pytest.approx(decompose(arrays, DecompositionSettings()).right_per_s, rel=1e-6)


def test_warming_up_compiles_what_instances_of_any_size_need():
    """In a process of its own: none of the loops that Python calls is compiled, or loaded, once instances are timed."""
    program = """
from pathlib import Path
from numba.core.registry import CPUDispatcher
from splitshare.jsonl import read_lines
from splitshare.onloading.contract import load
from splitshare.onloading.decomposed import decompose, gains
from splitshare.onloading.instance import OnloadingInstance
algorithm = load("j3o-decomposed")
algorithm.warm_up()
loops = {n: f for m in (decompose, gains) for n, f in vars(m).items() if isinstance(f, CPUDispatcher)}
before = {name: len(loop.signatures) for name, loop in loops.items()}
wanted = ("small-02-batching", "small-17", "medium-04-batching", "perception-small-01", "perception-medium-02-batching")
for instance in read_lines(OnloadingInstance, Path("data/baselines/onloading_instances.jsonl")):
    if instance.name in wanted:
        algorithm.onload(instance, seed=0, time_limit=None)
print({name for name, loop in loops.items() if len(loop.signatures) != before[name]})
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
