"""Other fillings of one location, judged at prices: what the search over a server's locations tries (ours)."""

from __future__ import annotations

import numpy as np

from splitshare.onloading.arrays import Floats, Ints
from splitshare.onloading.decomposed.gains import Sizes, kernel
from splitshare.onloading.filling import LEAST_STEP
from splitshare.onloading.greedy import LEAST_GAIN
from splitshare.onloading.variants import sibling_of

FACTORS = (0.0, 0.4, 0.7, 1.0, 1.4, 2.0, 4.0)
"""Factors on a location's computing price at which a filling is judged: it is worth no more than the least of them."""
STARTS = (0.7, 1.0, 1.6)
"""Factors at which locations are filled from nothing."""
EXCHANGED = 6
"""Models that are tried in the place of one."""


@kernel
def _add(value: Floats, best: Floats, batch: int, model: int) -> None:
    for r in range(len(best)):
        best[r] = max(best[r], value[r, batch, model])


@kernel
def additions(  # noqa: PLR0912 - plain loops are what compiles soon
    value: Floats, best: Floats, rate: Floats, least: Floats, gain: Floats, batch_of: Ints
) -> None:
    """What each model adds to rows that are worth ``best``, with its best batch size; writes the last two.

    Args:
        value: shape (rows, B, J).
        best: shape (rows,).
        rate: queries a second, shape (rows,).
        least: queries a second that fill batches, shape (B,).
        gain: shape (J,).
        batch_of: shape (J,).
    """
    models = value.shape[2]
    for j in range(models):
        gain[j], batch_of[j] = 0.0, 0
    for b in range(value.shape[1]):
        adds = np.zeros(models)
        if least[b] > 0.0:
            comes = np.zeros(models)
            for r in range(len(best)):
                for j in range(models):
                    if value[r, b, j] > best[r]:
                        adds[j] += value[r, b, j] - best[r]
                        comes[j] += rate[r]
            for j in range(models):
                if comes[j] < least[b]:
                    adds[j] = 0.0
        else:
            for r in range(len(best)):
                for j in range(models):
                    adds[j] += max(0.0, value[r, b, j] - best[r])
        for j in range(models):
            if adds[j] > gain[j]:
                gain[j], batch_of[j] = adds[j], b


@kernel
def need_of(sizes: Sizes, held: Ints, model: int) -> float:
    """Bytes that a model takes beside what is held: its own, and its backbone's unless another has it loaded."""
    need = float(sizes.memory[model])
    backbone = sizes.backbone[model]
    if backbone < 0:
        return need
    for j in range(len(held)):
        if j != model and held[j] >= 0 and sizes.backbone[j] == backbone:
            return need
    return need + float(sizes.backbone_memory[backbone])


@kernel
def used_by(sizes: Sizes, held: Ints) -> float:
    """Bytes of what is held, each backbone once."""
    so_far = np.full(len(held), -1, dtype=np.int64)
    used = 0.0
    for j in range(len(held)):
        if held[j] >= 0:
            used += need_of(sizes, so_far, j)
            so_far[j] = 0
    return used


@kernel
def _kept(value: Floats, base: Floats, held: Ints) -> Floats:
    """What rows that are worth ``base`` without a location are worth with what it holds, shape (rows,)."""
    best = base.copy()
    for j in range(len(held)):
        if held[j] >= 0:
            _add(value, best, held[j], j)
    return best


@kernel
def _leading_variant(  # noqa: PLR0913, PLR0917 - flat arrays are what compiles
    value: Floats,
    base: Floats,
    best: Floats,
    rate: Floats,
    least: Floats,
    sizes: Sizes,
    free: float,
    held: Ints,
    density: float,
) -> tuple[int, int, int, float]:
    """The exchange of a held variant for another that gains most per byte that it takes more, if over ``density``.

    Returns:
        The variant that goes, the one that comes (-1: none), its batch size, and the bytes that it takes more.
    """
    models = len(held)
    gain = np.empty(models)
    batch_of = np.empty(models, dtype=np.int64)
    leaving, leader, batch, taken = -1, -1, 0, 0.0
    now, used = best.sum(), used_by(sizes, held)
    for dropped in range(models):
        if held[dropped] < 0 or sizes.variant[dropped] < 0:
            continue
        left = held.copy()
        left[dropped] = -1
        rest = _kept(value, base, left)
        worth, room = rest.sum(), free + used - used_by(sizes, left)
        additions(value, rest, rate, least, gain, batch_of)
        for j in range(models):
            if j == dropped or sizes.variant[j] != sizes.variant[dropped]:
                continue
            need, more = need_of(sizes, left, j), worth + gain[j] - now
            if need > room or more <= LEAST_STEP * now + LEAST_GAIN:
                continue
            ratio = more / (need - room + free) if need > room - free else np.inf
            if ratio > density:
                leaving, leader, batch, taken, density = dropped, j, batch_of[j], need - room + free, ratio
    return leaving, leader, batch, taken


