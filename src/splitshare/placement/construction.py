"""Complete placements made module by module from wishes, and made better by moves or exchanges (ours)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import numpy as np

from splitshare.compilation import compiled_in_place
from splitshare.placement.arrays import Arrays, Ints, numbered
from splitshare.placement.delta import Standing, renew, standing, take_change, try_change, worth_after, worth_s
from splitshare.placement.feasible import OpenPlacement
from splitshare.placement.instance import Assignment, PlacementInstance

Choose = Callable[[str, Sequence[str]], str]
"""Chooses for a module one of the devices (at least one, in file order) where it can be placed."""


def complete(empty: OpenPlacement, modules: Iterable[str], choose: Choose) -> Assignment | None:
    """Place ``modules`` in their order, each on the device that ``choose`` takes; ``None`` at a dead end.

    Args:
        empty: of the instance, nothing placed; it stays as it is.
        modules: all of the instance's.
        choose: the wish.
    """
    placed = empty.copy()
    for module in modules:
        candidates = placed.candidates(module)
        if not candidates:
            return None
        placed.place(module, choose(module, candidates))
    return placed.assignment()


class Held:
    """A feasible placement with one device a module, by names, that compiled steps make better."""

    def __init__(self, instance: PlacementInstance, assignment: Assignment) -> None:
        self._problem = numbered(instance)
        self._number = {module.name: i for i, module in enumerate(instance.modules)}
        self._state = standing(self._problem.arrays, self._problem.hosts(assignment))

    def hold(self, assignment: Assignment) -> None:
        """Hold another feasible placement of the same instance instead."""
        arrays, state = self._problem.arrays, self._state
        state.host[:] = self._problem.hosts(assignment)
        state.left[:] = arrays.room
        np.subtract.at(state.left, state.host, arrays.size[np.arange(len(state.host)), state.host])
        renew(arrays, state)

    @property
    def objective_s(self) -> float:
        """Its worth, in seconds."""
        return worth_s(self._problem.arrays, self._state.latency_s, self._state.partial)

    @property
    def host(self) -> dict[str, str]:
        """Device by module, in file order."""
        return {module: hosts[0] for module, hosts in self.assignment().items()}

    def assignment(self) -> Assignment:
        """The placement in the evaluator's form, modules in file order."""
        return self._problem.assignment(self._state.host)

    def improve_by_moves(self, modules: Sequence[str]) -> None:
        """Move each of ``modules``, in their order and once, to the device where the objective is least."""
        _move_each(self._problem.arrays, self._state, np.array([self._number[m] for m in modules], dtype=np.int64))

    def exchange_all(self) -> bool:
        """Go through all pairs of modules once, making every exchange that helps; whether one did."""
        return _exchange_each(self._problem.arrays, self._state)


@compiled_in_place
def _move_each(arrays: Arrays, state: Standing, modules: Ints) -> None:
    for a in modules:
        least, best = worth_s(arrays, state.latency_s, state.partial), -1
        for to in range(len(state.left)):
            if to != state.host[a]:
                worth = worth_after(arrays, state, a, to, -1)
                if worth < least:
                    least, best = worth, to
        if best >= 0:
            try_change(arrays, state, a, best, -1)
            take_change(arrays, state, a, best, -1)


@compiled_in_place
def _exchange_each(arrays: Arrays, state: Standing) -> bool:
    least = worth_s(arrays, state.latency_s, state.partial)
    helped = False
    for a in range(len(state.host)):
        for b in range(a + 1, len(state.host)):
            worth = worth_after(arrays, state, a, state.host[b], b)
            if worth < least:
                to = state.host[b]
                try_change(arrays, state, a, to, b)
                take_change(arrays, state, a, to, b)
                least, helped = worth, True
    return helped
