"""Bin packing by descending size: modules are items, devices are bins of different capacity."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from splitshare.placement.feasible import OpenPlacement
from splitshare.placement.instance import Assignment, PlacementInstance

Choose = Callable[[OpenPlacement, Sequence[str]], str]
"""Chooses one of the devices (at least one, in file order) where a module can be placed."""


def pack(instance: PlacementInstance, choose: Choose) -> Assignment | None:
    """Place modules in descending memory, ties in file order, each on the device that ``choose`` takes.

    Source: D. S. Johnson, *Fast algorithms for bin packing*, J. Comput. Syst. Sci. 8 (1974) 272-314. Ours: bins differ
    in capacity, there is a fixed number of them, and a device counts only where the module can run and reach the
    modules that it exchanges data with. Compute and communication times play no part.

    Returns:
        The placement; ``None`` where a module fits nowhere, even if another order would have found a place.
    """
    open_ = OpenPlacement(instance)
    for module in sorted(instance.modules, key=lambda m: -m.memory_bytes):
        candidates = open_.candidates(module.name)
        if not candidates:
            return None
        open_.place(module.name, choose(open_, candidates))
    return open_.assignment()
