"""The search over one server and its clients at a price of the cloud's computing (ours)."""

from __future__ import annotations

import numpy as np

from splitshare.onloading.arrays import Floats, Ints
from splitshare.onloading.decomposed.filled import solve_filled
from splitshare.onloading.decomposed.fillings import fillings, judged
from splitshare.onloading.decomposed.gains import Gains, kernel
from splitshare.onloading.decomposed.program import Basis, copy, kept_of, restore

LEAST_STEP = 1 + 1e-7
"""Factor by which a change must be better."""

SERVER_TRIALS = 3
"""How many times as many fillings are tried of a server as of a client."""


@kernel
def _worths(gains: Gains, server: int, held: Ints, cloud_price: float, price: Floats, skip: int) -> Floats:
    """What each row of a server is worth at prices without the location ``skip`` (-1: with all), shape (rows,)."""
    first, last = gains.server_rows[server]
    rows, clients, models = last - first, len(gains.client_limit), len(gains.memory)
    tail = rows + 2 * (gains.slot[last - 1] + 1)
    here = held[clients + server]
    best = np.zeros(rows)
    for r in range(first, last):
        c = gains.row_client[r]
        own = rows + 2 * gains.slot[r]
        link = price[own + 1] * gains.sent[r] / gains.uplink[c]
        beyond = link + price[tail + 1] * gains.sent[r] / gains.backhaul[server]
        worth = 0.0
        for j in range(models):
            worth = max(worth, gains.cloud[r, j] - cloud_price * gains.cloud_use[r, j] - beyond)
            if skip != c and held[c, j] >= 0:
                worth = max(worth, gains.client[r, j] - price[own] * gains.client_use[r, j] / gains.client_limit[c])
            if skip != clients + server and here[j] >= 0:
                b = here[j]
                used = price[tail] * gains.edge_use[r, b, j] / gains.server_limit[server]
                worth = max(worth, gains.edge[r, b, j] - used - link)
        best[r - first] = worth
    return best


@kernel
def _offers(gains: Gains, server: int, location: int, price: Floats) -> tuple[Floats, Floats, float]:
    """What a location's models offer its rows less links, the share of computing they take, and its price."""
    first, last = gains.server_rows[server]
    rows, clients, models = last - first, len(gains.client_limit), len(gains.memory)
    tail = rows + 2 * (gains.slot[last - 1] + 1)
    if location < clients:
        low, high = gains.client_rows[location]
        gross, used = np.empty((high - low, 1, models)), np.empty((high - low, 1, models))
        for r in range(low, high):
            for j in range(models):
                gross[r - low, 0, j] = gains.client[r, j]
                used[r - low, 0, j] = gains.client_use[r, j] / gains.client_limit[location]
        return gross, used, price[rows + 2 * gains.slot[low]]
    batches = len(gains.least)
    gross, used = np.empty((rows, batches, models)), np.empty((rows, batches, models))
    for r in range(first, last):
        link = price[rows + 2 * gains.slot[r] + 1] * gains.sent[r] / gains.uplink[gains.row_client[r]]
        for b in range(batches):
            for j in range(models):
                gross[r - first, b, j] = gains.edge[r, b, j] - link
                used[r - first, b, j] = gains.edge_use[r, b, j] / gains.server_limit[server]
    return gross, used, price[tail]


@kernel
def _span(gains: Gains, server: int, location: int) -> tuple[int, int]:
    """Rows of a location, among its server's."""
    first, last = gains.server_rows[server]
    if location < len(gains.client_limit):
        return gains.client_rows[location, 0] - first, gains.client_rows[location, 1] - first
    return 0, last - first


@kernel
def _locations(gains: Gains, server: int) -> Ints:
    """The server, then its clients that ask."""
    first, last = gains.server_rows[server]
    found = np.empty(last - first + 1, dtype=np.int64)
    found[0] = len(gains.client_limit) + server
    n = 1
    for r in range(first, last):
        if n == 1 or found[n - 1] != gains.row_client[r]:
            found[n] = gains.row_client[r]
            n += 1
    return found[:n]


