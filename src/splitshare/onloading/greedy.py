"""Greedy onloading at given prices: a monotone submodular function under one knapsack a location, compiled.

- ``lazy_greedy``: most gain per byte first, over all locations at once. Gains only shrink as models are added, so a
  candidate whose refreshed gain still leads is taken without looking at the others (Minoux 1978).
- ``upper_bound``: no set of models can be worth more (Leskovec et al. 2007, a knapsack a location).

Where models share a backbone, what a model takes depends on what stands there: its own bytes, and the backbone's unless
it is loaded. A backbone is then weighed as a whole too, with as many of its models as make most gain per byte, so that
it is not passed over because no single model of it pays for it (ours). Of variants of one model, what stands at a place
keeps the others out; ``filling`` also exchanges one for another.

``held[location, model]`` is the position of the batch size, -1 for a model that is not there; clients only use 0.
"""

from __future__ import annotations

import heapq
from typing import NamedTuple

import numpy as np

from splitshare.compilation import compiled, compiled_inlined
from splitshare.onloading.arrays import Arrays, Flags, Floats, Ints
from splitshare.onloading.objective import Hosts
from splitshare.onloading.variants import grouped, increments, sibling_of

LEAST_GAIN = 1e-12
"""Right answers a second below which a model is not worth its place."""


class Values(NamedTuple):
    """What each row is worth, per second and at least 0, if one model answers all of it (R rows, J models)."""

    client: Floats
    """At its client, shape (R, J, 1)."""
    edge: Floats
    """At each stop's server, by batch size, shape (P, J, B); without servers above servers a row has one stop."""
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
    """Bytes of each model, without its backbone, shape (J,)."""
    backbone: Ints
    """Position of each model's backbone, -1 where it shares none, shape (J,)."""
    backbone_memory: Floats
    """Bytes of each backbone, shape (K,)."""
    variant: Ints
    """Position of the group that each model is a variant of, -1 where it is of none, shape (J,)."""
    rate: Floats
    """Queries a second of each row, shape (R,)."""
    least: Floats
    """Queries a second that fill batches in time, by batch size, shape (B,)."""
    start: Ints
    """Where each location's rows start in the values of its kind, a row for a client, a stop for a server."""


def knapsacks_of(arrays: Arrays) -> Knapsacks:
    """The locations of an instance."""
    return Knapsacks(
        len(arrays.client_memory),
        np.concatenate([arrays.client_rows, arrays.server_rows]),
        np.concatenate([arrays.client_memory, arrays.server_memory]),
        arrays.memory,
        arrays.backbone,
        arrays.backbone_memory,
        arrays.variant,
        arrays.rate,
        arrays.least_rate,
        np.concatenate([arrays.client_rows[:, 0], arrays.server_stops[:, 0]]),
    )


def hosts_of_filling(sacks: Knapsacks, held: Ints) -> Hosts:
    """A filling of all locations as the evaluator reads it; ``held`` has the shape (locations, J)."""
    return Hosts(held[: sacks.clients] >= 0, held[sacks.clients :].copy())


@compiled_inlined
def values_of(values: Values, sacks: Knapsacks, location: int) -> Floats:
    """What a location's rows are worth there, by model and batch size, shape (its rows, J, B); a view."""
    first, last = sacks.rows[location]
    start = sacks.start[location]
    return (values.client if location < sacks.clients else values.edge)[start : start + last - first]


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
def loaded_by(sacks: Knapsacks, held: Ints) -> Flags:
    """Which backbones the models that a location holds have loaded, shape (K,)."""
    loaded = np.zeros(len(sacks.backbone_memory), dtype=np.bool_)
    for model in range(len(held)):
        if held[model] >= 0 and sacks.backbone[model] >= 0:
            loaded[sacks.backbone[model]] = True
    return loaded


@compiled
def need_of(sacks: Knapsacks, loaded: Flags, model: int) -> float:
    """Bytes that a model takes where these backbones are loaded."""
    need: float = sacks.memory[model]
    if sacks.backbone[model] >= 0 and not loaded[sacks.backbone[model]]:
        need += sacks.backbone_memory[sacks.backbone[model]]
    return need


