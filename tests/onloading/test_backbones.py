"""Models that share a backbone: the evaluator, the exact program, the greedy, the bounds and every algorithm."""

import itertools
import json
from functools import cache

import numpy as np
import pytest

from splitshare.errors import InputError
from splitshare.onloading.arrays import arrays_of
from splitshare.onloading.contract import load, shipped
from splitshare.onloading.greedy import Knapsacks, Values, lazy_greedy, together, upper_bound
from splitshare.onloading.instance import OnloadingInstance
from splitshare.onloading.objective import InfeasibleDecisionError, check_memory, hosts_of
from splitshare.onloading.run import solve
from tests.onloading import judge
from tests.onloading.examples import sharing, tiny
from tests.onloading.held import hold_below, hold_both_solvers, optimal
from tests.onloading.knapsacks import hold_fillings, one_row, relaxation


@pytest.mark.parametrize("seed", range(12))
def test_memory_holds_exactly_what_counting_each_backbone_once_says(seed):
    """Every way to fill every place, held against plain sets."""
    instance = sharing(seed, models=4)
    arrays = arrays_of(instance)
    allowed = 0
    for place in (instance.clients[0], instance.servers[0]):
        for names in itertools.chain.from_iterable(
            itertools.combinations([m.name for m in instance.models], k) for k in range(5)
        ):
            hosts = hosts_of(instance, {place.name: dict.fromkeys(names, 1)})
            if judge.bytes_of(instance, names) <= place.memory_bytes:
                check_memory(arrays, hosts)
                allowed += len(names) > 1
            else:
                with pytest.raises(InfeasibleDecisionError, match=f"{place.name}: models of .* do not fit"):
                    check_memory(arrays, hosts)
    assert seed or allowed


@pytest.mark.parametrize("batching", [False, True])
@pytest.mark.parametrize("seed", range(5))
def test_both_solvers_find_what_trying_everything_finds(seed, batching):
    instance = sharing(seed, models=3, batching=batching, clients=1 if batching else 2)
    hold_both_solvers(instance, judge.optimum(instance))


def counted_with_every_model(instance):
    """The same instance as it was without backbones: each model brings a copy of its own."""
    said = json.loads(instance.to_json())
    sizes = {b["name"]: b["memory_bytes"] for b in said.pop("backbones")}
    for model in said["models"]:
        model["memory_bytes"] += sizes.get(model.pop("backbone", None), 0)
    return OnloadingInstance.parse(said, "copies")


def test_sharing_is_worth_something_and_never_costs():
    """Loaded once, a backbone leaves no less room than copies do; for a single model it makes no difference."""
    gains = []
    for seed in range(8):
        instance = sharing(seed, models=4)
        gains.append(optimal(instance) - optimal(counted_with_every_model(instance)))
        alone = sharing(seed, models=2)
        assert optimal(alone) == pytest.approx(optimal(counted_with_every_model(alone)), rel=1e-9)
    assert min(gains) >= -1e-9
    assert max(gains) > 1e-3


@cache
def tried(seed):
    """An instance and its optimum, by trying everything."""
    instance = sharing(seed, models=4, batching=seed % 2 == 1, clients=1)
    return instance, judge.optimum(instance)


@pytest.mark.parametrize("name", shipped())
def test_no_algorithm_is_above_the_optimum_and_no_bound_below_it(name):
    for seed in range(4):
        instance, best = tried(seed)
        hold_below(solve(instance, load(name)), best)


def test_j3o_is_near_the_optimum_of_tiny_instances():
    shares = []
    for seed in range(20):
        instance = sharing(seed, models=5, batching=seed % 2 == 0)
        found = solve(instance, load("j3o-batching")).objective
        assert found is not None
        shares.append(found / optimal(instance))
    assert np.mean(shares) > 0.99
    assert min(shares) > 0.93


def drawn(seed, *, batches=1):
    """A client and its server, five models of which four share two backbones, everything random."""
    draw = np.random.default_rng(seed)
    values = Values(
        draw.uniform(0, 1, (3, 5, 1)) * (draw.random((3, 5, 1)) < 0.6),
        draw.uniform(0, 1, (3, 5, batches)) * (draw.random((3, 5, batches)) < 0.6),
        draw.uniform(0, 0.2, 3),
    )
    sacks = Knapsacks(
        1,
        np.array([[0, 3], [0, 3]]),
        draw.integers(3, 8, 2).astype(float),
        np.array([2.0, *draw.integers(1, 3, 4)]),
        np.array([-1, 0, 0, 1, 1]),
        draw.integers(1, 5, 2).astype(float),
        np.full(5, -1),
        np.ones(3),
        np.array([0.0, 2.0])[:batches],
        np.array([0, 0]),
    )
    return values, sacks


@pytest.mark.parametrize("batches", [1, 2])
def test_fillings_fit_improve_and_stay_below_the_bound(batches):
    near = [hold_fillings(*drawn(seed, batches=batches)) for seed in range(12 if batches == 1 else 3)]
    assert np.mean(near) > 0.97


def test_a_backbone_is_taken_for_its_models_together():
    """By hand: model 0 gains 0.2 a byte. No head alone does (1/10), all three together do (3/12), and fit instead."""
    values, sacks = one_row(memory=[4, 1, 1, 1], backbone=[-1, 0, 0, 0], sizes=[9], worth=[0.8, 1, 1, 1], capacity=12)
    gain, used, filling = together(values.edge, values.elsewhere, sacks, sacks.rate, 12.0, np.full(4, -1), 0)
    assert (gain, used, filling.tolist()) == (0.25, 12.0, [-1, 0, 0, 0])
    assert lazy_greedy(values, sacks).tolist() == [[-1, 0, 0, 0]]


def test_the_bound_is_the_linear_relaxation_of_the_knapsack():
    """Held against scipy: a model is at most as much there as its backbone."""
    for seed in range(30):
        draw = np.random.default_rng(seed)
        memory, sizes = draw.integers(1, 5, 6), draw.integers(1, 8, 2)
        backbone, worth = [-1, -1, 0, 0, 1, 1], draw.uniform(0, 1, 6)
        capacity = float(draw.integers(int(sizes.max()) + 5, 20))
        values, sacks = one_row(memory=memory, backbone=backbone, sizes=sizes, worth=worth, capacity=capacity)
        relaxed = relaxation(memory, backbone, sizes, [-1] * 6, worth, capacity)
        assert upper_bound(values, sacks, values.elsewhere) == pytest.approx(relaxed, rel=1e-9)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (
            lambda said: said["models"][1].update(backbone="b9"),
            "models[1].backbone: unknown backbone 'b9'; did you mean",
        ),
        (lambda said: said.pop("backbones"), "models[1].backbone: unknown backbone 'b0'; none is known"),
        (
            lambda said: said["backbones"].append({"name": "b0", "memory_bytes": 1}),
            "backbones[1].name: 'b0' stands twice",
        ),
        (
            lambda said: said["backbones"].append({"name": "c", "memory_bytes": 1}),
            "backbones[1].name: no model uses 'c'",
        ),
        (lambda said: said["backbones"][0].update(memory_bytes=0), "backbones[0].memory_bytes"),
    ],
)
def test_wrong_backbones_are_refused_in_one_line(change, complaint):
    said = json.loads(sharing(models=3).to_json())
    change(said)
    with pytest.raises(InputError) as error:
        OnloadingInstance.parse(said, "instance.json")
    assert complaint in str(error.value)
    assert "\n" not in str(error.value)


def test_instances_without_backbones_are_written_as_before():
    assert "backbone" not in tiny().to_json()
