import itertools

import numpy as np
import pytest

from splitshare.onloading.greedy import Knapsacks, Values, lazy_greedy, rows_worth, upper_bound
from splitshare.onloading.refilling import improve


def drawn(seed, *, batches=1):
    """Two clients with two rows each and their server, three or four models, everything random."""
    draw = np.random.default_rng(seed)
    models = 4 - (batches > 1)
    values = Values(
        draw.uniform(0, 1, (4, models, 1)) * (draw.random((4, models, 1)) < 0.7),
        draw.uniform(0, 1, (4, models, batches)) * (draw.random((4, models, batches)) < 0.7),
        draw.uniform(0, 0.4, 4),
    )
    sacks = Knapsacks(
        2,
        np.array([[0, 2], [2, 4], [0, 4]]),
        draw.integers(2, 6, 3).astype(float),
        draw.integers(1, 4, models).astype(float),
        np.full(models, -1),
        np.zeros(0),
        np.full(models, -1),
        np.ones(4),
        np.array([0.0, 2.0])[:batches],
        np.array([0, 2, 0]),
    )
    return values, sacks


def worth(values, sacks, held):
    """F, by its definition."""
    total = 0.0
    for r in range(4):
        best = values.elsewhere[r]
        for location, (first, last) in enumerate(sacks.rows):
            if first <= r < last:
                value = values.client if location < sacks.clients else values.edge
                best = max(
                    [
                        best,
                        *(value[r, j, held[location, j]] for j in range(len(sacks.memory)) if held[location, j] >= 0),
                    ]
                )
        total += best
    return total


def every_filling(sacks, batches):
    ways = []
    for location, capacity in enumerate(sacks.capacity):
        sizes = range(-1, 1 if location < sacks.clients else batches)
        choices = itertools.product(sizes, repeat=len(sacks.memory))
        ways.append([c for c in choices if sacks.memory[np.array(c) >= 0].sum() <= capacity])
    return (np.array(way) for way in itertools.product(*ways))


def plain_greedy(values, sacks):
    """Most gain per byte first, everything looked at anew each time."""
    held = np.full((3, len(sacks.memory)), -1)
    while True:
        best, chosen = 1e-12, None
        now = worth(values, sacks, held)
        for location, j in np.ndindex(*held.shape):
            used = sacks.memory[held[location] >= 0].sum()
            if held[location, j] >= 0 or used + sacks.memory[j] > sacks.capacity[location]:
                continue
            other = held.copy()
            other[location, j] = 0
            score = (worth(values, sacks, other) - now) / sacks.memory[j]
            if score > best:
                best, chosen = score, other
        if chosen is None:
            return held
        held = chosen


@pytest.mark.parametrize("seed", range(30))
def test_lazy_and_plain_greedy_agree(seed):
    values, sacks = drawn(seed)
    assert lazy_greedy(values, sacks).tolist() == plain_greedy(values, sacks).tolist()


@pytest.mark.parametrize("batches", [1, 2])
@pytest.mark.parametrize("seed", range(6))
def test_fillings_fit_improve_and_stay_below_the_bound(seed, batches):
    values, sacks = drawn(seed, batches=batches)
    held = lazy_greedy(values, sacks)
    first = worth(values, sacks, held)
    assert rows_worth(values, sacks, held).sum() == pytest.approx(first)
    bounds = [upper_bound(values, sacks, start) for start in (values.elsewhere, rows_worth(values, sacks, held))]
    improve(values, sacks, held, 5)
    better = worth(values, sacks, held)
    best = max(worth(values, sacks, way) for way in every_filling(sacks, batches))
    assert first <= better + 1e-12 <= best + 1e-9
    assert min(bounds) >= best - 1e-9
    for location, capacity in enumerate(sacks.capacity):
        assert sacks.memory[held[location] >= 0].sum() <= capacity


def test_filling_anew_reaches_the_optimum_more_often_than_greedy_alone():
    reached = np.zeros(2, dtype=int)
    for seed in range(30):
        values, sacks = drawn(seed)
        best = max(worth(values, sacks, way) for way in every_filling(sacks, 1))
        held = lazy_greedy(values, sacks)
        alone = worth(values, sacks, held)
        improve(values, sacks, held, 5)
        reached += [alone >= best - 1e-9, worth(values, sacks, held) >= best - 1e-9]
    assert reached[1] > reached[0]
    assert reached[1] >= 27
