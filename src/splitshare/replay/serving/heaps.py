"""Compiled queues: one heap a resource, all in one set of arrays, since a stage waits for one resource at a time.

Skew heaps (Sleator and Tarjan 1986): joining and taking the first cost the logarithm of the length on average.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from splitshare.compilation import compiled

_Floats = NDArray[np.float64]
_Ints = NDArray[np.int64]


@compiled
def _before(a: int, b: int, key: _Floats, order: _Ints) -> bool:
    return bool(key[a] < key[b] or (key[a] == key[b] and order[a] < order[b]))


@compiled
def meld(a: int, b: int, left: _Ints, right: _Ints, key: _Floats, order: _Ints) -> int:
    """Join two heaps, by least ``key``, then least ``order``; -1 is an empty one. Returns the first of both."""
    if a < 0:
        return b
    if b < 0:
        return a
    if _before(b, a, key, order):
        a, b = b, a
    root = a
    while True:  # b joins what is right of a, which changes sides
        c = right[a]
        right[a] = left[a]
        if c < 0:
            left[a] = b
            return root
        if _before(b, c, key, order):
            b, c = c, b
        left[a] = c
        a = c


@compiled
def insert(root: int, row: int, left: _Ints, right: _Ints, key: _Floats, order: _Ints) -> int:
    """Add a row that is in no heap; returns the first of the heap."""
    left[row] = -1
    right[row] = -1
    return meld(root, row, left, right, key, order)


@compiled
def without_first(root: int, left: _Ints, right: _Ints, key: _Floats, order: _Ints) -> int:
    """Take the first away; returns the one that is first then, -1 where the heap is empty."""
    return meld(left[root], right[root], left, right, key, order)
