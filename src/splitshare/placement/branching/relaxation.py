"""What the bound takes apart: requests with their own copies of their modules, devices with a knapsack each (ours).

A *slot* is a place where a module is used: one an encoder position, one a head, and one a module that no request uses
(it has to stand somewhere). Each slot chooses a device on its own, each device packs modules on its own; prices by slot
and device make them agree. Lagrangian decomposition of this kind: Guignard and Kim, *Lagrangean decomposition: a model
yielding stronger Lagrangean bounds*, Math. Programming 39 (1987) 215-228.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from splitshare.compilation import compiled, compiled_in_place
from splitshare.errors import WorkError
from splitshare.placement.arrays import Arrays, Bools, Floats, Ints, Numbered
from splitshare.placement.delta import MOST_ENCODERS, transfer_s

MOST_PATHS = 10**8
"""Encoder positions times pairs of devices that are held at once: some 1.6 GB."""
FINEST = 400
"""Steps into which a device's memory is divided for its knapsack, at most; sizes are rounded down to them."""
MOST_TRIALS = 50_000
"""Partial routes of one request that are looked at before the bound is taken for what it is."""


class Relaxation(NamedTuple):
    """Numbers of an instance that the bound needs beside ``arrays``. S slots; M, N, K, P as there."""

    arrays: Arrays
    path_s: Floats
    """(P, H, N): from the source over device n to the head's device h, for an encoder that is alone on n."""
    rank: NDArray[np.int32]
    """(P, H, N): devices n in ascending ``path_s``."""
    slot: Ints
    """(S): module of a slot; positions, heads and unused modules, in this order."""
    weight: Ints
    """(M, N): memory in steps, rounded down."""
    capacity: Ints
    """(N): memory in steps, rounded down: what fits in bytes fits in steps."""
    replicas: bool
    """Whether a module may stand on several devices."""


class Scratch(NamedTuple):
    """Space that one request's search writes into; ``route`` is its answer: encoders' devices, then the head's."""

    floats: Floats
    ints: Ints
    least: Floats
    low_s: Floats
    route: Ints


