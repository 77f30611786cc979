"""The most accurate models first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from splitshare.onloading.arrays import arrays_of
from splitshare.onloading.instance import Onloading, OnloadingInstance
from splitshare.onloading.objective import onloading_of
from splitshare.onloading.simple import most_accurate


@dataclass(frozen=True)
class AccuracyGreedy:
    """Each location takes the models that fit by right answers a second, if they answered all they serve (ours)."""

    name: ClassVar[str] = "accuracy-greedy"

    def onload(self, instance: OnloadingInstance, *, seed: int, time_limit: float | None) -> Onloading:
        """Fill clients and servers one by one, each as if it were alone."""
        return onloading_of(instance, most_accurate(arrays_of(instance)))
