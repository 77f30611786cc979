"""Fillings of locations, held against trying every one and against the knapsack's linear relaxation by scipy."""

import itertools

import numpy as np
import pytest
from scipy.optimize import linprog

from splitshare.onloading.exchange import exchanges
from splitshare.onloading.greedy import Knapsacks, Values, lazy_greedy, rows_worth, upper_bound, used_by
from splitshare.onloading.refilling import improve


def one_row(*, memory, backbone, sizes, worth, capacity, variant=None):
    """A server that answers as many rows as there are models, each of which one model alone can answer."""
    rows = len(memory)
    sacks = Knapsacks(
        0,
        np.array([[0, rows]]),
        np.array([float(capacity)]),
        np.array(memory, dtype=float),
        np.array(backbone),
        np.array(sizes, dtype=float),
        np.full(rows, -1) if variant is None else np.array(variant),
        np.ones(rows),
        np.zeros(1),
        np.array([0]),
    )
    return Values(np.zeros((rows, rows, 1)), np.diag(np.array(worth, dtype=float))[:, :, None], np.zeros(rows)), sacks


def bytes_of(sacks, held):
    """What a filling takes, each backbone once, by sets."""
    models = [j for j in range(len(held)) if held[j] >= 0]
    backbones = {int(sacks.backbone[j]) for j in models} - {-1}
    return sum(sacks.memory[j] for j in models) + sum(sacks.backbone_memory[b] for b in backbones)


def allowed(sacks, capacity, held):
    """Whether a location may hold this: it fits, with at most one variant of a group."""
    groups = [int(group) for group in sacks.variant[np.array(held) >= 0] if group >= 0]
    return bytes_of(sacks, held) <= capacity and len(set(groups)) == len(groups)


def every_filling(sacks, batches):
    """Every way to fill all locations."""
    ways = []
    for location, capacity in enumerate(sacks.capacity):
        choices = itertools.product(range(-1, 1 if location < sacks.clients else batches), repeat=len(sacks.memory))
        ways.append([c for c in choices if allowed(sacks, capacity, c)])
    return (np.array(way) for way in itertools.product(*ways))


def hold_fillings(values, sacks):
    """Greedy, refilling and exchanges keep the rules and improve, and no bound is below the best filling.

    The instance is a client and its server, which answer the same rows.

    Returns:
        What greedy and refilling reach, as a share of the best filling.
    """
    best = max(rows_worth(values, sacks, way).sum() for way in every_filling(sacks, values.edge.shape[2]))
    held = lazy_greedy(values, sacks)
    first = rows_worth(values, sacks, held)
    bounds = [upper_bound(values, sacks, start) for start in (values.elsewhere, first)]
    improve(values, sacks, held, 5)
    better = rows_worth(values, sacks, held).sum()
    assert first.sum() <= better + 1e-12 <= best + 1e-9
    assert min(bounds) >= best - 1e-9
    for location, capacity in enumerate(sacks.capacity):
        assert allowed(sacks, capacity, held[location])
        assert used_by(sacks, held[location]) == bytes_of(sacks, held[location])
        base = rows_worth(values, sacks, np.where(np.arange(2)[:, None] == location, -1, held))
        value = values.client if location == 0 else values.edge
        for filling, gain in zip(*exchanges(value, base, sacks, location, held[location]), strict=True):
            assert allowed(sacks, capacity, filling)
            assert used_by(sacks, filling) <= capacity
            other = held.copy()
            other[location] = filling
            assert rows_worth(values, sacks, other).sum() - better == pytest.approx(gain)
    return better / best


def relaxation(memory, backbone, sizes, variant, worth, capacity):
    """Value of the linear relaxation by scipy: models at most as much as their backbone, of a group one in all."""
    models, backbones = len(memory), len(sizes)
    rows, right = [[*memory, *sizes]], [capacity]
    for model in range(models):
        if backbone[model] >= 0:
            rows.append([float(j == model) - float(j == models + backbone[model]) for j in range(models + backbones)])
            right.append(0.0)
    for group in set(variant) - {-1}:
        members = [j for j in range(models) if variant[j] == group]
        (shared,) = {backbone[j] for j in members}
        rows.append(
            [float(j in members) - float(shared >= 0 and j == models + shared) for j in range(models + backbones)]
        )
        right.append(0.0 if shared >= 0 else 1.0)
    best = linprog([*-np.array(worth), *[0.0] * backbones], A_ub=rows, b_ub=right, bounds=(0, 1))
    assert best.fun is not None
    return -best.fun
