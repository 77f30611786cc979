"""The bound of a small instance: all prices and the cloud's are lowered in one descent, towards a decision (ours).

The steps are those of ``dual``, over the prices of all servers and of the cloud at once. How far a step aims is told by
the decision that is known: it can go no lower than that. It ends where bound and decision meet, or where steps bring
little.
"""

from __future__ import annotations

import numpy as np

from splitshare.onloading.arrays import Floats
from splitshare.onloading.decomposed.dual import (
    FILL_SCALE,
    LEAST_STEP,
    SMOOTH,
    Fixed,
    bound_at,
    fills_of,
    reprice,
    room_for,
)
from splitshare.onloading.decomposed.gains import Gains, kernel
from splitshare.onloading.decomposed.steps import blend, keep, length_of, move
from splitshare.onloading.decomposed.work import Work

START = 0.5
"""Share of its best answer that a row is priced at first."""
CLOUD_SCALE = 0.3
"""Scale of the price of the cloud's computing, as a share of all queries a second."""
AIM = 0.5
"""How far below the bound steps aim at first, as a share of its distance from the decision."""
PATIENCE, RUN = 4, 2
"""Steps without a better bound after which steps are shortened, and better ones after which they are lengthened."""
SHORTER, LONGER = 0.7, 1.2
"""Factors on the aim, which is 1 at most."""


# Long: one loop of steps over prices of three kinds.
@kernel
def descend_jointly(  # noqa: PLR0912, PLR0913, PLR0915, PLR0917 - flat arrays are what compiles
    gains: Gains,
    work: Work,
    most: Floats,
    limit: float,
    cloud_price: float,
    right: float,
    enough: float,
    window: int,
    windows: int,
    stall: float,
) -> tuple[float, float, int]:
    """Lower the bound; the best prices are left in ``work``.

    Args:
        gains: the instance.
        work: its prices and their means are written.
        most: right answers a second of each row's best answer, shape (R,).
        limit: seconds of the cloud's computing a second.
        cloud_price: right answers that one of these costs at first.
        right: right answers a second of the decision.
        enough: relative distance of bound and decision at which it ends.
        window: steps between looks at what they brought.
        windows: looks at most.
        stall: relative gain of the steps since the last look below which it ends.

    Returns:
        The bound, right answers a second; the cloud's price at it; steps.
    """
    servers = len(work.servers)
    fills = np.zeros(work.fill.shape, dtype=np.bool_)
    fill_scale, demand = np.zeros(work.fill.shape), 0.0
    for s in range(servers):
        server = work.servers[s]
        first, last = gains.server_rows[server]
        demand += gains.server_rate[server]
        fills_of(gains, server, fills[s])
        fill_scale[s] = FILL_SCALE * gains.server_rate[server]
        for r in range(first, last):
            work.price[work.start[s] + r - first] = START * most[r]
    # Prices of batches that must fill, flat.
    fill, fill_mean, fill_scales = work.fill.ravel(), work.fill_mean.ravel(), fill_scale.ravel()
    price, trial, slope = work.price, work.price.copy(), np.zeros(len(work.price))
    fill_trial, fill_slope = work.fill.copy(), np.zeros(work.fill.shape)
    cloud, cloud_use = np.zeros(len(most)), np.zeros(len(most))
    cloud_scale = CLOUD_SCALE * demand
    cloud_trial, cloud_mean = cloud_price, 0.0
    room = room_for(gains)
    best = looked = np.inf
    aim, weight = AIM, 1.0  # the first step has no mean to go on from
    worse = better = steps = 0
    while True:
        bound, used = cloud_trial * limit, 0.0
        for s in range(servers):
            server, low, high = work.servers[s], work.start[s], work.start[s + 1]
            first, last = gains.server_rows[server]
            fixed = Fixed(cloud[first:last], cloud_use[first:last], fills[s])
            reprice(gains, server, cloud_trial, fixed)
            own, seconds = bound_at(
                gains, server, fixed, trial[low:high], fill_trial[s], slope[low:high], fill_slope[s], room
            )
            bound += own
            used += seconds
        blend(work.mean, slope, weight)
        blend(fill_mean, fill_slope.ravel(), weight)
        if limit > 0.0:
            cloud_mean += weight * (1.0 - used / limit - cloud_mean)
        weight = SMOOTH
        if bound < best:
            if bound < best * (1 - LEAST_STEP):
                worse = 0
            best, cloud_price = bound, cloud_trial
            keep(price, trial)
            keep(fill, fill_trial.ravel())
            better += 1
            if better >= RUN:
                aim, better = min(aim * LONGER, 1.0), 0
        else:
            worse += 1
            if worse >= PATIENCE:
                aim, worse = aim * SHORTER, 0
        if best <= right * (1 + enough):
            break
        if steps % window == 0:
            if looked - best <= stall * best or steps >= window * windows:
                break
            looked = best
        norm = length_of(work.mean, price, work.scale) + length_of(fill_mean, fill, fill_scales)
        if cloud_mean < 0.0 or cloud_price > 0.0:
            norm += cloud_scale * cloud_mean * cloud_mean
        if norm <= 0.0:
            break
        step = aim * (best - right) / norm
        move(trial, price, work.mean, work.scale, step)
        move(fill_trial.ravel(), fill, fill_mean, fill_scales, step)
        if limit > 0.0:
            cloud_trial = max(0.0, cloud_price - step * cloud_scale * cloud_mean / limit)
        steps += 1
    return best, cloud_price, steps
