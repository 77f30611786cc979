"""Variants of one model, at most one at a place: the evaluator, the program, greedy, bounds and every algorithm."""

import itertools
import json
from functools import cache

import numpy as np
import pytest
from scipy.optimize import Bounds, LinearConstraint, milp

from splitshare.errors import InputError
from splitshare.onloading.arrays import arrays_of
from splitshare.onloading.contract import load, shipped
from splitshare.onloading.decomposed.gains import Sizes
from splitshare.onloading.decomposed.knapsack import items_for, relaxed
from splitshare.onloading.greedy import Knapsacks, Values, upper_bound
from splitshare.onloading.instance import OnloadingInstance
from splitshare.onloading.objective import InfeasibleDecisionError, check_held, check_variants, hosts_of
from splitshare.onloading.refilling import improve
from splitshare.onloading.run import solve
from tests.onloading import judge
from tests.onloading.examples import limited, tiered, tiny, varied
from tests.onloading.held import hold_below, hold_both_solvers, optimal
from tests.onloading.knapsacks import hold_fillings, one_row, relaxation


def test_two_variants_of_one_may_not_stand_at_a_place():
    """Every way to fill a client and the server, at every batch size, held against plain sets."""
    instance = varied(0, models=4, batching=True)
    arrays = arrays_of(instance)
    groups = {m.name: m.variant_of for m in instance.models}
    broken = 0
    for place, sizes in ((instance.clients[0], [1]), (instance.servers[0], [1, 4])):
        for held in itertools.product([0, *sizes], repeat=4):
            onloading = {m.name: size for m, size in zip(instance.models, held, strict=True) if size}
            named = [groups[name] for name in onloading]
            hosts = hosts_of(instance, {place.name: onloading})
            if len(set(named)) == len(named):
                check_variants(arrays, hosts)
                continue
            broken += 1
            with pytest.raises(
                InfeasibleDecisionError, match=rf"{place.name}: m\d and m\d are variants of v\d; at most"
            ):
                check_variants(arrays, hosts)
    assert broken > 50
    together = {"c0": {"m0": 1}, "c1": {"m1": 1}, "s0": {"m0": 4, "m2": 1}}
    check_variants(arrays, hosts_of(instance, together))


@pytest.mark.parametrize("backbones", [False, True])
@pytest.mark.parametrize("seed", range(5))
def test_both_solvers_find_what_trying_everything_finds(seed, backbones):
    batching = seed % 2 == 1
    instance = varied(seed, models=3, batching=batching, clients=1 if batching else 2, backbones=backbones)
    hold_both_solvers(instance, judge.optimum(instance))


def test_the_rule_costs_something_and_never_gains():
    losses = []
    for seed in range(10):
        instance = varied(seed, models=4)
        said = json.loads(instance.to_json())
        for model in said["models"]:
            del model["variant_of"]
        losses.append(optimal(OnloadingInstance.parse(said, "free")) - optimal(instance))
    assert min(losses) >= -1e-9
    assert max(losses) > 1e-3


@cache
def tried(seed):
    """An instance and its optimum, by trying everything."""
    instance = varied(seed, models=4, batching=seed % 2 == 1, clients=1, backbones=seed > 3)
    return instance, judge.optimum(instance)


@pytest.mark.parametrize("name", shipped())
def test_no_algorithm_is_above_the_optimum_and_no_bound_below_it(name):
    for seed in range(6):
        instance, best = tried(seed)
        decision = solve(instance, load(name))
        hold_below(decision, best)
        assert decision.onloading is not None
        check_held(arrays_of(instance), hosts_of(instance, decision.onloading))


def also_varied(instance):
    """The instance with all of its models variants of one."""
    said = json.loads(instance.to_json())
    for model in said["models"]:
        model["variant_of"] = "v"
    return OnloadingInstance.parse(said, instance.name)


@pytest.mark.parametrize("name", ["optimum", "j3o-batching", "j3o", "edge-only", "accuracy-greedy"])
def test_the_rule_holds_beside_tiers_and_side_constraints(name):
    for seed in range(8):
        instance = also_varied((tiered if seed % 2 else limited)(seed, clients=1, models=3))
        best = judge.optimum_if_any(instance)
        decision = solve(instance, load(name))
        if decision.onloading is None or decision.objective is None:
            assert best is None or name != "optimum"
            continue
        check_held(arrays_of(instance), hosts_of(instance, decision.onloading))
        assert best is not None
        assert name != "optimum" or decision.objective == pytest.approx(best, rel=1e-4)
        hold_below(decision, best)


@pytest.mark.parametrize("name", ["j3o-batching", "j3o-decomposed"])
def test_decisions_are_near_the_optimum_of_tiny_instances(name):
    shares = []
    for seed in range(24):
        instance = varied(seed, models=6, batching=seed % 2 == 0, backbones=seed % 3 == 0)
        decision = solve(instance, load(name))
        best = optimal(instance)
        assert decision.objective is not None
        assert decision.bound is not None
        assert decision.objective <= best + 1e-9 <= decision.bound + 1e-6
        shares.append(decision.objective / best)
    assert np.mean(shares) > 0.99
    assert min(shares) > 0.93


MODELS = 6


