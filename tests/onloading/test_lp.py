import random

import numpy as np
import pytest

from splitshare.onloading.arrays import arrays_of
from splitshare.onloading.columns import columns_of, limits_of
from splitshare.onloading.lp import OffloadingLp
from splitshare.onloading.objective import evaluate, hosts_of
from tests.onloading import judge
from tests.onloading.examples import tiny


def some_onloading(instance, draw):
    """Models that fit, drawn."""
    found = {}
    for location in (*instance.clients, *instance.servers):
        free, held = location.memory_bytes, {}
        sizes = [b.size for b in instance.batches] if location in instance.servers else [1]
        for model in draw.sample(instance.models, len(instance.models)):
            if model.memory_bytes <= free and draw.random() < 0.8:
                held[model.name] = draw.choice(sizes)
                free -= model.memory_bytes
        found[location.name] = held
    return found


@pytest.mark.parametrize("batching", [False, True])
def test_the_program_gives_what_scipy_gives_for_one_set_of_models_after_another(batching):
    draw = random.Random(5)
    infeasible = 0
    for seed in range(6):
        instance = tiny(seed, clients=6, servers=2, models=5, batching=batching)
        arrays = arrays_of(instance)
        program = OffloadingLp(arrays)
        for _ in range(5):
            onloading = some_onloading(instance, draw)
            hosts = hosts_of(instance, onloading)
            expected = judge.best_offloading(instance, onloading)
            solution = program.solve(hosts)
            if expected is None:
                assert solution is None
                infeasible += 1
                continue
            assert solution is not None
            assert solution.right_per_s / arrays.demand == pytest.approx(expected, rel=1e-6)
            assert evaluate(arrays, hosts, solution.offloading).objective == pytest.approx(expected, rel=1e-6)
    assert (infeasible > 0) is batching


def test_prices_prove_the_optimum():
    """Strong duality, by hand: prices times limits is the value, and no answer is worth more than it costs."""
    instance = tiny(3, clients=6, servers=2, models=5)
    arrays = arrays_of(instance)
    program = OffloadingLp(arrays)
    hosts = hosts_of(instance, some_onloading(instance, random.Random(1)))
    solution = program.solve(hosts)
    assert solution is not None
    limits, columns = limits_of(arrays), columns_of(arrays)
    assert solution.prices @ limits.bound == pytest.approx(solution.right_per_s)
    assert (solution.prices >= 0).all()
    here = columns.only(program.stands(hosts))
    cost = (here.use * np.append(solution.prices, 0.0)[here.limit]).sum(axis=1)
    assert (here.gain <= cost + 1e-7).all()


def test_fewer_places_never_help_and_nothing_is_answered_where_no_model_stands():
    instance = tiny(1, clients=4, models=4)
    arrays = arrays_of(instance)
    hosts = hosts_of(instance, some_onloading(instance, random.Random(2)))
    everywhere = OffloadingLp(arrays).solve(hosts)
    for place in ("client", "edge", "cloud"):
        only = OffloadingLp(arrays, (place,)).solve(hosts)
        assert only is not None
        assert everywhere is not None
        assert only.right_per_s <= everywhere.right_per_s + 1e-9
    empty = OffloadingLp(arrays, ("client",)).solve(hosts_of(instance, {}))
    assert empty is not None
    assert (empty.right_per_s, len(empty.offloading.row)) == (0.0, 0)