def relaxation(problem: Numbered) -> Relaxation:
    """Prepare an instance.

    Raises:
        WorkError: sizes in memory cannot be added exactly, or the instance is too large to be held.
    """
    arrays, instance = problem.arrays, problem.instance
    if not problem.whole_units:
        raise WorkError(
            f"{instance.name}: the builtin solver adds bytes exactly, and these have too many digits; "
            "round memory_bytes, or take another solver"
        )
    devices = len(arrays.room)
    if len(arrays.encoder) * devices**2 > MOST_PATHS:
        raise WorkError(f"{instance.name}: too large for the builtin solver; take a heuristic")
    path_s, rank = _paths(arrays)
    used = np.zeros(len(instance.modules), dtype=np.bool_)
    used[arrays.encoder] = used[arrays.head] = True
    weight, capacity = np.zeros_like(arrays.size), np.zeros(devices, dtype=np.int64)
    for n in range(devices):
        unit = max(int(np.gcd.reduce([*arrays.size[:, n], arrays.room[n]])), -(-int(arrays.room[n]) // FINEST), 1)
        weight[:, n], capacity[n] = arrays.size[:, n] // unit, arrays.room[n] // unit
    slot = np.concatenate([arrays.encoder, arrays.head, np.flatnonzero(~used)]).astype(np.int64)
    return Relaxation(arrays, path_s, rank, slot, weight, capacity, instance.replication)


class Ask(NamedTuple):
    """What is asked about one request."""

    weight: float
    """Of a second of its latency."""
    cut_s: float
    """Routes that take so long or longer do not count."""
    best: float
    """What the answer has to be below."""
    fast: int
    """An encoder (or the head, as the one after the last) that is held fast; -1 for none."""
    on: int
    """The device on which it is held."""


def scratch(devices: int) -> Scratch:
    """Space for searches over so many devices."""
    wide = MOST_ENCODERS + 2
    return Scratch(
        np.zeros((6, wide)),
        np.zeros((4, wide), np.int64),
        np.zeros(devices),
        np.zeros(devices),
        np.zeros(wide, np.int64),
    )


@compiled
def _paths(arrays: Arrays) -> tuple[Floats, NDArray[np.int32]]:
    positions, devices = arrays.ready_s.shape
    path_s = np.empty((positions, devices, devices))
    rank = np.empty((positions, devices, devices), np.int32)
    for p in range(positions):
        for h in range(devices):
            for n in range(devices):
                done = arrays.ready_s[p, n] + arrays.compute_s[p, n]
                path_s[p, h, n] = done + transfer_s(arrays, n, int(h), arrays.output_bytes[p])
            rank[p, h] = np.argsort(path_s[p, h])
    return path_s, rank


@compiled_in_place
def _together_s(arrays: Arrays, first: int, last: int, device: int, head: int, space: Scratch) -> float:
    """When the outputs of the chosen encoders up to ``last`` that share ``device`` are at the head."""
    chosen, order = space.ints[1], space.ints[2]
    count = 0
    for q in range(last + 1):
        if chosen[q] == device:
            place = count
            while place > 0 and arrays.ready_s[first + order[place - 1], device] > arrays.ready_s[first + q, device]:
                order[place] = order[place - 1]
                place -= 1
            order[place] = q
            count += 1
    free = there = 0.0
    for i in range(count):
        p = first + order[i]
        free = max(free, arrays.ready_s[p, device]) + arrays.compute_s[p, device]
        there = max(there, free + transfer_s(arrays, device, head, arrays.output_bytes[p]))
    return there


@compiled_in_place
def _prepare(problem: Relaxation, k: int, may: Bools, price: Floats, ask: Ask, space: Scratch) -> None:
    """Least prices of the rest of the encoders, and for each device of the head the least that a route can cost."""
    arrays = problem.arrays
    fast, on = ask.fast, ask.on
    first, count, devices = arrays.first[k], arrays.first[k + 1] - arrays.first[k], len(arrays.room)
    rest, compute = space.floats[0], space.floats[1]
    rest[count] = compute[count] = 0.0
    for e in range(count - 1, -1, -1):
        least = quickest = np.inf
        for n in range(devices):
            if may[arrays.encoder[first + e], n] and (e != fast or n == on):
                least = min(least, price[first + e, n])
                quickest = min(quickest, arrays.compute_s[first + e, n])
        rest[e], compute[e] = rest[e + 1] + least, compute[e + 1] + quickest
    slot = len(arrays.encoder) + k
    for h in range(devices):
        space.least[h] = np.inf
        if not may[arrays.head[k], h] or (fast == count and h != on):
            continue
        start = compute[0] if arrays.sequential else 0.0
        for e in range(count):
            p = first + e
            if e == fast:
                start = max(start, problem.path_s[p, h, on])
                continue
            for n in problem.rank[p, h]:
                if may[arrays.encoder[p], n]:
                    start = max(start, problem.path_s[p, h, n])
                    break
        space.low_s[h] = start
        whole_s = start + arrays.head_s[k, h] + arrays.back_s[k, h]
        if whole_s < ask.cut_s:  # which leaves out what is infinite
            space.least[h] = ask.weight * whole_s + price[slot, h] + rest[0]


# Long: a depth-first search without recursion.
@compiled_in_place
def cheapest_route(  # noqa: PLR0912, PLR0915  (one loop)
    problem: Relaxation, k: int, may: Bools, price: Floats, ask: Ask, space: Scratch
) -> float:
    """The least of weight times latency plus prices over the routes of request ``k``.

    Args:
        problem: the instance.
        k: the request.
        may: (M, N) where modules may stand.
        price: (S, N) of a slot on a device.
        ask: how a second counts and which routes do.
        space: written into; its ``route`` is the answer's, where there is one.

    Returns:
        The least, or ``best`` where none is below it. Never more than the least below ``best``; less only where the
        search has grown too long.
    """
    arrays = problem.arrays
    first, count, devices = arrays.first[k], arrays.first[k + 1] - arrays.first[k], len(arrays.room)
    slot = len(arrays.encoder) + k
    weight, cut_s, best, fast, on = ask.weight, ask.cut_s, ask.best, ask.fast, ask.on
    _prepare(problem, k, may, price, ask, space)
    rest, compute, at_s, paid, done_s = (
        space.floats[0],
        space.floats[1],
        space.floats[2],
        space.floats[3],
        space.floats[4],
    )
    tried, chosen = space.ints[0], space.ints[1]
    trials = 0
    while True:
        h = np.argmin(space.least)
        if not space.least[h] < best:
            return best
        space.least[h] = np.inf
        after_s = arrays.head_s[k, h] + arrays.back_s[k, h]
        base = weight * after_s + price[slot, h]
        e = tried[0] = 0
        while e >= 0:
            if tried[e] >= devices:
                e -= 1
                continue
            p = first + e
            n = int(problem.rank[p, h, tried[e]])
            tried[e] += 1
            if not may[arrays.encoder[p], n] or (e == fast and n != on):
                continue
            trials += 1
            so_far_s = at_s[e - 1] if e > 0 else space.low_s[h]
            so_far = paid[e - 1] if e > 0 else 0.0
            there_s = max(so_far_s, problem.path_s[p, h, n])
            if not (base + weight * there_s + so_far + rest[e] < best and there_s + after_s < cut_s):
                e -= 1  # the devices that come take longer still
                continue
            chosen[e] = n
            if arrays.sequential:
                done_s[e] = max(arrays.ready_s[p, n], done_s[e - 1] if e > 0 else 0.0) + arrays.compute_s[p, n]
                there_s = max(there_s, done_s[e] + transfer_s(arrays, n, int(h), arrays.output_bytes[p]))
                there_s = max(there_s, done_s[e] + compute[e + 1])
            else:
                for q in range(e):
                    if chosen[q] == n:
                        there_s = max(there_s, _together_s(arrays, first, e, n, int(h), space))
                        break
            pays = so_far + price[p, n]
            cost = base + weight * there_s + pays + rest[e + 1]
            if not (cost < best and there_s + after_s < cut_s):
                continue
            if e == count - 1 or trials > MOST_TRIALS:
                best = cost
                for q in range(count):
                    space.route[q] = chosen[min(q, e)]
                space.route[count] = h
            else:
                at_s[e], paid[e] = there_s, pays
                e += 1
                tried[e] = 0
