"""What is kept of every server between steps, flat, and the loops over some of the servers that threads run (ours)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from splitshare.onloading.arrays import Floats, Ints
from splitshare.onloading.decomposed.dual import CLIENT_SCALE, FIRST_AIM, SERVER_SCALE, descend
from splitshare.onloading.decomposed.filled import answers_at
from splitshare.onloading.decomposed.gains import Gains, kernel
from splitshare.onloading.decomposed.price import Crossing, crossing_by
from splitshare.onloading.decomposed.program import Basis
from splitshare.onloading.decomposed.search import greedily, refine

MOST_ROWS = 3000
"""Rows of a server's program up to which the search solves it: its inverse is dense."""
FIRST_PRICE = 0.3
"""Accuracy that a query's answer costs at first."""


class Work(NamedTuple):
    """Of S servers that someone asks; a server's program has a row for each of its rows and limits."""

    servers: Ints
    """Their numbers, shape (S,)."""
    start: Ints
    """Where each server's rows start in ``price``, ``code``, ``level`` and their like, shape (S + 1,)."""
    square: Ints
    """Where each inverse starts, shape (S + 1,); nothing for servers of more than ``MOST_ROWS`` rows."""
    price: Floats
    """Prices so far, guessed or such as prove the bound; shape (all rows,)."""
    fill: Floats
    """Prices of full batches, shape (S, B, J)."""
    scale: Floats
    mean: Floats
    fill_mean: Floats
    aim: Floats
    """How far below its bound a server's next step aims, as a share, shape (S,)."""
    mean_cloud: Floats
    """Running mean of the cloud's computing that its answers use, seconds a second, shape (S,)."""
    code: Ints
    inverse: Floats
    level: Floats
    dual: Floats
    """Prices of the last program; shape (all rows,)."""
    pivots: Ints
    """Shape (S, 1)."""
    value: Floats
    """What the last loop found each server to be worth, less the cloud's price, shape (S,)."""
    cloud: Floats
    """Seconds of the cloud's computing a second that it uses then, shape (S,)."""
    solved: Ints
    """Programs solved in the search, shape (S,)."""


def work_of(gains: Gains) -> Work:
    """Nothing done yet."""
    return _work_of(gains, MOST_ROWS)  # told, since what is compiled keeps the constants that it was compiled with


@kernel
def _work_of(gains: Gains, most_rows: int) -> Work:
    """As ``work_of``; no inverse for servers of more than ``most_rows`` rows."""
    servers = np.flatnonzero(gains.server_rows[:, 1] > gains.server_rows[:, 0])
    count = len(servers)
    start, square = np.zeros(count + 1, dtype=np.int64), np.zeros(count + 1, dtype=np.int64)
    for s in range(count):
        first, last = gains.server_rows[servers[s]]
        height = last - first + 2 * (gains.slot[last - 1] + 1) + 2
        start[s + 1] = start[s] + height
        square[s + 1] = square[s] + (height**2 if height <= most_rows else 0)
    rows = start[count]
    price, scale, code = np.zeros(rows), np.zeros(rows), np.zeros(rows, dtype=np.int64)
    inverse = np.zeros(square[count])
    for s in range(count):
        first, last = gains.server_rows[servers[s]]
        low, high = start[s], start[s + 1]
        for r in range(first, last):
            price[low + r - first], scale[low + r - first] = FIRST_PRICE * gains.rate[r], gains.rate[r]
            own = low + last - first + 2 * gains.slot[r]
            scale[own] = scale[own + 1] = CLIENT_SCALE * gains.client_rate[gains.row_client[r]]
        scale[high - 2] = scale[high - 1] = SERVER_SCALE * gains.server_rate[servers[s]]
        for i in range(high - low):
            code[low + i] = -1 - i
            if square[s + 1] > square[s]:
                inverse[square[s] + i * (high - low + 1)] = 1.0
    kinds = (count, len(gains.least), len(gains.memory))
    return Work(
        servers,
        start,
        square,
        price,
        np.zeros(kinds),
        scale,
        np.zeros(rows),
        np.zeros(kinds),
        np.full(count, FIRST_AIM),
        np.zeros(count),
        code,
        inverse,
        np.ones(rows),
        np.zeros(rows),
        np.zeros((count, 1), dtype=np.int64),
        np.zeros(count),
        np.zeros(count),
        np.zeros(count, dtype=np.int64),
    )


@kernel
def _basis(work: Work, s: int, position: Ints) -> Basis:
    """A server's last basis, as views."""
    low, high = work.start[s], work.start[s + 1]
    height = high - low
    return Basis(
        work.code[low:high],
        work.inverse[work.square[s] : work.square[s + 1]].reshape(height, height),
        work.level[low:high],
        work.dual[low:high],
        work.pivots[s],
        position,
    )


