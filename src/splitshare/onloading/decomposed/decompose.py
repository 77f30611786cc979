"""J3O decomposed (ours): at a price of the cloud's computing, each server and its clients are a problem of their own.

1. The bound: prices of all other limits are lowered server by server (``dual``); in turns with that, the cloud's price
   is moved towards the one at which the servers' answers use the cloud up.
2. At these prices every location is filled greedily; then the fillings of one location after another are tried, judged
   by the server's own offloading program (``search``), all servers side by side.
3. The servers' decisions so far are columns of a master program: at most all of each server, the cloud's computing
   within its limit. It has one limit, so it is solved by the price at which the best columns use the cloud up. Its
   price is the next round's; the best columns are the decision.

A small instance is searched first, at prices that are guessed: that costs little, and where its decision gives every
query the best answer that there is, nothing is left to prove. Else all prices are lowered together towards the decision
(``joint``), and the search starts anew at these.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np

from splitshare.errors import WorkError
from splitshare.onloading.arrays import Arrays, Floats, Ints
from splitshare.onloading.decomposed.coupling import coupling
from splitshare.onloading.decomposed.gains import Gains, gains_of, most_of, without_backbones
from splitshare.onloading.decomposed.joint import descend_jointly
from splitshare.onloading.decomposed.price import Crossing, crossing_by
from splitshare.onloading.decomposed.work import (
    Work,
    crossing_of,
    descend_all,
    greedy_all,
    refine_all,
    unbatched,
    used_of,
    work_of,
    worth_all,
)
from splitshare.parameters import MOST_THREADS, check_within

LEAST_STEP = 1e-7
"""Relative gain that counts as one."""
ENOUGH = 1e-4
"""Relative distance of bound and decision at which there is nothing left to prove, and nothing is searched further."""
LOOK_BACK = 4
"""Turns over which the bound's gain is looked at, once there are twice as many."""
AIM = 0.5
"""How far below the bound steps aim once there is a decision, as a share of their distance."""
FIRST_PRICE = 0.02
"""Accuracy of all queries that all of the cloud's computing costs at first."""
LONGEST_STRIDE = 0.5
"""Logarithm of the most by which the cloud's price is moved."""
FURTHER = 4
"""How many times as many steps end the bound at its best price, where models share backbones."""
WIDER = 3
"""How many times as many fillings are tried in the last rounds on a small instance."""
PASSES = 2
"""Times that each location is filled greedily; once on a small instance."""
MOST_SMALL = 1000
"""Most rows that may be told to count as small: the bound is lowered in one loop there, whatever time and threads."""
CHUNK = 16
"""Servers that a thread takes at once."""


@dataclass(frozen=True)
class DecompositionSettings:
    """How it runs (ours)."""

    steps: int = 50
    """Steps on the other prices at one price of the cloud's computing.

    On a small instance: steps on all prices at once between two looks at what they brought.
    """
    first: int = 8
    """Prices of the cloud's computing before the search; not used on a small instance: that is searched first."""
    turns: int = 24
    """Prices of the cloud's computing at most, for the bound; on a small instance, looks at what steps brought."""
    stall: float = 1e-3
    """Relative gain of ``LOOK_BACK`` turns below which the bound is good enough.

    On a small instance, one look counts as a turn: it ends at this divided by ``LOOK_BACK``.
    """
    rounds: int = 2
    """Rounds of search and master program at most; one more on small instances."""
    trials: int = 2
    """Fillings that are tried in a client's turn; three times as many are in a server's."""
    sweeps: int = 3
    """Turns of each location at most, in a round."""
    small: int = 100
    """Rows of all servers' programs together up to which an instance is small: it is searched before it has a bound.

    At most ``MOST_SMALL``.
    """
    threads: int = 1
    """Servers that are worked on side by side; the answer does not depend on it."""

    def __post_init__(self) -> None:
        check_within(1, steps=self.steps, first=self.first, turns=self.turns, rounds=self.rounds, sweeps=self.sweeps)
        check_within(0, stall=self.stall, trials=self.trials)
        check_within(0, MOST_SMALL, small=self.small)
        check_within(1, MOST_THREADS, threads=self.threads)


@dataclass(frozen=True)
class Decomposition:
    """The best decision, and what is proved."""

    held: Ints
    """Batch size by location (clients, then servers) and model, -1 where it is not there, shape (C + S, J)."""
    right_per_s: float
    """Right answers a second of the decision, by the servers' programs."""
    bound: float
    """Mean accuracy that no decision exceeds."""
    rounds: int
    solved: int
    """Programs of servers solved in the search."""


