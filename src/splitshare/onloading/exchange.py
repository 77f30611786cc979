"""Looking further: exchanges of a location's models, and other starts, judged by the offloading program (ours).

At the prices of the offloading program for some models, no other models are worth more to it than the Lagrangian says.
So an exchange that does not gain there cannot gain (where batches must fill: is not likely to), and is not tried; the
rest are tried in the order of what they could gain.
"""

from __future__ import annotations

import numpy as np

from splitshare.compilation import compiled
from splitshare.onloading.arrays import Floats, Ints
from splitshare.onloading.filling import fill, kept
from splitshare.onloading.greedy import (
    LEAST_GAIN,
    Knapsacks,
    Values,
    gain_of,
    needs_of,
    rows_worth,
    take,
    used_by,
    values_of,
)
from splitshare.onloading.objective import Hosts
from splitshare.onloading.variants import sibling_of

LEAST_STEP = 1e-7
"""Relative gain that an exchange must bring to be tried."""


# Long: what goes, what comes in its place, and at which batch size, one loop in the other.
@compiled
def exchanges(  # noqa: PLR0912 - plain loops are what compiles soon
    value: Floats, base: Floats, sacks: Knapsacks, location: int, held: Ints
) -> tuple[Ints, Floats]:
    """Every exchange of at most one model of a location for another, what is left filled by gain per byte.

    A backbone with all models that use it can be what is exchanged, too. A variant that comes takes the place of the
    one that stands there, too.

    Args:
        value: of the location's rows, shape (rows, J, B).
        base: worth of these rows without the location, shape (rows,).
        sacks: locations and models.
        location: which.
        held: what it holds, shape (J,).

    Returns:
        Fillings that gain at these values, shape (fillings, J), and how much, shape (fillings,).
    """
    capacity, sharing = sacks.capacity[location], len(sacks.backbone_memory)
    first, last = sacks.rows[location]
    rate = sacks.rate[first:last]
    models, batches = len(held), value.shape[2]
    worth = kept(value, base, held).sum()
    neighbours = np.full((((held >= 0).sum() + sharing + 1) * models * batches, models), -1, dtype=np.int64)
    gains = np.zeros(len(neighbours))
    number = 0
    for dropped in range(-1, models + sharing):
        if 0 <= dropped < models and held[dropped] < 0:
            continue
        left = held.copy()
        if dropped >= models:
            left[sacks.backbone == dropped - models] = -1
            if (left == held).all():
                continue
        elif dropped >= 0:
            left[dropped] = -1
        with_all, all_free = kept(value, base, left), capacity - used_by(sacks, left)
        all_needs = needs_of(sacks, left) if sharing else sacks.memory
        for added in range(models):
            if left[added] >= 0:
                continue
            stays, rest, free, needs = left, with_all, all_free, all_needs
            sibling = sibling_of(sacks.variant, left, added)
            if sibling >= 0:
                if dropped < 0:  # the same as dropping the sibling
                    continue
                stays = left.copy()
                stays[sibling] = -1
                rest, free, needs = kept(value, base, stays), capacity - used_by(sacks, stays), needs_of(sacks, stays)
            if needs[added] > free:
                continue
            for batch in range(batches):
                if batch == held[added]:
                    continue
                if gain_of(value, rest, added, batch, rate, sacks.least[batch]) <= LEAST_GAIN:
                    continue
                trial = neighbours[number]
                trial[:] = stays
                trial[added] = batch
                best = rest.copy()
                take(value, best, added, batch)
                fill(value, base, best, sacks, rate, free - needs[added], trial)
                gain = best.sum() - worth
                if gain > LEAST_STEP * worth + LEAST_GAIN:
                    gains[number] = gain
                    number += 1
    return neighbours[:number], gains[:number]


def exchanged(values: Values, sacks: Knapsacks, hosts: Hosts) -> list[tuple[int, Ints]]:
    """All exchanges that gain at ``values``, the most gain first: the location and what it holds then."""
    held = np.concatenate([np.where(hosts.client, 0, -1), hosts.server])
    better: list[tuple[float, int, Ints]] = []
    for location, (first, last) in enumerate(sacks.rows):
        if first == last:
            continue
        without = held.copy()
        without[location] = -1
        base = rows_worth(values, sacks, without)[first:last]
        value = values_of(values, sacks, location)
        fillings, gains = exchanges(value, base, sacks, location, held[location])
        better += [(float(gain), location, filling) for filling, gain in zip(fillings, gains, strict=True)]
    better.sort(key=lambda item: -item[0])
    return [(location, filling) for _, location, filling in better]
