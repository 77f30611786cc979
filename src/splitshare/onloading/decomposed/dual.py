"""The bound of one server and its clients at a price of the cloud's computing, and the prices that prove it.

With a price on every row and every limit, which models stand at a location is a knapsack of its own: a model is worth
what it answers beyond the rows' prices. The sum of all prices and of these knapsacks (``knapsack``: as if models could
be cut) bounds every decision of the server, at any prices. It is lowered by steps along a running mean of subgradients
(the volume algorithm, Barahona and Anbil 2000), each price in a scale of its own. At the best prices it is at most the
bound of the linear relaxation. Prices are of whole limits, in right answers a second.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from splitshare.compilation import compiled_in_place
from splitshare.onloading.arrays import Flags, Floats, Ints
from splitshare.onloading.decomposed.gains import Gains, kernel
from splitshare.onloading.decomposed.knapsack import Items, by_the_byte, items_for, relaxed
from splitshare.onloading.decomposed.steps import blend, keep, length_of, move

SMOOTH = 0.1
"""Weight of the last subgradient in the running mean."""
CLIENT_SCALE, SERVER_SCALE, FILL_SCALE = 1.0, 1.0, 0.02
"""Scales of prices of clients' and servers' limits and of full batches, as shares of the queries a second there."""
PATIENCE = 15
"""Steps without a better bound after which steps are shortened."""
FIRST_AIM = 0.05
"""How far below the first bound steps aim, as a share."""
SHORTER, LONGER, LONGEST = 0.6, 1.1, 0.1
"""Factors on the step, and the most that it aims below the bound, as a share."""
LEAST_STEP = 1e-7
"""Relative gain of a step that counts as one."""


class Fixed(NamedTuple):
    """What does not depend on a server's own prices."""

    cloud: Floats
    """What the best answer in the cloud gives each row at the price of the cloud's computing, shape (rows,)."""
    cloud_use: Floats
    """Seconds of the cloud's computing a second that it takes."""
    fills: Flags
    """Whether enough queries could come to fill a model's batches, shape (B, J)."""


class Room(NamedTuple):
    """Room for what the bound works with: worth and share of models, worth by batch size, and the best of these."""

    value: Floats
    share: Floats
    worth: Floats
    batch_of: Ints
    items: Items


@kernel
def room_for(gains: Gains) -> Room:
    """Room for an instance's models."""
    models, batches = len(gains.memory), len(gains.least)
    return Room(
        np.empty(models),
        np.empty(models),
        np.empty((batches, models)),
        np.empty(models, dtype=np.int64),
        items_for(gains.sizes),
    )


@kernel
def fixed_at(gains: Gains, server: int, cloud_price: float) -> Fixed:
    """What does not depend on the server's own prices, at a price of the cloud's computing."""
    first, last = gains.server_rows[server]
    fixed = Fixed(
        np.empty(last - first),
        np.empty(last - first),
        np.empty((len(gains.least), len(gains.memory)), dtype=np.bool_),
    )
    fills_of(gains, server, fixed.fills)
    reprice(gains, server, cloud_price, fixed)
    return fixed


@compiled_in_place
def reprice(gains: Gains, server: int, cloud_price: float, fixed: Fixed) -> None:
    """Write what rows' best answers in the cloud give and take at a price of the cloud's computing into ``fixed``."""
    first, last = gains.server_rows[server]
    for r in range(first, last):
        fixed.cloud[r - first] = fixed.cloud_use[r - first] = 0.0
        for j in range(len(gains.memory)):
            worth = gains.cloud[r, j] - cloud_price * gains.cloud_use[r, j]
            if worth > fixed.cloud[r - first]:
                fixed.cloud[r - first], fixed.cloud_use[r - first] = worth, gains.cloud_use[r, j]


