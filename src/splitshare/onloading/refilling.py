"""Locations filled anew, one after another, with all others as they are; compiled.

By gain per byte after each choice of a first model, the best of them kept (partial enumeration, as Sviridenko 2004 has
it with three).
"""

from __future__ import annotations

import numpy as np

from splitshare.compilation import compiled
from splitshare.onloading.arrays import Floats, Ints
from splitshare.onloading.filling import fill, kept
from splitshare.onloading.greedy import LEAST_GAIN, Knapsacks, Values, gain_of, needs_of, take, values_of


@compiled
def _best_fill(value: Floats, base: Floats, sacks: Knapsacks, rate: Floats, capacity: float, held: Ints) -> bool:
    """Fill one location in the best way found, starting with each model in turn; whether ``held`` was bettered.

    Args:
        value: of the location's rows.
        base: worth of these rows without the location.
        sacks: the instance's locations and models.
        rate: of the location's rows.
        capacity: bytes of the location.
        held: what it holds now; changed in place.
    """
    models = len(held)
    needs = needs_of(sacks, np.full(models, -1, dtype=np.int64)) if len(sacks.backbone_memory) else sacks.memory
    worth = kept(value, base, held).sum()
    changed = False
    for start in range(models):
        if needs[start] > capacity:
            continue
        for batch in range(value.shape[2]):
            if gain_of(value, base, start, batch, rate, sacks.least[batch]) <= LEAST_GAIN:
                continue
            trial = np.full(models, -1, dtype=np.int64)
            trial[start] = batch
            best = base.copy()
            take(value, best, start, batch)
            fill(value, base, best, sacks, rate, capacity - needs[start], trial)
            total = best.sum()
            if total > worth * (1 + 1e-12) + LEAST_GAIN:
                worth = total
                held[:] = trial
                changed = True
    return changed


@compiled
def improve(values: Values, sacks: Knapsacks, held: Ints, passes: int) -> None:
    """Fill locations anew, one after another, until a pass over all gains nothing, at most ``passes`` times.

    Servers come before clients; ``held`` is changed in place.
    """
    locations = len(sacks.rows)
    for _ in range(passes):
        changed = False
        for location in range(locations - 1, -1, -1):
            first, last = sacks.rows[location]
            base = values.elsewhere[first:last].copy()
            for other in range(locations):
                low, high = max(first, sacks.rows[other, 0]), min(last, sacks.rows[other, 1])
                if other == location or low >= high:
                    continue
                value = values.client if other < sacks.clients else values.edge
                ahead = sacks.start[other] - sacks.rows[other, 0]
                for model in range(len(sacks.memory)):
                    if held[other, model] >= 0:
                        take(
                            value[ahead + low : ahead + high],
                            base[low - first : high - first],
                            model,
                            held[other, model],
                        )
            value = values_of(values, sacks, location)
            if _best_fill(value, base, sacks, sacks.rate[first:last], sacks.capacity[location], held[location]):
                changed = True
        if not changed:
            return
