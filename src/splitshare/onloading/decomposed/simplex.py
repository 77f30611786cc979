"""A primal simplex method for small programs ``max gain.y, A y <= b, y >= 0`` with ``b > 0`` and few entries a column.

Dense inverse of the basis, most valuable column first (Dantzig 1951). It goes on from the basis of the last program: a
column that has gone stays in the basis with a loss until it is priced out, so no first phase is ever needed.
"""

from __future__ import annotations

import numpy as np

from splitshare.onloading.arrays import Floats, Ints
from splitshare.onloading.decomposed.gains import kernel

PAYS = 1e-9
"""Right answers a second that a column must bring to enter the basis."""
PIVOT = 1e-9
"""Least size of a pivot."""


# Long: one loop of pricing, ratio test and update.
@kernel
def maximise(  # noqa: PLR0912, PLR0913, PLR0917 - flat arrays and plain loops are what compiles
    gain: Floats,
    rows: Ints,
    use: Floats,
    slack_gain: Floats,
    basis: Ints,
    inverse: Floats,
    level: Floats,
    price: Floats,
    most: int,
) -> int:
    """Pivot until nothing pays; ``basis``, ``inverse``, ``level`` and ``price`` are changed in place.

    Args:
        gain: of each column, shape (columns,).
        rows: of its entries, shape (columns, width).
        use: of the same, 0 fills what is free, shape (columns, width).
        slack_gain: of each row's slack, 0 or less, shape (rows,).
        basis: column by row, ``-1 - row`` for a row's slack, shape (rows,).
        inverse: of the basis.
        level: of the basic columns, 0 or more, shape (rows,).
        price: of each row, shape (rows,).
        most: pivots at most.

    Returns:
        Pivots.
    """
    height, width = len(basis), rows.shape[1]
    step = np.zeros(height)
    leader = np.zeros(height)
    for pivots in range(most):
        best, entering = PAYS, -1
        slack = False
        for k in range(len(gain)):
            value = gain[k]
            for i in range(width):
                value -= price[rows[k, i]] * use[k, i]
            if value > best:
                best, entering = value, k
        for i in range(height):
            if slack_gain[i] - price[i] > best:
                best, entering, slack = slack_gain[i] - price[i], i, True
        if entering < 0:
            return pivots
        if slack:
            for i in range(height):
                step[i] = inverse[i, entering]
        else:
            for i in range(height):
                total = 0.0
                for k in range(width):
                    total += inverse[i, rows[entering, k]] * use[entering, k]
                step[i] = total
        leaving, ratio = -1, np.inf
        for i in range(height):
            if step[i] > PIVOT:
                reached = level[i] / step[i]
                if reached < ratio - 1e-12 or (reached <= ratio + 1e-12 and step[i] > step[leaving]):
                    leaving, ratio = i, reached
        if leaving < 0:
            return most  # nothing holds it: cannot be with positive uses; the caller sees the pivots used up
        for i in range(height):
            leader[i] = inverse[leaving, i] / step[leaving]
        for i in range(height):
            level[i] = max(0.0, level[i] - ratio * step[i])
            if i != leaving and step[i] != 0.0:
                factor = step[i]
                for k in range(height):
                    inverse[i, k] -= factor * leader[k]
        for i in range(height):
            inverse[leaving, i] = leader[i]
            price[i] += best * leader[i]
        level[leaving] = ratio
        basis[leaving] = -1 - entering if slack else entering
    return most