@kernel
def _best(worth: Floats) -> int:
    leader = 0
    for k in range(len(worth)):
        if worth[k] > worth[leader]:
            leader = k
    return leader


@kernel
def greedily(gains: Gains, server: int, held: Ints, cloud_price: float, price: Floats, passes: int) -> None:
    """Fill one location after another in the way that is judged best at ``price``; ``held`` is changed in place."""
    clients = len(gains.client_limit)
    for _ in range(passes):
        changed = False
        for location in _locations(gains, server):
            low, high = _span(gains, server, location)
            base = _worths(gains, server, held, cloud_price, price, location)[low:high]
            gross, used, own = _offers(gains, server, location, price)
            capacity = gains.client_memory[location] if location < clients else gains.server_memory[location - clients]
            first = gains.server_rows[server, 0]
            rate = gains.rate[first + low : first + high]
            found, worth = fillings(gross, used, base, rate, gains.least, gains.sizes, capacity, own, held[location])
            if not len(found):
                continue
            present = judged(gross, used, base, own if own > 0.0 else base.sum() / 4, held[location])
            k = _best(worth)
            if worth[k] > present * LEAST_STEP:
                copy(held[location], found[k])
                changed = True
        if not changed:
            return


# Long: one loop of turns, each from the prices that the last left.
@kernel
def refine(
    gains: Gains,
    server: int,
    held: Ints,
    cloud_price: float,
    state: Basis,
    trials: int,
    sweeps: int,
    most: Floats,
) -> tuple[float, float, int]:
    """Refill one location after another while the program says that it gains; ``held`` is changed in place.

    Args:
        gains: the instance.
        server: which.
        held: batch size by location and model, shape (C + S, J).
        cloud_price: right answers that a second of the cloud's computing costs.
        state: of the server's program.
        trials: fillings that are tried in a client's turn.
        sweeps: turns of each location at most.
        most: right answers a second of each row's best answer, shape (R,): a decision that gives all is not refilled.

    Returns:
        Right answers a second less the cloud's price, seconds of the cloud's computing a second, programs solved.
    """
    clients = len(gains.client_limit)
    value, cloud = solve_filled(gains, server, held, cloud_price, state, -np.inf)
    solved = 1
    locations = _locations(gains, server)
    since = 0
    first, last = gains.server_rows[server]
    ceiling = most[first:last].sum()
    for turn in range(sweeps * len(locations)):
        if since >= len(locations) or value * LEAST_STEP >= ceiling:
            break
        location = locations[turn % len(locations)]
        since += 1
        low, high = _span(gains, server, location)
        base = _worths(gains, server, held, cloud_price, state.price, location)[low:high]
        gross, used, own = _offers(gains, server, location, state.price)
        capacity = gains.client_memory[location] if location < clients else gains.server_memory[location - clients]
        rate = gains.rate[first + low : first + high]
        found, worth = fillings(gross, used, base, rate, gains.least, gains.sizes, capacity, own, held[location])
        if not len(found):
            continue
        present = judged(gross, used, base, own if own > 0.0 else base.sum() / 4, held[location])
        for _ in range(trials if location < clients else SERVER_TRIALS * trials):
            k = _best(worth)
            if worth[k] <= present + (LEAST_STEP - 1) * value:
                break
            worth[k] = -np.inf
            before, before_server = held[location].copy(), held[clients + server].copy()
            kept = kept_of(state)
            copy(held[location], found[k])
            other, other_cloud = solve_filled(gains, server, held, cloud_price, state, value * LEAST_STEP)
            solved += 1
            if other > value * LEAST_STEP:
                value, cloud, since = other, other_cloud, 0
                break
            copy(held[clients + server], before_server)
            copy(held[location], before)
            restore(state, kept)
    return value, cloud, solved