@kernel
def fill_up(
    value: Floats, base: Floats, best: Floats, rate: Floats, least: Floats, sizes: Sizes, free: float, held: Ints
) -> None:
    """Add models by gain per byte while they fit, or exchange a variant for another by what it gains for more bytes.

    Args:
        value: shape (rows, B, J).
        base: worth of the rows without the location, shape (rows,).
        best: what they are worth with ``held``; changed in place.
        rate: see ``additions``.
        least: see there.
        sizes: bytes of models.
        free: bytes that are left.
        held: batch size by model; changed in place.
    """
    models = len(held)
    gain = np.empty(models)
    batch_of = np.empty(models, dtype=np.int64)
    while True:
        smallest = np.inf
        for j in range(models):
            if held[j] < 0:
                smallest = min(smallest, sizes.memory[j])
        if smallest > free and not len(sizes.variants):
            return
        additions(value, best, rate, least, gain, batch_of)
        leader, density, taken = -1, 0.0, 0.0
        for j in range(models):
            if held[j] < 0 and gain[j] > LEAST_GAIN and sibling_of(sizes.variant, held, j) < 0:
                need = need_of(sizes, held, j)
                if need <= free and gain[j] / need > density:
                    leader, density, taken = j, gain[j] / need, need
        if len(sizes.variants):
            dropped, added, batch, more = _leading_variant(value, base, best, rate, least, sizes, free, held, density)
            if added >= 0:
                held[dropped], held[added] = -1, batch
                free -= more
                best[:] = _kept(value, base, held)
                continue
        if leader < 0:
            return
        held[leader] = batch_of[leader]
        free -= taken
        _add(value, best, batch_of[leader], leader)


@kernel
def judged(gross: Floats, used: Floats, base: Floats, price: float, held: Ints) -> float:
    """The least that a filling is worth over factors on the price of the location's computing.

    Args:
        gross: right answers a second less links, shape (rows, B, J).
        used: share of the location's computing, shape (rows, B, J).
        base: worth of the rows without the location, shape (rows,).
        price: of all of its computing.
        held: batch size by model, shape (J,).
    """
    least = np.inf
    for factor in FACTORS:
        total = factor * price
        for r in range(len(base)):
            best = base[r]
            for j in range(len(held)):
                if held[j] >= 0:
                    best = max(best, gross[r, held[j], j] - factor * price * used[r, held[j], j])
            total += best
        least = min(least, total)
    return least


@kernel
def at_price(gross: Floats, used: Floats, price: float) -> Floats:
    """Worth of answers at a price of all of the location's computing, at least 0, shape (rows, B, J)."""
    rows, batches, models = gross.shape
    value = np.empty((rows, batches, models))
    for r in range(rows):
        for b in range(batches):
            for j in range(models):
                value[r, b, j] = max(gross[r, b, j] - price * used[r, b, j], 0.0)
    return value


@kernel
def _promising(gain: Floats, memory: Floats, capacity: float) -> Ints:
    """The models that fit with the highest gains, and those with the most gain per byte."""
    chosen = np.zeros(len(gain), dtype=np.int64)
    found = np.empty(2 * EXCHANGED, dtype=np.int64)
    n = 0
    for by_byte in range(2):
        for _ in range(EXCHANGED):
            leader, most = -1, LEAST_GAIN
            for j in range(len(gain)):
                score = gain[j] / memory[j] if by_byte else gain[j]
                if chosen[j] == 0 and memory[j] <= capacity and gain[j] > LEAST_GAIN and (leader < 0 or score > most):
                    leader, most = j, score
            if leader < 0:
                break
            chosen[leader] = 1
            found[n] = leader
            n += 1
    return found[:n]


