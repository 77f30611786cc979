"""Complete placements made module by module from wishes, and made better by moves (ours)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from splitshare.placement.feasible import OpenPlacement
from splitshare.placement.instance import Assignment
from splitshare.placement.search import SearchState

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


def switch(state: SearchState, assignment: Assignment) -> None:
    """Have ``state`` hold ``assignment``, a feasible placement with one device a module, and keep what it learned."""
    state.apply({module: hosts[0] for module, hosts in assignment.items() if state.host[module] != hosts[0]})


def improve_by_moves(state: SearchState, modules: Iterable[str]) -> None:
    """Move each of ``modules``, in their order and once, to the device where the objective is least."""
    for module in modules:
        here = state.host[module]
        worths = {device: state.worth_after({module: device}) for device in state.devices[module] if device != here}
        best = min(worths, key=lambda device: worths[device], default=here)
        if worths.get(best, state.objective) < state.objective:
            state.apply({module: best})
