"""One location filled by gain per byte on top of what it holds, all others as they are; compiled.

A model comes alone, or a backbone with as many of its models as make most gain per byte together, or a variant in the
place of another, by what it gains for the bytes that it takes more (the greedy for multiple-choice knapsacks).
"""

from __future__ import annotations

import numpy as np

from splitshare.compilation import compiled
from splitshare.onloading.arrays import Floats, Ints
from splitshare.onloading.greedy import LEAST_GAIN, Knapsacks, adopt, gain_of, needs_of, take, together, used_by
from splitshare.onloading.variants import grouped, sibling_of

LEAST_STEP = 1e-9
"""Relative gain that an exchange of variants must bring: rounding alone must not turn two of them round and round."""


@compiled
def kept(value: Floats, base: Floats, held: Ints) -> Floats:
    """Worth of a location's rows with what it holds, shape (rows,).

    Args:
        value: of the rows, shape (rows, J, B).
        base: worth of the rows without the location, shape (rows,).
        held: what it holds, shape (J,).
    """
    best = base.copy()
    for model in range(len(held)):
        if held[model] >= 0:
            take(value, best, model, held[model])
    return best


@compiled
def fill(value: Floats, base: Floats, best: Floats, sacks: Knapsacks, rate: Floats, free: float, held: Ints) -> None:
    """Fill one location by gain per byte on top of ``held`` and ``best``, both changed in place.

    Args:
        value: of the location's rows.
        base: worth of these rows without the location.
        best: worth of these rows so far.
        sacks: the instance's locations and models.
        rate: of the location's rows.
        free: bytes that are left.
        held: what the location holds.
    """
    sharing, choices = len(sacks.backbone_memory) > 0, grouped(sacks.variant)
    needs = needs_of(sacks, held) if sharing else sacks.memory
    while True:
        leader, leader_batch, leader_score = -1, 0, 0.0
        for model in range(len(held)):
            need = needs[model]
            if held[model] >= 0 or need > free or sibling_of(sacks.variant, held, model) >= 0:
                continue
            for batch in range(value.shape[2]):
                gain = gain_of(value, best, model, batch, rate, sacks.least[batch])
                if gain > LEAST_GAIN and gain / need > leader_score:
                    leader, leader_batch, leader_score = model, batch, gain / need
        whole, filling = 0.0, held
        if sharing:
            leader_score, whole, filling = _leading_whole(value, best, sacks, rate, free, held, leader_score)
        if choices:
            dropped, added, batch, more = _leading_variant(value, base, best, sacks, rate, free, held, leader_score)
            if added >= 0:
                free -= more
                held[dropped], held[added] = -1, batch
                best[:] = kept(value, base, held)
                needs = needs_of(sacks, held)
                continue
        if whole > 0.0:
            free -= whole
            adopt(value, best, held, filling)
            needs = needs_of(sacks, held)
            continue
        if leader < 0:
            return
        held[leader] = leader_batch
        free -= needs[leader]
        take(value, best, leader, leader_batch)
        if sacks.backbone[leader] >= 0:
            needs = needs_of(sacks, held)


@compiled
def _leading_whole(
    value: Floats, best: Floats, sacks: Knapsacks, rate: Floats, free: float, held: Ints, score: float
) -> tuple[float, float, Ints]:
    """The backbone whose models together gain most per byte, if more than ``score``: that, bytes, what is held then."""
    leader_need, leader_filling = 0.0, held
    for backbone in range(len(sacks.backbone_memory)):
        whole_score, need, filling = together(value, best, sacks, rate, free, held, backbone)
        if whole_score > score:
            score, leader_need, leader_filling = whole_score, need, filling
    return score, leader_need, leader_filling


@compiled
def _leading_variant(
    value: Floats,
    base: Floats,
    best: Floats,
    sacks: Knapsacks,
    rate: Floats,
    free: float,
    held: Ints,
    score: float,
) -> tuple[int, int, int, float]:
    """The exchange of a held variant for another that gains most per byte, if more than ``score``.

    Returns:
        The variant that goes, the one that comes (-1 where none does), its batch size, and the bytes that it takes
        more; one that takes no more, and gains, leads.
    """
    leaving, leader, leader_batch, leader_more = -1, -1, 0, 0.0
    now, used = best.sum(), used_by(sacks, held)
    for dropped in range(len(held)):
        if held[dropped] < 0 or sacks.variant[dropped] < 0:
            continue
        left = held.copy()
        left[dropped] = -1
        rest = kept(value, base, left)
        worth, room = rest.sum(), free + used - used_by(sacks, left)
        needs = needs_of(sacks, left)
        for model in range(len(held)):
            if model == dropped or sacks.variant[model] != sacks.variant[dropped] or needs[model] > room:
                continue
            more = needs[model] - (room - free)
            for batch in range(value.shape[2]):
                gain = worth + gain_of(value, rest, model, batch, rate, sacks.least[batch]) - now
                if gain <= LEAST_STEP * now + LEAST_GAIN:
                    continue
                ratio = gain / more if more > 0.0 else np.inf
                if ratio > score:
                    leaving, leader, leader_batch, leader_more, score = dropped, model, batch, more, ratio
    return leaving, leader, leader_batch, leader_more