@kernel
def _comes(sizes: Sizes, left: Ints, model: int, free: float, capacity: float, dropped: int) -> bool:
    """Whether a model fits beside what is left, or where something has gone, in the place of its variant there."""
    sibling = sibling_of(sizes.variant, left, model)
    if sibling < 0:
        return bool(need_of(sizes, left, model) <= free)
    if dropped < 0:
        return False
    stays = left.copy()
    stays[sibling], stays[model] = -1, 0
    return bool(used_by(sizes, stays) <= capacity)


# Long: three ways to fill a location, one after the other.
@kernel
def fillings(  # noqa: PLR0912, PLR0913, PLR0915, PLR0917 - flat arrays are what compiles
    gross: Floats,
    used: Floats,
    base: Floats,
    rate: Floats,
    least: Floats,
    sizes: Sizes,
    capacity: float,
    price: float,
    held: Ints,
) -> tuple[Ints, Floats]:
    """Other fillings of a location and what each is judged to be worth.

    From nothing after each first model; and with one model of ``held``, or none, exchanged. A variant that comes takes
    the place of the one that stands there, too.

    Args:
        gross: see ``judged``, as are ``used``, ``base``, ``price`` and ``held`` (what stands there now).
        used: see there.
        base: see there.
        rate: of the rows.
        least: queries a second that fill batches, shape (B,).
        sizes: bytes of models.
        capacity: bytes of the location.
        price: see there.
        held: see there.
    """
    models = len(held)
    nothing = np.full(models, -1, dtype=np.int64)
    alone = np.empty(models)
    for j in range(models):
        alone[j] = need_of(sizes, nothing, j)
    reference = price if price > 0.0 else base.sum() / 4
    count = 0
    for j in range(models):
        if held[j] >= 0:
            count += 1
    found = np.full((2 * len(STARTS) * EXCHANGED + (count + 1) * (EXCHANGED + 1), models), -1, dtype=np.int64)
    n = 0
    gain = np.empty(models)
    batch_of = np.empty(models, dtype=np.int64)
    for factor in STARTS:
        value = at_price(gross, used, factor * reference)
        additions(value, base, rate, least, gain, batch_of)
        for j in _promising(gain, alone, capacity):
            best = base.copy()
            found[n, j] = batch_of[j]
            _add(value, best, batch_of[j], j)
            fill_up(value, base, best, rate, least, sizes, capacity - alone[j], found[n])
            n += 1
    value = at_price(gross, used, price)
    for dropped in range(-1, models):
        if dropped >= 0 and held[dropped] < 0:
            continue
        left = held.copy()
        if dropped >= 0:
            left[dropped] = -1
        rest = _kept(value, base, left)
        free = capacity - used_by(sizes, left)
        additions(value, rest, rate, least, gain, batch_of)
        for _ in range(EXCHANGED):
            leader = -1
            for j in range(models):
                if left[j] >= 0 or gain[j] <= LEAST_GAIN or (leader >= 0 and gain[j] <= gain[leader]):
                    continue
                if _comes(sizes, left, j, free, capacity, dropped):
                    leader = j
            if leader < 0:
                break
            gain[leader] = 0.0
            if leader == dropped and batch_of[leader] == held[dropped]:
                continue
            best, room = rest.copy(), free - need_of(sizes, left, leader)
            found[n] = left
            sibling = sibling_of(sizes.variant, left, leader)
            if sibling >= 0:
                found[n, sibling] = -1
                best = _kept(value, base, found[n])
                room = capacity - used_by(sizes, found[n]) - need_of(sizes, found[n], leader)
            found[n, leader] = batch_of[leader]
            _add(value, best, batch_of[leader], leader)
            fill_up(value, base, best, rate, least, sizes, room, found[n])
            n += 1
    worth = np.empty(n)
    for k in range(n):
        worth[k] = judged(gross, used, base, reference, found[k])
    return found[:n], worth
