"""The offloading program of one server and its clients at a price of the cloud's computing, compiled.

Rows of the program: one a row of the instance, computing and uplink of each client, computing and backhaul of the
server, each divided by its limit; then one for each batch that must fill. Of the cloud's models only the one that is
worth most to a row at the price is a column: all of them use the links alike.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from splitshare.onloading.arrays import Floats, Ints
from splitshare.onloading.decomposed.gains import Gains, kernel
from splitshare.onloading.decomposed.simplex import maximise

WIDTH = 4
"""Most entries of a column."""
RENEW = 1000
"""Pivots after which a program starts from nothing, as rounding adds up in the inverse of its basis."""


class Basis(NamedTuple):
    """Where the last program of a server ended."""

    code: Ints
    """Number of the basic answer by row, ``-1 - row`` for a slack, shape (rows,)."""
    inverse: Floats
    level: Floats
    price: Floats
    pivots: Ints
    """Since the inverse was computed anew, shape (1,)."""
    position: Ints
    """Of an answer among the columns, -1 where it is none: scratch, shape (rows x J x (B + 2),)."""


@kernel
def copy(to: Ints, values: Ints) -> None:
    """Copy values one by one (which compiles sooner than a slice)."""
    for i in range(len(to)):
        to[i] = values[i]


@kernel
def kept_of(state: Basis) -> Basis:
    """A copy, to go back to."""
    return Basis(
        state.code.copy(),
        state.inverse.copy(),
        state.level.copy(),
        state.price.copy(),
        state.pivots.copy(),
        state.position,
    )


@kernel
def restore(state: Basis, kept: Basis) -> None:
    """Go back to ``kept``."""
    height = len(state.code)
    for i in range(height):
        state.code[i], state.level[i], state.price[i] = kept.code[i], kept.level[i], kept.price[i]
        for k in range(height):
            state.inverse[i, k] = kept.inverse[i, k]
    state.pivots[0] = kept.pivots[0]


def first_basis(gains: Gains, server: int, clients: int) -> Basis:
    """All slacks."""
    first, last = gains.server_rows[server]
    rows = int(last - first)
    height = rows + 2 * clients + 2
    models, batches = gains.cloud.shape[1], len(gains.least)
    return Basis(
        -1 - np.arange(height),
        np.eye(height),
        np.ones(height),
        np.zeros(height),
        np.zeros(1, dtype=np.int64),
        np.full(rows * models * (batches + 2), -1, dtype=np.int64),
    )


# Long: the three kinds of answers in one pass over the rows.
@kernel
def columns_at(  # noqa: PLR0912, PLR0915 - one pass over the rows is what is fast
    gains: Gains, server: int, held: Ints, cloud_price: float, basis: Ints, position: Ints, fill_row: Ints
) -> tuple[Ints, Floats, Ints, Floats]:
    """The answers that ``held`` allows, then those of the basis that it does not, at a loss.

    Returns:
        Number, gain, rows and uses of each.
    """
    first, last = gains.server_rows[server]
    clients = len(gains.client_limit)
    models, kinds = len(gains.memory), len(gains.least) + 2
    rows = last - first
    here = held[clients + server]
    most = len(basis)
    hosted = 0
    for j in range(models):
        if here[j] >= 0:
            hosted += 1
    for r in range(first, last):
        most += 1 + hosted
        own = held[gains.row_client[r]]
        for j in range(models):
            if own[j] >= 0:
                most += 1
    code = np.empty(most, dtype=np.int64)
    gain = np.zeros(most)
    row = np.zeros((most, WIDTH), dtype=np.int64)
    use = np.zeros((most, WIDTH))
    n = 0
    tail = rows + 2 * (gains.slot[last - 1] + 1)
    there = np.empty(hosted, dtype=np.int64)
    hosted = 0
    for j in range(models):
        if here[j] >= 0:
            there[hosted] = j
            hosted += 1
    backhaul, computing = gains.backhaul[server], gains.server_limit[server]
    for r in range(first, last):
        c = gains.row_client[r]
        own = rows + 2 * gains.slot[r]
        start = (r - first) * models
        link = gains.sent[r] / gains.uplink[c]
        leader, worth = -1, 0.0
        for j in range(models):
            if gains.cloud[r, j] - cloud_price * gains.cloud_use[r, j] > worth:
                leader, worth = j, gains.cloud[r, j] - cloud_price * gains.cloud_use[r, j]
            if held[c, j] >= 0 and gains.client[r, j] > 0.0:
                code[n], gain[n] = (start + j) * kinds, gains.client[r, j]
                row[n, 0], use[n, 0] = r - first, 1.0
                row[n, 1], use[n, 1] = own, gains.client_use[r, j] / gains.client_limit[c]
                n += 1
        if leader >= 0:
            code[n], gain[n] = (start + leader) * kinds + kinds - 1, worth
            row[n, 0], use[n, 0] = r - first, 1.0
            row[n, 1], use[n, 1] = own + 1, link
            row[n, 2], use[n, 2] = tail + 1, gains.sent[r] / backhaul
            n += 1
        for k in range(hosted):
            j = there[k]
            b = here[j]
            if gains.edge[r, b, j] > 0.0:
                code[n], gain[n] = (start + j) * kinds + b + 1, gains.edge[r, b, j]
                row[n, 0], use[n, 0] = r - first, 1.0
                row[n, 1], use[n, 1] = own + 1, link
                row[n, 2], use[n, 2] = tail, gains.edge_use[r, b, j] / computing
                if fill_row[j] >= 0:
                    row[n, 3], use[n, 3] = fill_row[j], gains.rate[r] / gains.least[b]
                n += 1
    for k in range(n):
        position[code[k]] = k
    for i in range(len(basis)):
        if basis[i] >= 0 and position[basis[i]] < 0:
            code[n] = basis[i]
            _describe(gains, server, code[n], cloud_price, tail, fill_row, gain, row, use, n)
            gain[n] = -gains.rate[first + code[n] // (models * kinds)]
            position[code[n]] = n
            n += 1
    for k in range(n):
        position[code[k]] = k
    return code[:n], gain[:n], row[:n], use[:n]


@kernel
def _describe(  # noqa: PLR0913, PLR0917 - see `columns_at`
    gains: Gains,
    server: int,
    code: int,
    cloud_price: float,
    tail: int,
    fill_row: Ints,
    gain: Floats,
    row: Ints,
    use: Floats,
    n: int,
) -> None:
    """Write an answer down as column ``n``."""
    models, kinds = len(gains.memory), len(gains.least) + 2
    first, last = gains.server_rows[server]
    kind = code % kinds
    j = (code // kinds) % models
    r = first + code // (kinds * models)
    c = gains.row_client[r]
    clients = last - first + 2 * gains.slot[r]
    row[n, 0], use[n, 0] = r - first, 1.0
    if kind == 0:
        gain[n] = gains.client[r, j]
        row[n, 1], use[n, 1] = clients, gains.client_use[r, j] / gains.client_limit[c]
        return
    row[n, 1], use[n, 1] = clients + 1, gains.sent[r] / gains.uplink[c]
    if kind == kinds - 1:
        gain[n] = gains.cloud[r, j] - cloud_price * gains.cloud_use[r, j]
        row[n, 2], use[n, 2] = tail + 1, gains.sent[r] / gains.backhaul[server]
        return
    gain[n] = gains.edge[r, kind - 1, j]
    row[n, 2], use[n, 2] = tail, gains.edge_use[r, kind - 1, j] / gains.server_limit[server]
    if kind > 1 and fill_row[j] >= 0:
        row[n, 3], use[n, 3] = fill_row[j], gains.rate[r] / gains.least[kind - 1]


@kernel
def solve_at(gains: Gains, server: int, held: Ints, cloud_price: float, state: Basis) -> tuple[float, float, Floats]:
    """Solve, batches full or not, going on from ``state``, which is changed in place.

    Returns:
        Right answers a second less what the cloud's computing costs, seconds of the cloud's computing a second, and
        queries a second that each model answers at the server, shape (J,).
    """
    models = len(gains.memory)
    height = len(state.code)
    if state.pivots[0] > RENEW:  # rounding adds up: start anew
        state.pivots[0] = 0
        for i in range(height):
            state.code[i], state.level[i] = -1 - i, 1.0
            for k in range(height):
                state.inverse[i, k] = 1.0 if i == k else 0.0
    none = np.full(models, -1, dtype=np.int64)
    code, gain, row, use = columns_at(gains, server, held, cloud_price, state.code, state.position, none)
    basis = np.empty(height, dtype=np.int64)
    for i in range(height):
        basis[i] = state.position[state.code[i]] if state.code[i] >= 0 else state.code[i]
    for k in range(len(code)):
        state.position[code[k]] = -1
    slack_gain = np.zeros(height)
    for i in range(height):
        state.price[i] = 0.0
    for i in range(height):
        if basis[i] >= 0 and gain[basis[i]] != 0.0:
            for k in range(height):
                state.price[k] += gain[basis[i]] * state.inverse[i, k]
    state.pivots[0] += maximise(gain, row, use, slack_gain, basis, state.inverse, state.level, state.price, 30 * height)
    for i in range(height):
        state.code[i] = code[basis[i]] if basis[i] >= 0 else basis[i]
    return result_of(gains, server, cloud_price, code, gain, basis, state.level)


@kernel
def result_of(
    gains: Gains, server: int, cloud_price: float, code: Ints, gain: Floats, basis: Ints, level: Floats
) -> tuple[float, float, Floats]:
    """What a basis is worth, what it uses of the cloud, queries a second by model at the server: see ``solve_at``."""
    models, kinds = len(gains.memory), len(gains.least) + 2
    first = gains.server_rows[server, 0]
    flow = np.zeros(models)
    value = cloud = 0.0
    for i in range(len(basis)):
        k = basis[i]
        if k < 0 or k >= len(code):
            continue
        value += gain[k] * level[i]
        kind = code[k] % kinds
        j = (code[k] // kinds) % models
        r = first + code[k] // (kinds * models)
        if kind == kinds - 1:
            cloud += gains.cloud_use[r, j] * level[i]
        elif kind > 0:
            flow[j] += gains.rate[r] * level[i]
    return value, cloud, flow
