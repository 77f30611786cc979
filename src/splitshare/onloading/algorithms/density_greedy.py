"""Most accuracy per byte first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from splitshare.onloading.arrays import arrays_of
from splitshare.onloading.instance import Onloading, OnloadingInstance
from splitshare.onloading.j3o import warm_up
from splitshare.onloading.objective import onloading_of
from splitshare.onloading.simple import densest


@dataclass(frozen=True)
class DensityGreedy:
    """The lazy greedy of J3O as if computing and links were free: right answers gained per byte of memory (ours).

    The cloud counts as one more place for models, not as one that answers everything for nothing.
    """

    name: ClassVar[str] = "density-greedy"

    def warm_up(self) -> None:
        """Compile the greedy."""
        warm_up()

    def onload(self, instance: OnloadingInstance, *, seed: int, time_limit: float | None) -> Onloading:
        """Fill all locations at once."""
        return onloading_of(instance, densest(arrays_of(instance, batching=False)))
