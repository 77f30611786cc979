"""The linear relaxation of one location's knapsack: backbones once, of variants of one at most one (ours).

Without backbones and variants it is filled by worth per byte. A backbone comes as an item with those of its models that
make the most of a byte together; its other models follow by themselves, as there is then as much of it as there can be.
Variants come along the concave hull of their group (``splitshare.onloading.variants``).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from splitshare.compilation import compiled_in_place
from splitshare.onloading.arrays import Flags, Floats, Ints
from splitshare.onloading.decomposed.gains import Sizes, kernel
from splitshare.onloading.variants import increments_into


class Items(NamedTuple):
    """Room for a knapsack's items: J models and K backbones."""

    more: Floats
    """What each model adds to the variant before it, shape (J,)."""
    need: Floats
    """Bytes that it takes more, shape (J,)."""
    before: Ints
    """That variant, -1 where there is none, shape (J,)."""
    done: Flags
    leads: Flags
    """Whether a model comes with its backbone, shape (J,)."""
    worth: Floats
    """Of each model's item, then of each backbone's, shape (J + K,)."""
    taken: Floats
    """Bytes of the same."""


@kernel
def items_for(sizes: Sizes) -> Items:
    """Room for the items of these models."""
    models, backbones = len(sizes.memory), len(sizes.backbone_memory)
    return Items(
        np.empty(models),
        np.empty(models),
        np.empty(models, dtype=np.int64),
        np.empty(models, dtype=np.bool_),
        np.empty(models, dtype=np.bool_),
        np.empty(models + backbones),
        np.empty(models + backbones),
    )


@compiled_in_place
def relaxed(value: Floats, sizes: Sizes, capacity: float, share: Floats, items: Items) -> float:
    """Fill ``capacity`` with what is worth most; writes ``share``, returns the worth.

    Args:
        value: worth of each model, 0 or more, and 0 where it does not fit, shape (J,).
        sizes: bytes of models.
        capacity: bytes.
        share: of each model that stands, shape (J,): written.
        items: to work in; what it holds is of no meaning.
    """
    models, backbones = len(value), len(sizes.backbone_memory)
    more, need, before, done, leads, worth, taken = items
    increments_into(sizes.variant, sizes.backbone, value, sizes.memory, more, need, before, done)
    for i in range(models):
        worth[i], taken[i], leads[i] = 0.0, 1.0, False
    # Items: what each model adds, then each backbone with the models that lead its own.
    for backbone in range(backbones):
        worth[models + backbone], taken[models + backbone] = _led(sizes, backbone, more, need, leads)
    for j in range(models):
        share[j] = 0.0
        if not leads[j]:
            worth[j], taken[j] = more[j], need[j]
    result, free = 0.0, capacity
    while free > 0.0:
        leader = -1
        for i in range(len(worth)):
            if worth[i] > 0.0 and (leader < 0 or worth[i] * taken[leader] > worth[leader] * taken[i]):
                leader = i
        if leader < 0:
            break
        part = min(1.0, free / taken[leader])
        result += part * worth[leader]
        free -= part * taken[leader]
        worth[leader] = 0.0
        for j in range(models):
            if j == leader or (leader >= models and leads[j] and sizes.backbone[j] == leader - models):
                share[j] += part
                if before[j] >= 0:
                    share[before[j]] -= part
    return result


@compiled_in_place
def _led(sizes: Sizes, backbone: int, more: Floats, need: Floats, leads: Flags) -> tuple[float, float]:
    """Worth and bytes of a backbone with those of its models that make the most of a byte; marks them in ``leads``."""
    total, used = 0.0, float(sizes.backbone_memory[backbone])
    while True:
        leader = -1
        for j in range(len(more)):
            if sizes.backbone[j] != backbone or leads[j] or more[j] * used <= total * need[j]:
                continue
            if leader < 0 or more[j] * need[leader] > more[leader] * need[j]:
                leader = j
        if leader < 0:
            return total, used
        leads[leader] = True
        total += more[leader]
        used += need[leader]


@compiled_in_place
def by_the_byte(value: Floats, memory: Floats, capacity: float, share: Floats) -> float:
    """The same where no models share a backbone, or are variants of one: by value per byte, the last in part."""
    total, free, left = 0.0, capacity, 0
    for j in range(len(share)):
        share[j] = 0.0
        if value[j] > 0.0:
            left += 1
    while free > 0.0 and left > 0:
        leader = -1
        for j in range(len(value)):
            if share[j] > 0.0 or value[j] <= 0.0:
                continue
            if leader < 0 or value[j] * memory[leader] > value[leader] * memory[j]:
                leader = j
        share[leader] = min(1.0, free / memory[leader])
        total += share[leader] * value[leader]
        free -= share[leader] * memory[leader]
        left -= 1
    return total
