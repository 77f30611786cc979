"""Greedy onloading at given prices: a monotone submodular function under one knapsack a location, compiled.

- ``lazy_greedy``: most gain per byte first, over all locations at once. Gains only shrink as models are added, so a
  candidate whose refreshed gain still leads is taken without looking at the others (Minoux 1978).
- ``improve``: one location after another is filled anew with all others as they are: by gain per byte after each
  choice of a first model, the best of them kept (partial enumeration, as Sviridenko 2004 has it with three).
- ``upper_bound``: no set of models can be worth more (Leskovec et al. 2007, a knapsack a location).

Locations are numbered clients first, then servers. ``held[location, model]`` is the position of the batch size, -1 for
a model that is not there; clients only use 0. Values are those of ``lagrangian.Values``: at least 0.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from typing import ParamSpec, TypeVar

import numpy as np
from numba import njit

from splitshare.onloading.arrays import Floats, Ints

_P = ParamSpec("_P")
_R = TypeVar("_R")
LEAST_GAIN = 1e-12
"""Right answers a second below which a model is not worth its place."""


def _compiled(function: Callable[_P, _R]) -> Callable[_P, _R]:
    """``numba.njit`` with a type that a checker can follow; compiled on the first call, cached on disk."""
    wrapped: Callable[_P, _R] = njit(cache=True)(function)
    return wrapped


@_compiled
def _gain(client: Floats, edge: Floats, best: Floats, first: int, last: int, model: int, batch: int) -> float:
    """What a model adds to rows ``first`` to ``last``; ``batch`` is -1 at a client."""
    gain = 0.0
    for r in range(first, last):
        value = client[r, model] if batch < 0 else edge[r, model, batch]
        gain += max(0.0, value - best[r])
    return gain


@_compiled
def _take(client: Floats, edge: Floats, best: Floats, first: int, last: int, model: int, batch: int) -> None:
    for r in range(first, last):
        value = client[r, model] if batch < 0 else edge[r, model, batch]
        best[r] = max(best[r], value)


@_compiled
def lazy_greedy(
    client: Floats,
    edge: Floats,
    elsewhere: Floats,
    rows: Ints,
    capacity: Floats,
    memory: Floats,
    clients: int,
) -> Ints:
    """Fill all locations; returns ``held``, shape (locations, models).

    Args:
        client: values, shape (rows, models).
        edge: values, shape (rows, models, batch sizes).
        elsewhere: values, shape (rows,).
        rows: first row of each location and one past its last, shape (locations, 2).
        capacity: bytes of each location, shape (locations,).
        memory: bytes of each model, shape (models,).
        clients: how many of the locations are clients.
    """
    models, batches = edge.shape[1], edge.shape[2]
    held = np.full((len(capacity), models), -1, dtype=np.int64)
    free = capacity.copy()
    best = elsewhere.copy()
    heap = [(0.0, 0, 0, 0)]
    heap.pop()
    for location in range(len(capacity)):
        for model in range(models):
            if memory[model] > free[location]:
                continue
            for size in range(1 if location < clients else batches):
                batch = -1 if location < clients else size
                gain = _gain(client, edge, best, rows[location, 0], rows[location, 1], model, batch)
                if gain > LEAST_GAIN:
                    heap.append((-gain / memory[model], location, model, batch))
    heapq.heapify(heap)
    while heap:
        _, location, model, batch = heapq.heappop(heap)
        if held[location, model] >= 0 or memory[model] > free[location]:
            continue
        first, last = rows[location, 0], rows[location, 1]
        gain = _gain(client, edge, best, first, last, model, batch)
        if gain <= LEAST_GAIN:
            continue
        refreshed = (-gain / memory[model], location, model, batch)
        if heap and heap[0] < refreshed:
            heapq.heappush(heap, refreshed)
            continue
        held[location, model] = max(batch, 0)
        free[location] -= memory[model]
        _take(client, edge, best, first, last, model, batch)
    return held


@_compiled
def _fill(
    client: Floats, edge: Floats, best: Floats, first: int, last: int, free: float, memory: Floats, held: Ints, here: bool
) -> None:
    """Fill one location by gain per byte, starting from ``held`` and ``best``, both changed in place."""
    models, batches = edge.shape[1], edge.shape[2]
    while True:
        leader, leader_batch, leader_score = -1, -1, 0.0
        for model in range(models):
            if held[model] >= 0 or memory[model] > free:
                continue
            for size in range(1 if here else batches):
                batch = -1 if here else size
                gain = _gain(client, edge, best, first, last, model, batch)
                if gain > LEAST_GAIN and gain / memory[model] > leader_score:
                    leader, leader_batch, leader_score = model, batch, gain / memory[model]
        if leader < 0:
            return
        held[leader] = max(leader_batch, 0)
        free -= memory[leader]
        _take(client, edge, best, first, last, leader, leader_batch)


@_compiled
def improve(
    client: Floats,
    edge: Floats,
    elsewhere: Floats,
    rows: Ints,
    capacity: Floats,
    memory: Floats,
    clients: int,
    held: Ints,
    sweeps: int,
) -> None:
    """Fill locations anew, one after another, until a sweep over all of them gains nothing; changes ``held``.

    Args:
        client: as ``lazy_greedy``.
        edge: as ``lazy_greedy``.
        elsewhere: as ``lazy_greedy``.
        rows: as ``lazy_greedy``.
        capacity: as ``lazy_greedy``.
        memory: as ``lazy_greedy``.
        clients: as ``lazy_greedy``.
        held: shape (locations, models).
        sweeps: at most so many.
    """
    models, batches = edge.shape[1], edge.shape[2]
    locations = len(capacity)
    for _ in range(sweeps):
        changed = False
        for location in range(locations - 1, -1, -1):
            first, last = rows[location, 0], rows[location, 1]
            here = location < clients
            base = elsewhere[first:last].copy()
            for other in range(locations):
                if other == location or rows[other, 1] <= first or rows[other, 0] >= last:
                    continue
                for model in range(models):
                    if held[other, model] >= 0:
                        batch = -1 if other < clients else held[other, model]
                        for r in range(max(first, rows[other, 0]), min(last, rows[other, 1])):
                            value = client[r, model] if batch < 0 else edge[r, model, batch]
                            base[r - first] = max(base[r - first], value)
            before = base.copy()
            for model in range(models):
                if held[location, model] >= 0:
                    batch = -1 if here else held[location, model]
                    _take(client[first:last], edge[first:last], before, 0, last - first, model, batch)
            worth = before.sum()
            for start in range(models):
                if memory[start] > capacity[location]:
                    continue
                for size in range(1 if here else batches):
                    trial = np.full(models, -1, dtype=np.int64)
                    best = base.copy()
                    batch = -1 if here else size
                    if _gain(client[first:last], edge[first:last], best, 0, last - first, start, batch) <= LEAST_GAIN:
                        continue
                    trial[start] = size
                    _take(client[first:last], edge[first:last], best, 0, last - first, start, batch)
                    free = capacity[location] - memory[start]
                    _fill(client[first:last], edge[first:last], best, 0, last - first, free, memory, trial, here)
                    total = best.sum()
                    if total > worth * (1 + 1e-12) + LEAST_GAIN:
                        worth = total
                        held[location] = trial
                        changed = True
        if not changed:
            return


@_compiled
def rows_worth(client: Floats, edge: Floats, elsewhere: Floats, rows: Ints, clients: int, held: Ints) -> Floats:
    """What each row is worth with the models in ``held``; the sum is F; shape (rows,)."""
    best = elsewhere.copy()
    for location in range(len(rows)):
        for model in range(held.shape[1]):
            if held[location, model] >= 0:
                batch = -1 if location < clients else held[location, model]
                _take(client, edge, best, rows[location, 0], rows[location, 1], model, batch)
    return best


@_compiled
def upper_bound(
    client: Floats,
    edge: Floats,
    best: Floats,
    rows: Ints,
    capacity: Floats,
    memory: Floats,
    clients: int,
) -> float:
    """What no set of models can be worth more than, from what they add to rows that are worth ``best`` already.

    What a set adds is at most the sum of what its models add one by one, and that is at most what a location's
    memory holds of it by the byte. A model at a server counts with all of its batch sizes at once.
    """
    models, batches = edge.shape[1], edge.shape[2]
    bound = best.sum()
    for location in range(len(capacity)):
        first, last = rows[location, 0], rows[location, 1]
        gains = np.zeros(models)
        for model in range(models):
            if memory[model] > capacity[location]:
                continue
            for r in range(first, last):
                value = 0.0
                if location < clients:
                    value = client[r, model]
                else:
                    for size in range(batches):
                        value = max(value, edge[r, model, size])
                gains[model] += max(0.0, value - best[r])
        free = capacity[location]
        for model in np.argsort(-gains / memory):
            if gains[model] <= 0.0 or free <= 0.0:
                break
            part = min(1.0, free / memory[model])
            bound += part * gains[model]
            free -= part * memory[model]
    return bound