@compiled_in_place
def fills_of(gains: Gains, server: int, fills: Flags) -> None:
    """Write whether enough queries could come to fill a model's batches, shape (B, J)."""
    first, last = gains.server_rows[server]
    for b in range(len(gains.least)):
        for j in range(len(gains.memory)):
            comes = 0.0
            for r in range(first, last):
                if gains.edge[r, b, j] > 0.0:
                    comes += gains.rate[r]
            fills[b, j] = comes >= gains.least[b]


# Long: rows, clients and the server in one pass over the gains, and the subgradient with it.
@compiled_in_place
def bound_at(  # noqa: PLR0912, PLR0915 - one pass over the gains is what is fast
    gains: Gains, server: int, fixed: Fixed, price: Floats, fill: Floats, slope: Floats, fill_slope: Floats, room: Room
) -> tuple[float, float]:
    """The bound at prices, and its subgradient.

    Args:
        gains: the instance.
        server: which.
        fixed: of the server at the cloud's price.
        price: of its rows, then computing and uplink of each client, computing and backhaul, shape (height,).
        fill: price of full batches, shape (B, J).
        slope: the subgradient by ``price``, in shares of limits that are free: written.
        fill_slope: the same by ``fill``.
        room: to work in; what it holds is of no meaning.

    Returns:
        Right answers a second less the cloud's price; seconds of the cloud's computing a second.
    """
    first, last = gains.server_rows[server]
    models, batches = len(gains.memory), len(gains.least)
    rows, height = last - first, len(price)
    value, share, worth, batch_of, items = room
    for b in range(batches):
        for j in range(models):
            worth[b, j] = 0.0
    total = cloud = 0.0
    plain = not len(gains.sizes.variants) and not len(gains.sizes.backbone_memory)
    for i in range(height):
        slope[i] = 1.0
        total += price[i]
    for b in range(batches):
        for j in range(models):
            fill_slope[b, j] = 0.0
    computing, backhaul = price[height - 2] / gains.server_limit[server], price[height - 1] / gains.backhaul[server]
    low, own = first, rows
    while low < last:
        c = gains.row_client[low]
        high = gains.client_rows[c, 1]
        seconds, link = price[own] / gains.client_limit[c], price[own + 1] / gains.uplink[c]
        for j in range(models):
            value[j] = 0.0
        for r in range(low, high):
            row = price[r - first]
            beyond = fixed.cloud[r - first] - row - gains.sent[r] * (link + backhaul)
            if beyond > 0.0:
                total += beyond
                slope[r - first] -= 1.0
                slope[own + 1] -= gains.sent[r] / gains.uplink[c]
                slope[height - 1] -= gains.sent[r] / gains.backhaul[server]
                cloud += fixed.cloud_use[r - first]
            for k in range(gains.client_models.shape[1]):
                j = gains.client_models[r, k]
                if j < 0:
                    break
                value[j] += max(0.0, gains.client[r, j] - seconds * gains.client_use[r, j] - row)
            floor = row + gains.sent[r] * link
            for j in range(models):
                worth[0, j] += max(0.0, gains.edge[r, 0, j] - computing * gains.edge_use[r, 0, j] - floor)
            for b in range(1, batches):
                each = gains.rate[r] / gains.least[b]
                for j in range(models):
                    filling = fill[b, j] * each
                    worth[b, j] += max(0.0, gains.edge[r, b, j] - computing * gains.edge_use[r, b, j] - floor + filling)
        if plain:
            total += by_the_byte(value, gains.memory, gains.client_memory[c], share)
        else:
            total += relaxed(value, gains.sizes, gains.client_memory[c], share, items)
        for j in range(models):
            if share[j] > 0.0:
                for r in range(low, high):
                    if gains.client[r, j] - seconds * gains.client_use[r, j] - price[r - first] > 0.0:
                        slope[r - first] -= share[j]
                        slope[own] -= share[j] * gains.client_use[r, j] / gains.client_limit[c]
        low = high
        own += 2
    for j in range(models):
        value[j], batch_of[j] = worth[0, j], 0
    for b in range(1, batches):
        for j in range(models):
            if fixed.fills[b, j] and worth[b, j] - fill[b, j] > value[j]:
                value[j], batch_of[j] = worth[b, j] - fill[b, j], b
    if plain:
        total += by_the_byte(value, gains.memory, gains.server_memory[server], share)
    else:
        total += relaxed(value, gains.sizes, gains.server_memory[server], share, items)
    for j in range(models):
        if share[j] > 0.0:
            b = batch_of[j]
            own, client = rows - 2, -1
            if b > 0:
                fill_slope[b, j] = -share[j]
            for r in range(first, last):
                c = gains.row_client[r]
                if c != client:
                    own, client = own + 2, c
                each = gains.rate[r] / gains.least[b] if b > 0 else 0.0
                gain = gains.edge[r, b, j] - computing * gains.edge_use[r, b, j] - price[r - first]
                if gain - gains.sent[r] * price[own + 1] / gains.uplink[c] + fill[b, j] * each > 0.0:
                    slope[r - first] -= share[j]
                    slope[own + 1] -= share[j] * gains.sent[r] / gains.uplink[c]
                    slope[height - 2] -= share[j] * gains.edge_use[r, b, j] / gains.server_limit[server]
                    if b > 0:
                        fill_slope[b, j] += share[j] * each
    return total, cloud


