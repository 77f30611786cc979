"""The trials of simulated annealing, compiled; the same draws as Python's ``random.Random``."""

from __future__ import annotations

import math
import random
from typing import NamedTuple

import numpy as np

from splitshare.compilation import compiled_in_place
from splitshare.placement.arrays import Arrays, Floats, Ints
from splitshare.placement.delta import Standing, can_swap, standing, take_change, try_change, worth_after, worth_s

LEAST_RISE = 1e-9
"""Relative change of the objective below which an accepted trial does not count: plateaus would never freeze."""
_WORDS = 1 << 15
_SPARE = 256
"""Words that no trial uses up, but for a chance below 2^-200."""


class Annealing(NamedTuple):
    """Where a run stands."""

    state: Standing
    worth: Floats
    """(2): objective now, and the least one met, in seconds."""
    best: Ints
    """(M): the placement of the least one."""
    tally: Ints
    """(4): trials, those that were possible, those accepted (plateaus left out), those that were better than any."""
    host_count: Ints
    """(M): how many devices a module may stand on."""
    host_of: Ints
    """(M, N): these devices, in file order, at the front of each row."""


def annealing(arrays: Arrays, host: Ints, visit: Ints) -> Annealing:
    """A run that begins at the feasible placement ``host`` (M); draws number the modules as ``visit`` (M) does."""
    state = standing(arrays, host, visit)
    worth = worth_s(arrays, state.latency_s, state.partial)
    host_of = np.argsort(~arrays.may, axis=1, kind="stable").astype(np.int64)
    return Annealing(
        state, np.array([worth, worth]), host.copy(), np.zeros(4, np.int64), arrays.may.sum(axis=1), host_of
    )


class Draws:
    """The 32-bit words that a generator of Python's draws, ahead of their use.

    Attributes:
        at: words of the present stock that are used.
    """

    def __init__(self, draw: random.Random) -> None:
        self._draw = draw
        self._stock = np.zeros(0, dtype=np.int64)
        self.at = 0

    def words(self) -> Ints:
        """The stock, filled up where little is left; ``at`` is where it goes on."""
        if len(self._stock) - self.at < 2 * _SPARE:
            drawn = self._draw.getrandbits(32 * _WORDS).to_bytes(4 * _WORDS, "little")
            self._stock = np.concatenate([self._stock[self.at :], np.frombuffer(drawn, dtype="<u4").astype(np.int64)])
            self.at = 0
        return self._stock


@compiled_in_place
def below(words: Ints, at: int, count: int) -> tuple[int, int]:
    """What ``random.Random`` draws below ``count``, and the words used then."""
    bits = 0
    while count >> bits:
        bits += 1
    while True:
        drawn = words[at] >> (32 - bits)
        at += 1
        if drawn < count:
            return drawn, at


@compiled_in_place
def fraction(words: Ints, at: int) -> float:
    """What ``random.Random.random`` makes of two words."""
    return float(((words[at] >> 5) * 67108864.0 + (words[at + 1] >> 6)) / 9007199254740992.0)


# Long: one trial, whose draws follow each other.
@compiled_in_place
def anneal(arrays: Arrays, run: Annealing, words: Ints, at: int, upto: int, temperature_s: float) -> int:
    """Try changes until ``upto`` have been tried at this temperature, or the words run out.

    Returns:
        The words used then.
    """
    state, modules = run.state, len(run.best)
    while run.tally[0] < upto and at + _SPARE <= len(words):
        run.tally[0] += 1
        drawn, at = below(words, at, modules)
        a = state.visit[drawn]
        by_move = fraction(words, at) < 0.5
        at += 2
        b = -1
        if by_move:
            chosen, at = below(words, at, run.host_count[a])
            to = run.host_of[a, chosen]
            if to == state.host[a]:
                continue
        else:
            drawn, at = below(words, at, modules)
            b = state.visit[drawn]
            if not can_swap(arrays, state, a, b):
                continue
            to = state.host[b]
        worth = worth_after(arrays, state, a, to, b)
        if worth == math.inf:
            continue
        run.tally[1] += 1
        rise = worth - run.worth[0]
        if rise > 0:
            accepted = fraction(words, at) < math.exp(-rise / temperature_s)
            at += 2
            if not accepted:
                continue
        if abs(rise) > LEAST_RISE * worth:
            run.tally[2] += 1
        try_change(arrays, state, a, to, b)
        take_change(arrays, state, a, to, b)
        run.worth[0] = worth
        if worth < run.worth[1]:
            run.worth[1] = worth
            for m in range(modules):
                run.best[m] = state.host[m]
            run.tally[3] += 1
    return at
