"""Worst fit decreasing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from splitshare.placement.instance import Assignment, PlacementInstance
from splitshare.placement.packing import pack


@dataclass(frozen=True)
class WorstFit:
    """Modules in descending memory, each on the device with the most room; ties by file order.

    Source: Johnson, *Fast algorithms for bin packing*, J. Comput. Syst. Sci. 8 (1974); adapted as ``packing.pack``
    says.
    """

    name: ClassVar[str] = "worst-fit"

    def place(self, instance: PlacementInstance, *, seed: int, time_limit: float | None) -> Assignment | None:
        """Place every module, or ``None`` at a dead end; deterministic, so ``seed`` is not used."""
        return pack(instance, lambda open_, devices: max(devices, key=open_.left_bytes))
