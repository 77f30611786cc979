"""The most accurate models first."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from splitshare.onloading.arrays import Ints, arrays_of
from splitshare.onloading.instance import Onloading, OnloadingInstance
from splitshare.onloading.packing import packed


@dataclass(frozen=True)
class AccuracyGreedy:
    """Each location takes the models that fit by right answers a second, if they answered all they serve (ours)."""

    name: ClassVar[str] = "accuracy-greedy"

    def onload(self, instance: OnloadingInstance, *, seed: int, time_limit: float | None) -> Onloading:
        """Fill clients and servers one by one, each as if it were alone."""
        arrays = arrays_of(instance)

        def order(location: int, is_server: bool, useful: Ints) -> Iterable[int]:
            first, last = (arrays.server_rows if is_server else arrays.client_rows)[location]
            allowed = arrays.edge_allowed[:, :, 0] if is_server else arrays.client_allowed
            right = arrays.rate[first:last] @ np.where(allowed, arrays.accuracy, 0.0)[first:last]
            return (int(j) for j in useful[np.argsort(-right[useful], kind="stable")])

        return packed(arrays, order)
