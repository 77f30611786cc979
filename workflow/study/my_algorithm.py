"""A placement algorithm to fill in: it works as it is, and does nothing clever."""

from __future__ import annotations

from splitshare.placement.feasible import if_feasible
from splitshare.placement.instance import Assignment, PlacementInstance


class MyAlgorithm:
    """Each module, largest first, where it runs fastest among the devices with room for it."""

    name = "my-algorithm"

    def place(self, instance: PlacementInstance, *, seed: int, time_limit: float | None) -> Assignment | None:
        """Give every module's device by name, or None where no feasible placement is found.

        instance.devices: name, memory_bytes. instance.modules: name, memory_bytes, compute_s (seconds by device, None
        where the device cannot run it). instance.requests: how modules are used. Do not change the instance.
        """
        left = {device.name: device.memory_bytes for device in instance.devices}
        placed: dict[str, tuple[str, ...]] = {}
        for module in sorted(instance.modules, key=lambda module: -module.memory_bytes):
            able = [d for d in left if left[d] >= module.memory_bytes and module.compute_s.get(d) is not None]
            if not able:
                return None
            fastest = min(able, key=lambda device: module.compute_s[device] or 0.0)
            placed[module.name] = (fastest,)
            left[fastest] -= module.memory_bytes
        return if_feasible(instance, placed)  # None where a link is missing or a request cannot run there
