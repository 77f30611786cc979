"""Greedy onloading at given prices: a monotone submodular function under one knapsack a location, compiled.

- ``lazy_greedy``: most gain per byte first, over all locations at once. Gains only shrink as models are added, so a
  candidate whose refreshed gain still leads is taken without looking at the others (Minoux 1978).
- ``improve``: one location after another is filled anew with all others as they are: by gain per byte after each
  choice of a first model, the best of them kept (partial enumeration, as Sviridenko 2004 has it with three).
- ``upper_bound``: no set of models can be worth more (Leskovec et al. 2007, a knapsack a location).

``held[location, model]`` is the position of the batch size, -1 for a model that is not there; clients only use 0.
"""

from __future__ import annotations

import heapq
from typing import NamedTuple

import numpy as np

from splitshare.compilation import compiled
from splitshare.onloading.arrays import Arrays, Floats, Ints
from splitshare.onloading.objective import Hosts

LEAST_GAIN = 1e-12
"""Right answers a second below which a model is not worth its place."""


class Values(NamedTuple):
    """What each row is worth, per second and at least 0, if one model answers all of it (R rows, J models)."""

    client: Floats
    """At its client, shape (R, J, 1)."""
    edge: Floats
    """At its server, by batch size, shape (R, J, B)."""
    elsewhere: Floats
    """In the cloud or not answered, the better of them, shape (R,)."""


class Knapsacks(NamedTuple):
    """Memory of all locations, clients first, then servers, and the rows that each may answer."""

    clients: int
    """How many of the locations are clients."""
    rows: Ints
    """First row of each location and one past its last, shape (locations, 2)."""
    capacity: Floats
    """Bytes, shape (locations,)."""
    memory: Floats
    """Bytes of each model, shape (J,)."""
    rate: Floats
    """Queries a second of each row, shape (R,)."""
    least: Floats
    """Queries a second that fill batches in time, by batch size, shape (B,)."""


def knapsacks_of(arrays: Arrays) -> Knapsacks:
    """The locations of an instance."""
    return Knapsacks(
        len(arrays.client_memory),
        np.concatenate([arrays.client_rows, arrays.server_rows]),
        np.concatenate([arrays.client_memory, arrays.server_memory]),
        arrays.memory,
        arrays.rate,
        arrays.least_rate,
    )


def hosts_of_filling(sacks: Knapsacks, held: Ints) -> Hosts:
    """A filling of all locations as the evaluator reads it; ``held`` has the shape (locations, J)."""
    return Hosts(held[: sacks.clients] >= 0, held[sacks.clients :].copy())


@compiled
def gain_of(value: Floats, best: Floats, model: int, batch: int, rate: Floats, least: float) -> float:
    """What a model adds to rows that are worth ``best``: nothing where fewer than ``least`` queries a second come."""
    gain = queries = 0.0
    for r in range(len(best)):
        if value[r, model, batch] > best[r]:
            gain += value[r, model, batch] - best[r]
            queries += rate[r]
    return gain if queries >= least else 0.0


@compiled
def take(value: Floats, best: Floats, model: int, batch: int) -> None:
    """Add a model: raises ``best`` in place."""
    for r in range(len(best)):
        best[r] = max(best[r], value[r, model, batch])


@compiled
def lazy_greedy(values: Values, sacks: Knapsacks) -> Ints:
    """Fill all locations at once; returns ``held``, shape (locations, models)."""
    rows, memory = sacks.rows, sacks.memory
    held = np.full((len(rows), len(memory)), -1, dtype=np.int64)
    free = sacks.capacity.copy()
    best = values.elsewhere.copy()
    heap = [(0.0, 0, 0, 0)]
    heap.pop()
    for location in range(len(rows)):
        first, last = rows[location]
        value = (values.client if location < sacks.clients else values.edge)[first:last]
        for model in range(len(memory)):
            if memory[model] > free[location]:
                continue
            for batch in range(value.shape[2]):
                gain = gain_of(value, best[first:last], model, batch, sacks.rate[first:last], sacks.least[batch])
                if gain > LEAST_GAIN:
                    heap.append((-gain / memory[model], location, model, batch))
    heapq.heapify(heap)
    while heap:
        _, location, model, batch = heapq.heappop(heap)
        if held[location, model] >= 0 or memory[model] > free[location]:
            continue
        first, last = rows[location]
        value = (values.client if location < sacks.clients else values.edge)[first:last]
        gain = gain_of(value, best[first:last], model, batch, sacks.rate[first:last], sacks.least[batch])
        if gain <= LEAST_GAIN:
            continue
        refreshed = (-gain / memory[model], location, model, batch)
        if heap and heap[0] < refreshed:
            heapq.heappush(heap, refreshed)
            continue
        held[location, model] = batch
        free[location] -= memory[model]
        take(value, best[first:last], model, batch)
    return held