def drawn(seed, *, batches=1):
    """A client and its server, six models: a group of two, one of two with a backbone, one over two backbones."""
    draw = np.random.default_rng(seed)
    values = Values(
        draw.uniform(0, 1, (3, MODELS, 1)) * (draw.random((3, MODELS, 1)) < 0.7),
        draw.uniform(0, 1, (3, MODELS, batches)) * (draw.random((3, MODELS, batches)) < 0.7),
        draw.uniform(0, 0.2, 3),
    )
    sacks = Knapsacks(
        1,
        np.array([[0, 3], [0, 3]]),
        draw.integers(3, 8, 2).astype(float),
        draw.integers(1, 4, MODELS).astype(float),
        np.array([-1, -1, 0, 0, 0, 1]),
        draw.integers(1, 4, 2).astype(float),
        np.array([0, 0, 1, 1, 2, 2]),
        np.ones(3),
        np.array([0.0, 2.0])[:batches],
        np.array([0, 0]),
    )
    return values, sacks


@pytest.mark.parametrize("batches", [1, 2])
def test_fillings_keep_the_rule_improve_and_stay_below_the_bound(batches):
    near = [hold_fillings(*drawn(seed, batches=batches)) for seed in range(16 if batches == 1 else 4)]
    assert np.mean(near) > (0.97 if batches == 1 else 0.9)  # what fills a batch may have gone to the client


def test_a_larger_variant_comes_for_what_it_gains_by_the_byte_that_it_takes_more():
    """By hand: m0 (1 byte, 1.0) leads; m1 in its place gains 1.5 for 3 bytes, and so comes before m2 (4 bytes, 1.8)."""
    values, sacks = one_row(
        memory=[1, 4, 4], backbone=[-1] * 3, sizes=[], variant=[0, 0, -1], worth=[1.0, 2.5, 1.8], capacity=5
    )
    held = np.full((1, 3), -1)
    improve(values, sacks, held, 1)
    assert held.tolist() == [[0, -1, 0]]  # 2.8 in 5 bytes: beginning with m2 is better than 2.5 in 4
    wide = sacks._replace(capacity=np.array([8.0]))
    improve(values, wide, held, 1)
    assert held.tolist() == [[-1, 0, 0]]


@pytest.mark.parametrize("seed", range(40))
def test_bounds_are_the_linear_relaxation_of_the_knapsack_with_choices(seed):
    """J3O's and the decomposed method's, held against scipy; the share of each model proves the latter's value."""
    draw = np.random.default_rng(seed)
    memory, sizes, worth = draw.integers(1, 7, 9), draw.integers(1, 8, 2).astype(float), draw.uniform(0, 1, 9)
    backbone, variant = [-1, -1, -1, -1, 0, 0, 0, 1, 1], [0, 0, 0, -1, 1, 1, -1, -1, -1]
    if seed % 4 == 0:
        backbone, sizes = [-1] * 9, np.zeros(0)
    capacity = float(draw.integers(int(sizes.max(initial=0)) + 7, 24))
    values, sacks = one_row(
        memory=memory, backbone=backbone, sizes=sizes, variant=variant, worth=worth, capacity=capacity
    )
    best = relaxation(memory, backbone, sizes, variant, worth, capacity)
    assert upper_bound(values, sacks, values.elsewhere) == pytest.approx(best, rel=1e-9)
    share = np.empty(9)
    made = Sizes(sacks.memory, sacks.backbone, sacks.backbone_memory, sacks.variant, np.array([3, 2]))
    assert relaxed(worth, made, capacity, share, items_for(made)) == pytest.approx(best, rel=1e-9)
    assert share @ worth == pytest.approx(best, rel=1e-9)
    assert share.min() >= -1e-12
    assert share.max() <= 1 + 1e-12


@pytest.mark.parametrize("seed", range(20))
def test_groups_over_several_backbones_leave_the_bound_above_the_optimum(seed):
    draw = np.random.default_rng(seed)
    memory, sizes, worth = draw.integers(1, 7, 8), draw.integers(1, 6, 2), draw.uniform(0, 1, 8)
    backbone, variant = draw.integers(-1, 2, 8), draw.integers(-1, 3, 8)
    capacity = float(draw.integers(int(sizes.max()) + 7, 24))
    rows = np.zeros((1 + 8 + 3, 10))
    rows[0] = [*memory, *sizes]
    for j in range(8):
        if backbone[j] >= 0:
            rows[1 + j, j], rows[1 + j, 8 + backbone[j]] = 1, -1
        if variant[j] >= 0:
            rows[9 + variant[j], j] = 1
    right = [capacity, *[0.0] * 8, *[1.0] * 3]
    best = milp(
        [*-worth, 0, 0],
        integrality=np.ones(10, dtype=np.int64),
        bounds=Bounds(0, 1),
        constraints=LinearConstraint(rows, -np.inf, right),
    )
    assert best.fun is not None
    share = np.empty(8)
    made = Sizes(memory.astype(float), backbone, sizes.astype(float), variant, np.bincount(variant[variant >= 0]))
    assert relaxed(worth, made, capacity, share, items_for(made)) >= -best.fun - 1e-9


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (
            lambda models: models[0].pop("variant_of"),
            "models[1].variant_of: no other model is a variant of 'v0'; did you",
        ),
        (
            lambda models: [models[j].pop("variant_of") for j in (0, 2, 3)],
            "models[1].variant_of: no other model is a variant of 'v0'; leave it out",
        ),
        (lambda models: models[0].update(variant_of=""), "models[0].variant_of"),
        (lambda models: models[0].update(variant_of=3), "models[0].variant_of"),
    ],
)
def test_wrong_variants_are_refused_in_one_line(change, complaint):
    said = json.loads(varied(models=4).to_json())
    change(said["models"])
    with pytest.raises(InputError) as error:
        OnloadingInstance.parse(said, "instance.json")
    assert complaint in str(error.value)
    assert "\n" not in str(error.value)


def test_instances_without_variants_are_written_as_before():
    assert "variant" not in tiny().to_json()
