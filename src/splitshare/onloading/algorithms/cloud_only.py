"""Every query is answered in the cloud."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from splitshare.onloading.contract import Answer
from splitshare.onloading.instance import OnloadingInstance


@dataclass(frozen=True)
class CloudOnly:
    """Every query is answered in the cloud, or not at all; nothing is onloaded (ours)."""

    name: ClassVar[str] = "cloud-only"

    def onload(self, instance: OnloadingInstance, *, seed: int, time_limit: float | None) -> Answer:
        """Hold no model anywhere."""
        return Answer({}, places=("cloud",))
