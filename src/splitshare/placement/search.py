"""Steps of local search over moves of one module and exchanges of two, compiled; a start where a greedy finds none."""

from __future__ import annotations

import numpy as np

from splitshare.compilation import compiled, compiled_in_place
from splitshare.placement.arrays import Arrays, Floats
from splitshare.placement.delta import Standing, take_change, try_change, worth_after, worth_s
from splitshare.placement.feasible import cheapest_feasible
from splitshare.placement.instance import Assignment, PlacementInstance


@compiled
def move_worths(arrays: Arrays, state: Standing) -> Floats:
    """Objective after every move of one module to another device where it may stand, in seconds.

    Infinite where there is no room; shape (moves).
    """
    worths = np.empty(arrays.may.sum())
    count = 0
    for a in state.visit:
        for to in range(len(state.left)):
            if arrays.may[a, to] and to != state.host[a]:
                worths[count] = worth_after(arrays, state, a, to, -1)
                count += 1
    return worths[:count]


@compiled_in_place
def best_change(arrays: Arrays, state: Standing, worth: float) -> tuple[int, int, int]:
    """The move or exchange that lowers the objective most, from ``worth``; ties to the first, moves before exchanges.

    Returns:
        Module, the device that it goes to, and the module that comes in exchange or -1; a module of -1 where no
        change lowers the objective.
    """
    best = (-1, -1, -1)
    for a in state.visit:
        for to in range(len(state.left)):
            if to != state.host[a]:
                after = worth_after(arrays, state, a, to, -1)
                if after < worth:
                    worth, best = after, (a, to, -1)
    for i, a in enumerate(state.visit):
        for b in state.visit[i + 1 :]:
            after = worth_after(arrays, state, a, state.host[b], b)
            if after < worth:
                worth, best = after, (a, state.host[b], b)
    return best


@compiled_in_place
def step(arrays: Arrays, state: Standing) -> bool:
    """Make the change that lowers the objective most; whether there was one."""
    a, to, b = best_change(arrays, state, worth_s(arrays, state.latency_s, state.partial))
    if a < 0:
        return False
    try_change(arrays, state, a, to, b)
    take_change(arrays, state, a, to, b)
    return True


@compiled_in_place
def descend(arrays: Arrays, state: Standing, rounds: int) -> bool:
    """Quick descent: every change that lowers the objective is made at once, over at most ``rounds`` of all changes.

    Returns:
        Whether a round ended without one: the placement is a local optimum then.
    """
    worth = worth_s(arrays, state.latency_s, state.partial)
    for _ in range(rounds):
        before = worth
        for a in range(len(state.host)):
            for to in range(len(state.left)):
                if to != state.host[a]:
                    worth = _take_if_better(arrays, state, a, to, -1, worth)
            for b in range(a + 1, len(state.host)):
                worth = _take_if_better(arrays, state, a, state.host[b], b, worth)
        if worth >= before:
            return True
    return False


@compiled_in_place
def _take_if_better(arrays: Arrays, state: Standing, a: int, to: int, b: int, worth: float) -> float:
    # six arguments: a change is three numbers
    after = worth_after(arrays, state, a, to, b)
    if after >= worth:
        return worth
    try_change(arrays, state, a, to, b)
    take_change(arrays, state, a, to, b)
    return after


def feasible_start(instance: PlacementInstance, time_limit: float | None) -> Assignment | None:
    """A placement to start from where a heuristic meets a dead end: feasible, with least summed compute time.

    Args:
        instance: the instance.
        time_limit: seconds to keep to, or ``None``.

    Returns:
        The placement; ``None`` where there is none, or none was found in time.
    """
    cost = {(m.name, d): s for m in instance.modules for d, s in m.compute_s.items() if s is not None}
    return cheapest_feasible(instance, cost, time_limit)
