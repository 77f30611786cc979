"""Variants of one model, of which at most one stands at a place: which exclude which, and a choice's items; compiled.

To choose at most one model of a group and then pack is the multiple-choice knapsack. Its linear relaxation is that of a
plain knapsack (Sinha and Zoltners 1979): along the concave hull of a group's worth over bytes, the first model is an
item, and each further one is the item of what it adds to the one before.
"""

from __future__ import annotations

import numpy as np

from splitshare.compilation import compiled, compiled_in_place
from splitshare.onloading.arrays import Flags, Floats, Ints


@compiled
def sibling_of(variant: Ints, held: Ints, model: int) -> int:
    """The other variant of a model's group that is held, -1 where there is none."""
    if variant[model] < 0:
        return -1
    for other in range(len(held)):
        if other != model and held[other] >= 0 and variant[other] == variant[model]:
            return other
    return -1


@compiled
def grouped(variant: Ints) -> bool:
    """Whether any model is a variant of a group."""
    return bool((variant >= 0).any())


@compiled
def increments(variant: Ints, backbone: Ints, worth: Floats, memory: Floats) -> tuple[Floats, Floats, Ints]:
    """Items of which the relaxed knapsack is that of the models with at most one of each group.

    A group whose models do not all share one backbone, or all none, is left as it is, as if they could stand together:
    that is no less.

    Args:
        variant: group of each model, -1 where it is of none, shape (J,).
        backbone: backbone of each model, -1 where it shares none.
        worth: of each model, 0 or more.
        memory: bytes of its own.

    Returns:
        Worth and bytes of each model's item (0, and those of the model, where it has none), and the model in whose
        place it comes, -1 where it comes for itself.
    """
    more, bytes_more, before = np.empty(len(worth)), np.empty(len(worth)), np.empty(len(worth), dtype=np.int64)
    increments_into(variant, backbone, worth, memory, more, bytes_more, before, np.empty(len(worth), dtype=np.bool_))
    return more, bytes_more, before


@compiled_in_place
def increments_into(  # noqa: PLR0912
    variant: Ints,
    backbone: Ints,
    worth: Floats,
    memory: Floats,
    more: Floats,
    bytes_more: Floats,
    before: Ints,
    done: Flags,
) -> None:
    """The same, written into ``more``, ``bytes_more`` and ``before``; ``done`` is room to work in, shape (J,)."""
    models = len(worth)
    for j in range(models):
        more[j], bytes_more[j], before[j], done[j] = worth[j], memory[j], -1, False
    for first in range(models):
        group = variant[first]
        if group < 0 or done[first]:
            continue
        alike = True
        for j in range(first, models):
            if variant[j] == group:
                done[j] = True
                alike = alike and backbone[j] == backbone[first]
        if not alike:
            continue
        for j in range(first, models):
            if variant[j] == group:
                more[j] = 0.0
        last, last_worth, last_bytes = -1, 0.0, 0.0
        while True:
            leader, steepest = -1, 0.0
            for j in range(first, models):
                if variant[j] != group or worth[j] <= last_worth or memory[j] <= last_bytes:
                    continue
                slope = (worth[j] - last_worth) / (memory[j] - last_bytes)
                if slope > steepest or (slope == steepest and leader >= 0 and memory[j] > memory[leader]):
                    leader, steepest = j, slope
            if leader < 0:
                break
            more[leader], bytes_more[leader] = worth[leader] - last_worth, memory[leader] - last_bytes
            before[leader] = last
            last, last_worth, last_bytes = leader, worth[leader], memory[leader]