@compiled
def needs_of(sacks: Knapsacks, held: Ints) -> Floats:
    """Bytes that each model takes beside what a location holds, shape (J,)."""
    loaded = loaded_by(sacks, held)
    needs = np.empty(len(held))
    for model in range(len(held)):
        needs[model] = need_of(sacks, loaded, model)
    return needs


@compiled
def used_by(sacks: Knapsacks, held: Ints) -> float:
    """Bytes of what a location holds, each backbone once."""
    used: float = sacks.memory[held >= 0].sum()
    if len(sacks.backbone_memory):
        used += sacks.backbone_memory[loaded_by(sacks, held)].sum()
    return used


@compiled
def together(
    value: Floats, best: Floats, sacks: Knapsacks, rate: Floats, free: float, held: Ints, backbone: int
) -> tuple[float, float, Ints]:
    """A backbone with those of its models that together gain most per byte, found greedily.

    Args:
        value: of the location's rows.
        best: worth of these rows so far.
        sacks: the instance's locations and models.
        rate: of the location's rows.
        free: bytes that are left.
        held: what the location holds.
        backbone: which.

    Returns:
        Gain per byte (0 where it is loaded, or nothing fits or gains), bytes, and ``held`` with these models.
    """
    if loaded_by(sacks, held)[backbone]:
        return 0.0, 0.0, held
    memory = sacks.memory
    trial, risen, chosen = held.copy(), best.copy(), held.copy()
    used = sacks.backbone_memory[backbone]
    total = chosen_ratio = chosen_used = 0.0
    while True:
        leader, leader_batch, leader_gain = -1, 0, 0.0
        for model in range(len(memory)):
            if sacks.backbone[model] != backbone or trial[model] >= 0 or used + memory[model] > free:
                continue
            if sibling_of(sacks.variant, trial, model) >= 0:
                continue
            for batch in range(value.shape[2]):
                gain = gain_of(value, risen, model, batch, rate, sacks.least[batch])
                if gain > LEAST_GAIN and (leader < 0 or gain / memory[model] > leader_gain / memory[leader]):
                    leader, leader_batch, leader_gain = model, batch, gain
        if leader < 0 or total + leader_gain <= chosen_ratio * (used + memory[leader]):
            return chosen_ratio, chosen_used, chosen
        trial[leader] = leader_batch
        used += memory[leader]
        total += leader_gain
        take(value, risen, leader, leader_batch)
        chosen_ratio, chosen_used, chosen = total / used, used, trial.copy()


@compiled
def adopt(value: Floats, best: Floats, held: Ints, filling: Ints) -> None:
    """Add what ``filling`` holds and ``held`` does not: both ``held`` and ``best`` change in place."""
    for model in range(len(held)):
        if filling[model] != held[model]:
            held[model] = filling[model]
            take(value, best, model, held[model])


@compiled
def _queue(
    heap: list[tuple[float, int, int, int]],
    values: Values,
    sacks: Knapsacks,
    best: Floats,
    held: Ints,
    needs: Floats,
    free: float,
    location: int,
) -> None:
    """Append every model that a location does not hold, fits and gains, by gain per byte."""
    first, last = sacks.rows[location]
    value = values_of(values, sacks, location)
    rate, here = sacks.rate[first:last], best[first:last]
    for model in range(len(needs)):
        if held[location, model] >= 0 or needs[model] > free:
            continue
        if sibling_of(sacks.variant, held[location], model) >= 0:
            continue
        for batch in range(value.shape[2]):
            gain = gain_of(value, here, model, batch, rate, sacks.least[batch])
            if gain > LEAST_GAIN:
                heap.append((-gain / needs[model], location, model, batch))


