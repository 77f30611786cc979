"""A server's program with batches that must fill in time: further rows, and batch sizes lowered where they do not."""

from __future__ import annotations

import numpy as np

from splitshare.onloading.arrays import Floats, Ints
from splitshare.onloading.decomposed.gains import Gains, kernel
from splitshare.onloading.decomposed.program import WIDTH, Basis, columns_at, copy, result_of, solve_at
from splitshare.onloading.decomposed.simplex import maximise

LOSS = 3.0
"""Accuracy of all of a server's queries that a batch costs which does not fill: more than filling it could be worth."""
NEARLY = 0.4
"""Share of a batch's least rate from which on the program is asked to fill it (as J3O has it)."""
FULL = 1 - 1e-9
"""Share of the least rate that counts as full."""


# Long: writes the program with its further rows down, and the basis that it starts from.
@kernel
def solve_full(  # noqa: PLR0912 - plain loops are what compiles soon
    gains: Gains, server: int, held: Ints, cloud_price: float, state: Basis
) -> tuple[float, float, Ints, Floats]:
    """As ``solve_at``, batches full; ``state`` is of the program without that, for ``held``, and stays as it is.

    Returns:
        The first two as ``solve_at``, minus infinity where batches cannot fill; then the basic answers' numbers, -1 for
        what is none, and their fractions.
    """
    models = len(gains.memory)
    here = held[len(gains.client_limit) + server]
    lower = len(state.code)
    fill_row = np.full(models, -1, dtype=np.int64)
    height = lower
    for j in range(models):
        if here[j] > 0:
            fill_row[j] = height
            height += 1
    code, gain0, row0, use0 = columns_at(gains, server, held, cloud_price, state.code, state.position, fill_row)
    count, more = len(code), height - lower
    gain = np.zeros(count + more)
    row = np.zeros((count + more, WIDTH), dtype=np.int64)
    use = np.zeros((count + more, WIDTH))
    for i in range(count):
        gain[i] = gain0[i]
        for k in range(WIDTH):
            row[i, k], use[i, k] = row0[i, k], use0[i, k]
    slack_gain = np.zeros(height)
    for k in range(more):  # what comes beyond the least
        row[count + k, 0], use[count + k, 0] = lower + k, -1.0
        slack_gain[lower + k] = -LOSS * gains.server_rate[server]
    basis = np.empty(height, dtype=np.int64)
    for i in range(lower):
        basis[i] = state.position[state.code[i]] if state.code[i] >= 0 else state.code[i]
    for k in range(count):
        state.position[code[k]] = -1
    inverse = np.zeros((height, height))
    level = np.zeros(height)
    for i in range(lower):
        level[i] = state.level[i]
        for k in range(lower):
            inverse[i, k] = state.inverse[i, k]
    filled = np.zeros(more)
    entries = np.zeros((more, lower))
    for i in range(lower):
        if basis[i] >= 0 and use[basis[i], 3] != 0.0:
            k = row[basis[i], 3] - lower
            filled[k] += use[basis[i], 3] * level[i]
            for m in range(lower):
                entries[k, m] += use[basis[i], 3] * state.inverse[i, m]
    for k in range(more):
        i = lower + k
        over = filled[k] >= 1.0
        sign = -1.0 if over else 1.0
        basis[i] = count + k if over else -1 - i
        level[i] = sign * (1.0 - filled[k])
        inverse[i, i] = sign
        for m in range(lower):
            inverse[i, m] = -sign * entries[k, m]
    price = np.zeros(height)
    for i in range(height):
        worth = gain[basis[i]] if basis[i] >= 0 else slack_gain[-1 - basis[i]]
        if worth != 0.0:
            for k in range(height):
                price[k] += worth * inverse[i, k]
    maximise(gain, row, use, slack_gain, basis, inverse, level, price, 30 * height)
    for i in range(height):
        if basis[i] < 0 and -1 - basis[i] >= lower and level[i] > 1e-7:
            return -np.inf, 0.0, np.full(height, -1), level
    value, cloud, _ = result_of(gains, server, cloud_price, code, gain, basis, level)
    answer = np.full(height, -1)
    for i in range(height):
        if 0 <= basis[i] < count:
            answer[i] = code[basis[i]]
    return value, cloud, answer, level


@kernel
def lowered(gains: Gains, held: Ints, flow: Floats, share: float) -> int:
    """Lower batch sizes that less than ``share`` of the least rate come for, to the largest that ``flow`` fills.

    Args:
        gains: the instance.
        held: of the server, shape (J,), changed in place.
        flow: queries a second that each model answers there.
        share: see above.

    Returns:
        How many were lowered.
    """
    changed = 0
    for j in range(len(held)):
        if held[j] > 0 and flow[j] < gains.least[held[j]] * share:
            batch = held[j]
            while batch > 0 and flow[j] < gains.least[batch] * FULL:
                batch -= 1
            held[j] = batch
            changed += 1
    return changed


@kernel
def solve_filled(
    gains: Gains, server: int, held: Ints, cloud_price: float, state: Basis, floor: float
) -> tuple[float, float]:
    """Solve with batches full; ``held`` is changed in place where too few queries come for a batch size.

    As J3O has it: what is nearly full is filled by the program, or lowered where that is better.

    Args:
        gains: the instance.
        server: which.
        held: batch size by location and model, shape (C + S, J).
        cloud_price: right answers that a second of the cloud's computing costs.
        state: where to start from.
        floor: what does not exceed it even with batches not full is told as it is, for its prices.

    Returns:
        Right answers a second less the cloud's price, and seconds of the cloud's computing a second.
    """
    here = held[len(gains.client_limit) + server]
    best, best_cloud, best_here = -np.inf, 0.0, here.copy()
    while True:
        value, cloud, flow = solve_at(gains, server, held, cloud_price, state)
        if value <= floor:
            break
        if lowered(gains, here, flow, NEARLY):
            continue
        trial = here.copy()
        if not lowered(gains, trial, flow, FULL):
            if value > best:
                return value, cloud
            break
        forced, forced_cloud, _, _ = solve_full(gains, server, held, cloud_price, state)
        if forced > best:
            best, best_cloud, best_here = forced, forced_cloud, here.copy()
            floor = max(floor, forced)
        copy(here, trial)
    if best > -np.inf:
        copy(here, best_here)
        return best, best_cloud
    return value, cloud


@kernel
def answers_at(
    gains: Gains, server: int, held: Ints, cloud_price: float, state: Basis
) -> tuple[float, float, Ints, Floats]:
    """What ``held`` is worth with batches full, without changing it, and who answers; returns as ``solve_full``."""
    value, cloud, flow = solve_at(gains, server, held, cloud_price, state)
    trial = held[len(gains.client_limit) + server].copy()
    if lowered(gains, trial, flow, FULL):
        return solve_full(gains, server, held, cloud_price, state)
    return value, cloud, state.code.copy(), state.level.copy()
