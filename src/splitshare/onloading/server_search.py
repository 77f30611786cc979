"""Other fillings of one server, each judged with a computing price of its own: the moves of J3O's last stage (ours).

At the prices of the offloading program any set of models at a server is worth at most what the Lagrangian says, but a
set of larger models makes the server's computing dearer, and then is worth less. So a filling is judged by the least
that it is worth over a grid of prices of that server's computing, all other prices as they are. That is still an upper
bound on what the program would give, so a filling that does not look better is not.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from splitshare.compilation import compiled
from splitshare.onloading.arrays import Floats, Ints
from splitshare.onloading.filling import fill
from splitshare.onloading.greedy import LEAST_GAIN, Knapsacks, gain_of, needs_of, rows_worth, take, values_of
from splitshare.onloading.lagrangian import values_at
from splitshare.onloading.lp import OffloadingLp

PRICE_FACTORS = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0, 1.25, 1.6, 2.0, 3.0, 5.0)
"""Factors on a reference price of the server's computing."""


@compiled
def _trials(gross: Floats, used: Floats, base: Floats, prices: Floats, sacks: Knapsacks, location: int) -> Ints:
    """Fillings of one server: at each price by gain per byte after each first model; shape (trials, models).

    Args:
        gross: worth of the server's rows by model and batch size at a computing price of 0, shape (rows, J, B).
        used: seconds of computing of the same, shape (rows, J, B).
        base: worth of the rows without the server, shape (rows,).
        prices: of the server's computing, shape (prices,).
        sacks: locations and models.
        location: the server's number among them.
    """
    capacity = sacks.capacity[location]
    first, last = sacks.rows[location]
    rate = sacks.rate[first:last]
    models, batches = gross.shape[1], gross.shape[2]
    trials = np.full((len(prices) * models, models), -1, dtype=np.int64)
    needs = needs_of(sacks, trials[0])
    number = 0
    for price in prices:
        value = np.maximum(gross - price * used, 0.0)
        for start in range(models):
            if needs[start] > capacity:
                continue
            leader, leader_gain = -1, LEAST_GAIN
            for batch in range(batches):
                gain = gain_of(value, base, start, batch, rate, sacks.least[batch])
                if gain > leader_gain:
                    leader, leader_gain = batch, gain
            if leader < 0:
                continue
            best = base.copy()
            trials[number, start] = leader
            take(value, best, start, leader)
            fill(value, base, best, sacks, rate, capacity - needs[start], trials[number])
            number += 1
    return trials[:number]


@compiled
def _worth(gross: Floats, used: Floats, base: Floats, prices: Floats, limit: float, held: Ints) -> float:
    """The least that a filling is worth over the prices, the server's computing included."""
    least = np.inf
    for price in prices:
        total = price * limit
        for r in range(len(base)):
            best = base[r]
            for model in range(len(held)):
                if held[model] >= 0:
                    best = max(best, gross[r, model, held[model]] - price * used[r, model, held[model]])
            total += best
        least = min(least, total)
    return least


def better_fillings(
    program: OffloadingLp, sacks: Knapsacks, prices: Floats, held: Ints, server: int, most: int
) -> Iterator[Ints]:
    """Fillings of ``server`` that may be better than the present one, the most promising first.

    Args:
        program: the offloading program.
        sacks: its instance's locations.
        prices: of the offloading program for ``held``, shape (limits,).
        held: present models of all locations.
        server: whose filling.
        most: how many.
    """
    arrays, limits = program.arrays, program.limits
    position = limits.server + server
    present = prices[position]
    free = prices.copy()
    free[position] = 0.0
    values = values_at(arrays, limits, free, program.places)
    without = held.copy()
    location = sacks.clients + server
    without[location] = -1
    first, last = sacks.rows[location]
    if first == last:
        return
    base = rows_worth(values, sacks, without)[first:last]
    gross = values_of(values, sacks, location)
    seconds = np.where(np.isfinite(arrays.edge_s[server]), arrays.edge_s[server], 0.0)
    used = arrays.rate[first:last, None, None] * seconds
    limit = float(arrays.server_limit[server])
    # Where the server's computing is free at present, its price scale is what it would earn fully used.
    scale = present if present > 0 else float(base.sum()) / limit / 4
    grid = np.array(sorted({factor * scale for factor in PRICE_FACTORS} | {present}))
    trials = np.unique(_trials(gross, used, base, grid, sacks, location), axis=0)
    now = _worth(gross, used, base, grid, limit, held[location])
    scores = np.array([_worth(gross, used, base, grid, limit, trial) for trial in trials])
    for k in np.argsort(-scores, kind="stable")[:most]:
        if scores[k] > now * (1 + 1e-7):
            yield trials[k]
