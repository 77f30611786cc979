"""Everything in the cloud."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from splitshare.placement.feasible import if_feasible
from splitshare.placement.instance import Assignment, PlacementInstance


@dataclass(frozen=True)
class Cloud:
    """Every module on the first device of tier ``cloud``: what S2M3 calls cloud AI (our reading)."""

    name: ClassVar[str] = "cloud"

    def place(self, instance: PlacementInstance, *, seed: int, time_limit: float | None) -> Assignment | None:
        """Place in the cloud; ``None`` where the instance has no device of that tier, or it cannot hold or run all."""
        clouds = [device.name for device in instance.devices if device.tier == "cloud"]
        if not clouds:
            return None
        return if_feasible(instance, {module.name: (clouds[0],) for module in instance.modules})