class _Servers:
    """Loops over all servers, side by side where there are threads."""

    def __init__(self, gains: Gains, work: Work, pool: ThreadPoolExecutor | None, until: float) -> None:
        self.gains, self.work, self.until = gains, work, until
        self._pool = pool
        count = len(work.servers)
        size = max(1, min(CHUNK, -(-count // (4 * pool._max_workers)))) if pool else CHUNK
        self._chunks = [(first, min(first + size, count)) for first in range(0, count, size)]

    def run(
        self, loop: Callable[..., None], *arguments: object, limited: bool = False, gains: Gains | None = None
    ) -> list[tuple[int, int]]:
        """Run a loop, with other ``gains`` where given; the chunks that it did not come to before time was up."""
        used = self.gains if gains is None else gains
        if self._pool is None and len(self._chunks) == 1:  # as below, in less time: small instances come here
            if limited and time.perf_counter() > self.until:
                return self._chunks
            loop(used, self.work, *self._chunks[0], *arguments)
            return []

        def one(chunk: tuple[int, int]) -> bool:
            if limited and time.perf_counter() > self.until:
                return False
            loop(used, self.work, *chunk, *arguments)
            return True

        done = list((self._pool.map if self._pool else map)(one, self._chunks))
        return [chunk for chunk, ran in zip(self._chunks, done, strict=True) if not ran]

    def crossing(self, columns: Ints, leader: Ints, limit: float, price: float, guessed: bool) -> Crossing:
        """The price at which the best of several decisions use the cloud up; see ``worth_all`` and ``crossing_by``."""
        if self._pool is None:
            return crossing_of(self.gains, self.work, columns, leader, limit, price, guessed)

        def at(_: None, price: float) -> tuple[float, float]:
            self.run(worth_all, price, columns, leader)
            return used_of(self.work)

        return crossing_by(at)(None, limit, price, guessed)


def decompose(arrays: Arrays, settings: DecompositionSettings, *, until: float = np.inf) -> Decomposition:
    """Decide.

    Args:
        arrays: the instance.
        settings: how.
        until: nothing new is started later than this, by ``time.perf_counter``, but for the first turn of the bound. A
            small instance has no turns: where time is up in its first round of search, the bound is every query's best
            answer.

    Raises:
        WorkError: side constraints or servers above servers couple the servers, so that they are not independent at a
            price of the cloud's computing.
    """
    coupled = coupling(arrays)
    if coupled is not None:
        raise WorkError(f"j3o-decomposed: {arrays.instance.name!r} has {coupled}; use j3o-batching or optimum")
    gains = gains_of(arrays)
    work = work_of(gains)
    held = np.full((len(arrays.client_limit) + len(arrays.server_limit), len(arrays.memory)), -1, dtype=np.int64)
    with _pool(settings.threads) as pool:
        servers = _Servers(gains, work, pool, until)
        bound = _Bound(servers, arrays, settings)
        if not bound.small:
            bound.lower(settings.first)
        servers.run(greedy_all, bound.price, held, 1 if bound.small else PASSES, limited=True)
        best, right, rounds = _search(servers, arrays, settings, held, bound)
        if not bound.small:
            bound.lower(settings.turns - settings.first, right)
    return Decomposition(best, right, bound.least / arrays.demand, rounds, int(work.solved.sum()))


@contextmanager
def _pool(threads: int) -> Iterator[ThreadPoolExecutor | None]:
    if threads > 1:
        with ThreadPoolExecutor(threads) as pool:
            yield pool
    else:
        yield None


class _Bound:
    """The bound so far, right answers a second, and the cloud's price so far; the other prices are in ``work``.

    Prices are guessed at first. From when the bound is lowered on they are such as prove it, unless what every query's
    best answer is worth is less than they prove.
    """

    def __init__(self, servers: _Servers, arrays: Arrays, settings: DecompositionSettings) -> None:
        self._servers, self._settings, self._limit = servers, settings, arrays.cloud_limit
        self._next = FIRST_PRICE * arrays.demand / self._limit if self._limit > 0 else 0.0
        self._stride, self._side = LONGEST_STRIDE, 0
        gains, work = servers.gains, servers.work
        self.most = most_of(gains)
        self.least, self.price = float(self.most.sum()), self._next
        self.small = len(work.price) <= settings.small
        self._kept: tuple[Floats, Floats]  # by ``lower``: the prices in ``work`` at which the bound is the least
        self._all: list[float] = []

    def met(self, right: float) -> bool:
        """Whether a decision meets the bound, so that there is nothing left to search or to prove."""
        return self.least <= right * (1 + ENOUGH)

    def lower_jointly(self, right: float) -> None:
        """Lower all prices together, the cloud's with them, towards a decision: for small instances."""
        if self.met(right) or time.perf_counter() > self._servers.until:
            return
        settings = self._settings
        bound, self.price, _ = descend_jointly(
            self._servers.gains,
            self._servers.work,
            self.most,
            self._limit,
            self.price,
            max(right, 0.0),
            ENOUGH,
            settings.steps,
            settings.turns,
            settings.stall / LOOK_BACK,
        )
        self.least = min(self.least, bound)

    def lower(self, turns: int, right: float = 0.0) -> None:
        """Lower it for some turns, until it meets ``right`` or the last ``LOOK_BACK`` turns bring little.

        Shared backbones count once there is a decision: until then steps go further without.
        """
        work = self._servers.work
        smooth = without_backbones(self._servers.gains)
        gains = self._servers.gains if right > 0 else smooth
        self._kept = (work.price.copy(), work.fill.copy())
        if right > 0:
            # The decision tells how far the bound can go at most: steps aim half of the way.
            work.aim[:] = np.maximum(work.aim, AIM * (1 - right / self.least))
        start = len(self._all)
        for _ in range(turns):
            if self._all and (time.perf_counter() > self._servers.until or self.met(right)):
                break
            self._step(self._next, self._settings.steps, gains)
            self._all.append(self.least)
            if (
                len(self._all) - start > LOOK_BACK
                and len(self._all) > 2 * LOOK_BACK
                and self._all[-1 - LOOK_BACK] - self.least <= self._settings.stall * self.least
            ):
                break
            self._move()
        work.price[:], work.fill[:] = self._kept
        if gains is not smooth and not self.met(right) and time.perf_counter() <= self._servers.until:
            self._step(self.price, FURTHER * self._settings.steps, gains)

    def _step(self, price: float, steps: int, gains: Gains) -> None:
        """Lower the servers' bounds at a price of the cloud's computing; keep them where their sum is the least."""
        work = self._servers.work
        self._servers.run(descend_all, price, steps, gains=gains)
        bound = float(work.value.sum()) + price * self._limit
        if bound < self.least:
            self.least, self.price = bound, price
            self._kept = (work.price.copy(), work.fill.copy())

    def _move(self) -> None:
        """Move the cloud's price: up where the answers use more than there is, by smaller steps at each turn back."""
        if self._limit <= 0:
            return
        excess = (float(self._servers.work.mean_cloud.sum()) - self._limit) / self._limit
        side = 1 if excess > 0 else -1
        if self._side:
            self._stride = self._stride * 0.5 if side != self._side else min(self._stride * 1.2, LONGEST_STRIDE)
        self._side = side
        self._next *= float(np.exp(self._stride * side * min(1.0, 4 * abs(excess))))


def _search(
    servers: _Servers, arrays: Arrays, settings: DecompositionSettings, held: Ints, bound: _Bound
) -> tuple[Ints, float, int]:
    """Rounds of search and master program, from ``held``, until a decision meets the bound.

    The bound of a small instance is lowered after the first round, when there is a decision that it can aim at. It has
    a round more: the second starts anew, from what is filled greedily at the prices that it is lowered to; those after
    it try more fillings.
    """
    columns: list[Ints] = []
    best, right, price = held, -np.inf, bound.price
    for number in range(settings.rounds + 1 if bound.small else settings.rounds):
        if number and time.perf_counter() > servers.until:
            break
        trial, anew = best.copy(), bound.small and number == 1
        if anew:
            trial[:] = -1
            servers.run(greedy_all, bound.price, trial, 1, limited=True)
        trials = settings.trials * (WIDER if bound.small and number > 1 else 1)
        undone = servers.run(refine_all, price, trial, trials, settings.sweeps, bound.most, limited=True)
        for first, last in undone:
            for server in servers.work.servers[first:last]:
                unbatched(servers.gains, server, trial)
        columns.append(trial)
        _, value, own = _master(servers, arrays, [trial], price, guessed=bound.small and number == 0)
        if len(columns) > 1 and len(servers.work.servers) > 1:
            joined = _master(servers, arrays, columns, own)[0]
            if (joined != trial).any():
                _, other, other_price = _master(servers, arrays, [joined], own)
                if other > value:
                    trial, value, own = joined, other, other_price
        if value > right * (1 + LEAST_STEP):
            best, right, price = trial, value, own
        elif not anew:
            break
        if bound.small and number == 0:
            bound.lower_jointly(right)
        if bound.met(right):
            break
    return best, float(right), number + 1


def _master(
    servers: _Servers, arrays: Arrays, columns: list[Ints], price: float, *, guessed: bool = False
) -> tuple[Ints, float, float]:
    """Each server's best column at the cloud's price at which these use it up.

    Returns:
        The columns together, shape (C + S, J); what the master program is worth, right answers a second, which is the
        whole offloading program's value where there is one column; the price.
    """
    leader = np.zeros(len(servers.work.servers), dtype=np.int64)
    together = columns[0][None] if len(columns) == 1 else np.stack(columns)
    found = servers.crossing(together, leader, arrays.cloud_limit, price, guessed)
    return _joined(servers, columns, leader), found.value, found.price


def _joined(servers: _Servers, columns: list[Ints], leader: Ints) -> Ints:
    """Each server's locations as its column has them."""
    if len(columns) == 1:
        return columns[0]
    joined = columns[0].copy()
    gains, clients = servers.gains, len(servers.gains.client_limit)
    for server, k in zip(servers.work.servers, leader, strict=True):
        first, last = gains.server_rows[server]
        own = np.unique(gains.row_client[first:last])
        joined[own] = columns[k][own]
        joined[clients + server] = columns[k][clients + server]
    return joined
