"""A generator of random numbers that compiled code carries along: nothing global, the same on every machine.

Source: S. Vigna, *An Experimental Exploration of Marsaglia's xorshift Generators, Scrambled*, ACM Trans. Math. Softw.
42 (2016), article 30: xorshift64*.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from splitshare.compilation import compiled_in_place

State = NDArray[np.uint64]
"""(1): never 0."""


def generator(seed: int) -> State:
    """The state that a seed begins with; seeds next to each other begin far apart (numpy's ``SeedSequence``)."""
    return np.random.SeedSequence(seed).generate_state(1, np.uint64) | np.uint64(1)


@compiled_in_place
def fraction(state: State) -> float:
    """A number from 0 up to 1, never 1."""
    x = state[0]
    x ^= x >> np.uint64(12)
    x ^= x << np.uint64(25)
    x ^= x >> np.uint64(27)
    state[0] = x
    return float((x * np.uint64(2685821657736338717)) >> np.uint64(11)) * 2.0**-53


@compiled_in_place
def below(state: State, count: int) -> int:
    """A whole number from 0 up to ``count``, never that; numbers are equally likely but for 2^-53 of ``count``."""
    return int(fraction(state) * count)
