"""Random models."""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

from splitshare.onloading.arrays import Ints, arrays_of
from splitshare.onloading.instance import Onloading, OnloadingInstance
from splitshare.onloading.objective import onloading_of
from splitshare.onloading.packing import packed


@dataclass(frozen=True)
class Random:
    """Each location takes models in random order as far as they fit: the baseline of no idea (ours)."""

    name: ClassVar[str] = "random"
    stochastic: ClassVar[bool] = True

    def onload(self, instance: OnloadingInstance, *, seed: int, time_limit: float | None) -> Onloading:
        """Fill clients, then servers."""
        draw = random.Random(seed)

        def order(location: int, is_server: bool, useful: Ints) -> Iterable[int]:
            models = [int(j) for j in useful]
            draw.shuffle(models)
            return models

        return onloading_of(instance, packed(arrays_of(instance), order))