# Long: one loop of steps over prices of two kinds.
@kernel
def descend(  # noqa: PLR0913, PLR0917 - flat arrays are what compiles
    gains: Gains,
    server: int,
    cloud_price: float,
    price: Floats,
    fill: Floats,
    scale: Floats,
    mean: Floats,
    fill_mean: Floats,
    steps: int,
    aim: float,
    cloud: float,
) -> tuple[float, float, float]:
    """Lower the bound; ``price`` and ``fill`` are left at the best prices found.

    Args:
        gains: the instance.
        server: which.
        cloud_price: right answers that a second of the cloud's computing costs.
        price: see ``bound_at``; changed in place.
        fill: the same.
        scale: of each of ``price``.
        mean: running mean of the subgradients; changed in place.
        fill_mean: the same of ``fill``.
        steps: how many.
        aim: how far below the bound a step aims, as a share; ``FIRST_AIM`` where these are the first.
        cloud: running mean of the cloud's computing that the answers use, seconds a second.

    Returns:
        The bound, the mean of the cloud's computing, and the aim of the next step.
    """
    slope, fill_slope = np.zeros(len(price)), np.zeros(fill.shape)
    fixed = fixed_at(gains, server, cloud_price)
    room = room_for(gains)
    best, used = bound_at(gains, server, fixed, price, fill, slope, fill_slope, room)
    # The first steps have no mean to go on from.
    weight = 1.0 if aim == FIRST_AIM else SMOOTH
    cloud += weight * (used - cloud)
    trial, fill_trial = price.copy(), fill.copy()
    fill_scale = np.full(fill.size, FILL_SCALE * gains.server_rate[server])
    flat, flat_mean = fill.ravel(), fill_mean.ravel()
    blend(mean, slope, weight)
    blend(flat_mean, fill_slope.ravel(), weight)
    worse = better = 0
    for _ in range(steps):
        norm = length_of(mean, price, scale) + length_of(flat_mean, flat, fill_scale)
        if norm <= 0.0:
            break
        step = aim * best / norm
        move(trial, price, mean, scale, step)
        move(fill_trial.ravel(), flat, flat_mean, fill_scale, step)
        bound, used = bound_at(gains, server, fixed, trial, fill_trial, slope, fill_slope, room)
        blend(mean, slope, SMOOTH)
        blend(flat_mean, fill_slope.ravel(), SMOOTH)
        cloud += SMOOTH * (used - cloud)
        if bound < best:
            if bound < best * (1 - LEAST_STEP):
                worse = 0
            best = bound
            keep(price, trial)
            keep(flat, fill_trial.ravel())
            better += 1
            if better >= 2:
                aim, better = min(aim * LONGER, LONGEST), 0
        else:
            worse += 1
            if worse >= PATIENCE:
                aim, worse = aim * SHORTER, 0
    return best, cloud, aim
