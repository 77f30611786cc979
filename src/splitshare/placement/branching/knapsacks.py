"""One knapsack by dynamic programming over whole steps of memory, and what it is worth with or without each item.

Source: Kellerer, Pferschy, Pisinger, *Knapsack Problems*, Springer 2004, ch. 2.3; the values with and without an item
combine a table over the items before it with one over those behind it (ours).
"""

from __future__ import annotations

import numpy as np

from splitshare.compilation import compiled, compiled_in_place
from splitshare.placement.arrays import Bools, Floats, Ints

MOST_IN_SETS = 10
"""Items up to which all their sets are looked at, if these are fewer than the steps of memory."""


@compiled_in_place
def fill(profit: Floats, weight: Ints, capacity: int, offered: Bools, taken: Bools, table: Floats) -> float:
    """The most profit of items (I) that fit into ``capacity`` together.

    Args:
        profit: by item; items of no profit are left out.
        weight: by item, in steps.
        capacity: in steps.
        offered: items that may be taken.
        taken: written: the items of an answer.
        table: scratch space of shape (I + 1, capacity + 1) or more.
    """
    items = 0
    taken[:] = False
    if _all_fit(profit, weight, capacity, offered):
        worth = 0.0
        for i in range(len(profit)):
            if offered[i] and profit[i] > 0.0:
                taken[i] = True
                worth += profit[i]
        return worth
    for i in range(len(profit)):
        items += offered[i] and profit[i] > 0.0 and weight[i] <= capacity
    if items < MOST_IN_SETS and (1 << items) <= capacity + 1:
        return _best_set(profit, weight, capacity, offered, taken, table)
    items = 0
    table[0, : capacity + 1] = 0.0
    for i in range(len(profit)):
        if offered[i] and profit[i] > 0.0 and weight[i] <= capacity:
            for room in range(capacity + 1):
                without = table[items, room]
                with_it = table[items, room - weight[i]] + profit[i] if room >= weight[i] else 0.0
                table[items + 1, room] = max(with_it, without)
            items += 1
    worth, room = table[items, capacity], capacity
    for i in range(len(profit) - 1, -1, -1):
        if offered[i] and profit[i] > 0.0 and weight[i] <= capacity:
            items -= 1
            if table[items + 1, room] > table[items, room]:
                taken[i] = True
                room -= weight[i]
    return float(worth)


@compiled_in_place
def _best_set(profit: Floats, weight: Ints, capacity: int, offered: Bools, taken: Bools, table: Floats) -> float:
    """As ``fill``, set by set: few items have fewer sets than there are steps of memory."""
    items, most, best = 0, 0.0, 0
    table[0, 0] = table[1, 0] = 0.0
    for i in range(len(profit)):
        if offered[i] and profit[i] > 0.0 and weight[i] <= capacity:
            for others in range(1 << items):
                one_more = others + (1 << items)
                table[0, one_more] = table[0, others] + profit[i]
                table[1, one_more] = table[1, others] + weight[i]
                if table[1, one_more] <= capacity and table[0, one_more] > most:
                    most, best = table[0, one_more], one_more
            items += 1
    for i in range(len(profit)):
        if offered[i] and profit[i] > 0.0 and weight[i] <= capacity:
            taken[i] = best % 2 == 1
            best //= 2
    return float(most)


@compiled_in_place
def _all_fit(profit: Floats, weight: Ints, capacity: int, offered: Bools) -> bool:
    """Whether there is room for all items of some profit: then there is nothing to choose."""
    room = capacity
    for i in range(len(profit)):
        if offered[i] and profit[i] > 0.0:
            room -= weight[i]
            if room < 0:
                return False
    return True


@compiled
def forced(profit: Floats, weight: Ints, capacity: int, offered: Bools, with_it: Floats, without: Floats) -> None:
    """Write, by item that is offered, the most profit with it (-inf where it is too large) and without it."""
    chosen = np.flatnonzero(offered & (profit > 0.0) & (weight <= capacity))
    count = len(chosen)
    before = np.zeros((count + 1, capacity + 1))
    behind = np.zeros((count + 1, capacity + 1))
    for j in range(count):
        i = chosen[j]
        for room in range(capacity + 1):
            before[j + 1, room] = before[j, room]
            if room >= weight[i]:
                before[j + 1, room] = max(before[j, room], before[j, room - weight[i]] + profit[i])
    for j in range(count - 1, -1, -1):
        i = chosen[j]
        for room in range(capacity + 1):
            behind[j, room] = behind[j + 1, room]
            if room >= weight[i]:
                behind[j, room] = max(behind[j + 1, room], behind[j + 1, room - weight[i]] + profit[i])
    for i in range(len(profit)):
        with_it[i] = without[i] = -np.inf
        if offered[i]:
            without[i] = before[count, capacity]
            if weight[i] <= capacity:
                with_it[i] = profit[i] + before[count, capacity - weight[i]]
    for j in range(count):
        i = chosen[j]
        left = capacity - weight[i]
        without[i] = with_it[i] = 0.0
        for room in range(capacity + 1):
            without[i] = max(without[i], before[j, room] + behind[j + 1, capacity - room])
        for room in range(left + 1):
            with_it[i] = max(with_it[i], profit[i] + before[j, room] + behind[j + 1, left - room])