@kernel
def _scratch(gains: Gains, work: Work, first: int, last: int) -> Ints:
    """Room for the positions of any of the servers' answers."""
    most = 0
    for s in range(first, last):
        low, high = gains.server_rows[work.servers[s]]
        most = max(most, high - low)
    return np.full(most * len(gains.memory) * (len(gains.least) + 2), -1, dtype=np.int64)


@kernel
def _solvable(work: Work, s: int) -> bool:
    return bool(work.square[s + 1] > work.square[s])


@kernel
def descend_all(gains: Gains, work: Work, first: int, last: int, cloud_price: float, steps: int) -> None:
    """Lower the bounds of some of the servers; writes ``value`` and ``mean_cloud``."""
    for s in range(first, last):
        low, high = work.start[s], work.start[s + 1]
        work.value[s], work.mean_cloud[s], work.aim[s] = descend(
            gains,
            work.servers[s],
            cloud_price,
            work.price[low:high],
            work.fill[s],
            work.scale[low:high],
            work.mean[low:high],
            work.fill_mean[s],
            steps,
            work.aim[s],
            work.mean_cloud[s],
        )


@kernel
def greedy_all(gains: Gains, work: Work, first: int, last: int, cloud_price: float, held: Ints, passes: int) -> None:
    """Fill the locations of some of the servers at the prices so far, guessed or such as prove the bound.

    ``held`` is changed in place.
    """
    for s in range(first, last):
        price = work.price[work.start[s] : work.start[s + 1]]
        greedily(gains, work.servers[s], held, cloud_price, price, passes)
        if not _solvable(work, s):
            unbatched(gains, work.servers[s], held)


@kernel
def unbatched(gains: Gains, server: int, held: Ints) -> None:
    """Let a server run queries one by one: that always fills."""
    here = held[len(gains.client_limit) + server]
    for j in range(len(here)):
        here[j] = min(here[j], 0)


@kernel
def refine_all(  # noqa: PLR0913, PLR0917 - flat arrays are what compiles
    gains: Gains,
    work: Work,
    first: int,
    last: int,
    cloud_price: float,
    held: Ints,
    trials: int,
    sweeps: int,
    most: Floats,
) -> None:
    """Search on some of the servers; ``held`` is changed in place."""
    position = _scratch(gains, work, first, last)
    for s in range(first, last):
        if _solvable(work, s):
            work.value[s], work.cloud[s], solved = refine(
                gains, work.servers[s], held, cloud_price, _basis(work, s, position), trials, sweeps, most
            )
            work.solved[s] += solved


@kernel
def worth_all(gains: Gains, work: Work, first: int, last: int, cloud_price: float, columns: Ints, leader: Ints) -> None:
    """What the best of several decisions is worth at some of the servers; each is as ``held`` elsewhere.

    Args:
        gains: the instance.
        work: ``value`` and ``cloud`` are written.
        first: of the servers.
        last: one past the last of them.
        cloud_price: right answers that a second of the cloud's computing costs.
        columns: the decisions, shape (K, C + S, J).
        leader: which of them is the best at a server, the first of equals, shape (S,); written.
    """
    position = _scratch(gains, work, first, last)
    for s in range(first, last):
        work.value[s] = work.cloud[s] = 0.0
        leader[s] = 0
        if not _solvable(work, s):
            continue
        for k in range(len(columns)):
            worth, cloud, _, _ = answers_at(gains, work.servers[s], columns[k], cloud_price, _basis(work, s, position))
            if k == 0 or worth > work.value[s]:
                work.value[s], work.cloud[s], leader[s] = worth, cloud, k


@kernel
def used_of(work: Work) -> tuple[float, float]:
    """Sums of ``value`` and ``cloud`` over all servers.

    Compiled wherever they are wanted: numpy adds in another order than numba, so the answer would depend on threads.
    """
    return work.value.sum(), work.cloud.sum()


@kernel
def _all_at(given: tuple[Gains, Work, Ints, Ints], cloud_price: float) -> tuple[float, float]:
    """What the best of several decisions are worth at all servers together, and the cloud's computing they use."""
    gains, work, columns, leader = given
    worth_all(gains, work, 0, len(work.servers), cloud_price, columns, leader)
    return used_of(work)


_crossing = kernel(crossing_by(_all_at))


@kernel
def crossing_of(
    gains: Gains, work: Work, columns: Ints, leader: Ints, limit: float, price: float, guessed: bool
) -> Crossing:
    """The price at which the best of several decisions use the cloud up; see ``worth_all`` and ``crossing_by``."""
    return _crossing((gains, work, columns, leader), limit, price, guessed)


@kernel
def answers_of(gains: Gains, work: Work, s: int, cloud_price: float, held: Ints) -> tuple[Ints, Floats]:
    """Who answers at one of the servers: numbers of the basic answers, below 0 for what is none, and fractions."""
    _, _, code, fraction = answers_at(
        gains, work.servers[s], held, cloud_price, _basis(work, s, _scratch(gains, work, s, s + 1))
    )
    return code, fraction