@compiled
def fill(value: Floats, best: Floats, sacks: Knapsacks, rate: Floats, free: float, held: Ints) -> None:
    """Fill one location by gain per byte on top of ``held`` and ``best``, both changed in place.

    Args:
        value: of the location's rows.
        best: worth of these rows so far.
        sacks: the instance's locations and models.
        rate: of the location's rows.
        free: bytes that are left.
        held: what the location holds.
    """
    memory = sacks.memory
    while True:
        leader, leader_batch, leader_score = -1, 0, 0.0
        for model in range(len(memory)):
            if held[model] >= 0 or memory[model] > free:
                continue
            for batch in range(value.shape[2]):
                gain = gain_of(value, best, model, batch, rate, sacks.least[batch])
                if gain > LEAST_GAIN and gain / memory[model] > leader_score:
                    leader, leader_batch, leader_score = model, batch, gain / memory[model]
        if leader < 0:
            return
        held[leader] = leader_batch
        free -= memory[leader]
        take(value, best, leader, leader_batch)


@compiled
def _best_fill(value: Floats, base: Floats, sacks: Knapsacks, rate: Floats, capacity: float, held: Ints) -> bool:
    """Fill one location in the best way found, starting with each model in turn; whether ``held`` was bettered.

    Args:
        value: of the location's rows.
        base: worth of these rows without the location.
        sacks: the instance's locations and models.
        rate: of the location's rows.
        capacity: bytes of the location.
        held: what it holds now; changed in place.
    """
    memory = sacks.memory
    present = base.copy()
    for model in range(len(memory)):
        if held[model] >= 0:
            take(value, present, model, held[model])
    worth = present.sum()
    changed = False
    for start in range(len(memory)):
        if memory[start] > capacity:
            continue
        for batch in range(value.shape[2]):
            if gain_of(value, base, start, batch, rate, sacks.least[batch]) <= LEAST_GAIN:
                continue
            trial = np.full(len(memory), -1, dtype=np.int64)
            trial[start] = batch
            best = base.copy()
            take(value, best, start, batch)
            fill(value, best, sacks, rate, capacity - memory[start], trial)
            total = best.sum()
            if total > worth * (1 + 1e-12) + LEAST_GAIN:
                worth = total
                held[:] = trial
                changed = True
    return changed


@compiled
def improve(values: Values, sacks: Knapsacks, held: Ints, passes: int) -> None:
    """Fill locations anew, one after another, until a pass over all gains nothing, at most ``passes`` times.

    Servers come before clients; ``held`` is changed in place.
    """
    locations = len(sacks.rows)
    for _ in range(passes):
        changed = False
        for location in range(locations - 1, -1, -1):
            first, last = sacks.rows[location]
            base = values.elsewhere[first:last].copy()
            for other in range(locations):
                low, high = max(first, sacks.rows[other, 0]), min(last, sacks.rows[other, 1])
                if other == location or low >= high:
                    continue
                value = values.client if other < sacks.clients else values.edge
                for model in range(len(sacks.memory)):
                    if held[other, model] >= 0:
                        take(value[low:high], base[low - first : high - first], model, held[other, model])
            value = (values.client if location < sacks.clients else values.edge)[first:last]
            if _best_fill(value, base, sacks, sacks.rate[first:last], sacks.capacity[location], held[location]):
                changed = True
        if not changed:
            return


@compiled
def rows_worth(values: Values, sacks: Knapsacks, held: Ints) -> Floats:
    """What each row is worth with the models in ``held``; the sum is F; shape (R,)."""
    best = values.elsewhere.copy()
    for location in range(len(sacks.rows)):
        first, last = sacks.rows[location]
        value = (values.client if location < sacks.clients else values.edge)[first:last]
        for model in range(len(sacks.memory)):
            if held[location, model] >= 0:
                take(value, best[first:last], model, held[location, model])
    return best


@compiled
def upper_bound(values: Values, sacks: Knapsacks, best: Floats) -> float:
    """What no set of models can be worth more than, from what they add to rows that are worth ``best`` already.

    What a set adds is at most the sum of what its models add one by one, and that is at most what a location's
    memory holds of it by the byte. A model at a server counts with all of its batch sizes at once.
    """
    memory = sacks.memory
    bound: float = best.sum()
    for location in range(len(sacks.rows)):
        first, last = sacks.rows[location]
        value = (values.client if location < sacks.clients else values.edge)[first:last]
        free = sacks.capacity[location]
        gains = np.zeros(len(memory))
        for model in range(len(memory)):
            if memory[model] <= free:
                for r in range(last - first):
                    gains[model] += max(0.0, value[r, model].max() - best[first + r])
        for model in np.argsort(-gains / memory):
            if gains[model] <= 0.0 or free <= 0.0:
                break
            part = min(1.0, free / memory[model])
            bound += part * gains[model]
            free -= part * memory[model]
    return bound
