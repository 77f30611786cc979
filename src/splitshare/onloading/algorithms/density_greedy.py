"""Most accuracy per byte first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from splitshare.onloading.arrays import arrays_of
from splitshare.onloading.columns import limits_of
from splitshare.onloading.greedy import hosts_of_filling, knapsacks_of, lazy_greedy
from splitshare.onloading.instance import Onloading, OnloadingInstance
from splitshare.onloading.j3o import warm_up
from splitshare.onloading.lagrangian import values_at
from splitshare.onloading.objective import onloading_of


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
        arrays = arrays_of(instance, batching=False)
        limits = limits_of(arrays)
        values = values_at(arrays, limits, np.zeros(len(limits.bound)), ("client", "edge"))
        sacks = knapsacks_of(arrays)
        return onloading_of(instance, hosts_of_filling(sacks, lazy_greedy(values, sacks)))