# Long: models and whole backbones share one heap, and a backbone that is loaded makes its other models cheaper.
@compiled
def lazy_greedy(values: Values, sacks: Knapsacks) -> Ints:
    """Fill all locations at once; returns ``held``, shape (locations, models)."""
    rows, models, backbones = sacks.rows, len(sacks.memory), len(sacks.backbone_memory)
    held = np.full((len(rows), models), -1, dtype=np.int64)
    free = sacks.capacity.copy()
    best = values.elsewhere.copy()
    alone = needs_of(sacks, held[0])
    needs = np.empty(held.shape)
    heap = [(0.0, 0, 0, 0)]
    heap.pop()
    for location in range(len(rows)):
        needs[location] = alone
        _queue(heap, values, sacks, best, held, alone, free[location], location)
        first, last = rows[location]
        value = values_of(values, sacks, location)
        for backbone in range(backbones):
            # In the heap a whole backbone counts as one model more.
            score, _, _ = together(
                value, best[first:last], sacks, sacks.rate[first:last], free[location], held[location], backbone
            )
            heap.append((-score, location, models + backbone, 0))
    heapq.heapify(heap)
    while heap:
        _, location, model, batch = heapq.heappop(heap)
        first, last = rows[location]
        value = values_of(values, sacks, location)
        rate, here, filling = sacks.rate[first:last], best[first:last], held[location]
        if model < models:
            need = needs[location, model]
            if filling[model] >= 0 or need > free[location] or sibling_of(sacks.variant, filling, model) >= 0:
                continue
            gain = gain_of(value, here, model, batch, rate, sacks.least[batch])
            score = gain / need if gain > LEAST_GAIN else 0.0
        else:
            score, need, filling = together(value, here, sacks, rate, free[location], filling, model - models)
        if score <= 0.0:
            continue
        refreshed = (-score, location, model, batch)
        if heap and heap[0] < refreshed:
            heapq.heappush(heap, refreshed)
            continue
        free[location] -= need
        if model < models:
            held[location, model] = batch
            take(value, here, model, batch)
        else:
            adopt(value, here, held[location], filling)
        if backbones and (model >= models or need > sacks.memory[model]):
            # The other models of a backbone that is now loaded take less than before: they may lead now.
            needs[location] = needs_of(sacks, held[location])
            _queue(heap, values, sacks, best, held, needs[location], free[location], location)
            heapq.heapify(heap)
    return held


@compiled
def rows_worth(values: Values, sacks: Knapsacks, held: Ints) -> Floats:
    """What each row is worth with the models in ``held``; the sum is F; shape (R,)."""
    best = values.elsewhere.copy()
    for location in range(len(sacks.rows)):
        first, last = sacks.rows[location]
        value = values_of(values, sacks, location)
        for model in range(len(sacks.memory)):
            if held[location, model] >= 0:
                take(value, best[first:last], model, held[location, model])
    return best


@compiled
def upper_bound(values: Values, sacks: Knapsacks, best: Floats) -> float:
    """What no set of models can be worth more than, from what they add to rows that are worth ``best`` already.

    What a set adds is at most the sum of what its models add one by one, and that is at most what a location's
    memory holds of it by the byte. A model at a server counts with all of its batch sizes at once. A backbone comes
    first with those of its models that make the most of a byte together, its other models follow by themselves: that
    is the optimum of the knapsack's linear relaxation, where of a model there is no more than of its backbone. Of
    variants of one model there is no more than one (``increments``).
    """
    memory, backbones = sacks.memory, len(sacks.backbone_memory)
    needs = needs_of(sacks, np.full(len(memory), -1, dtype=np.int64)) if backbones else memory
    # Items: the models, then the backbones, each with the models that lead its own.
    item_gain, item_need = np.zeros(len(memory) + backbones), np.ones(len(memory) + backbones)
    choices = grouped(sacks.variant)
    bound: float = best.sum()
    for location in range(len(sacks.rows)):
        first, last = sacks.rows[location]
        value = values_of(values, sacks, location)
        free = sacks.capacity[location]
        gains = np.zeros(len(memory))
        for model in range(len(memory)):
            if needs[model] <= free:
                for r in range(last - first):
                    gains[model] += max(0.0, value[r, model].max() - best[first + r])
        own = memory
        if choices:
            gains, own, _ = increments(sacks.variant, sacks.backbone, gains, memory)
        item_gain[: len(memory)], item_need[: len(memory)] = gains, own
        for backbone in range(backbones):
            total, used = 0.0, sacks.backbone_memory[backbone]
            for model in np.argsort(-gains / own):
                if sacks.backbone[model] == backbone and gains[model] * used > total * own[model]:
                    total += gains[model]
                    used += own[model]
                    item_gain[model] = 0.0
            item_gain[len(memory) + backbone], item_need[len(memory) + backbone] = total, used
        for item in np.argsort(-item_gain / item_need):
            if item_gain[item] <= 0.0 or free <= 0.0:
                break
            part = min(1.0, free / item_need[item])
            bound += part * item_gain[item]
            free -= part * item_need[item]
    return bound
