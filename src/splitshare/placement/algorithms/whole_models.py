"""Every model whole on one device: what there is without splitting and without sharing."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

from splitshare.placement.feasible import if_feasible
from splitshare.placement.instance import Assignment, PlacementInstance, Request
from splitshare.placement.objective import Route, request_latency_s
from splitshare.placement.variants import Variant


@dataclass(frozen=True)
class WholeModels:
    """All modules of a model, each model's its own, on the device that answers it soonest (ours).

    Larger models choose first, among the devices that have the memory left; a device runs one module at a time, so the
    encoders of a request run one after another.
    """

    name: ClassVar[str] = "whole-models"
    variant: ClassVar[Variant] = "no-sharing"

    def place(self, instance: PlacementInstance, *, seed: int, time_limit: float | None) -> Assignment | None:
        """Place every model, or ``None`` where one fits nowhere; deterministic, so ``seed`` is not used."""
        free = {device.name: device.memory_bytes for device in instance.devices}
        placed: Assignment = {}
        for request in sorted(instance.requests, key=lambda r: -self._bytes(instance, r, instance.devices[0].name)):
            fitting = [device for device in free if self._bytes(instance, request, device) <= free[device]]
            seconds = {device: self._latency_s(instance, request, device) for device in fitting}
            best = min(seconds, key=lambda device: seconds[device], default=None)
            if best is None or not math.isfinite(seconds[best]):
                return None
            free[best] -= self._bytes(instance, request, best)
            placed |= dict.fromkeys(self._modules(request), (best,))
        for module in instance.modules:  # those that no request uses stand where there is room
            if module.name not in placed:
                room = next((d for d in free if module.bytes_on(d) <= free[d]), None)
                if room is None:
                    return None
                free[room] -= module.bytes_on(room)
                placed[module.name] = (room,)
        return if_feasible(instance, {module.name: placed[module.name] for module in instance.modules})

    @staticmethod
    def _modules(request: Request) -> dict[str, None]:
        return dict.fromkeys((*(encoder.module for encoder in request.encoders), request.head))

    def _bytes(self, instance: PlacementInstance, request: Request, device: str) -> float:
        return sum(instance.modules_by_name[name].bytes_on(device) for name in self._modules(request))

    @staticmethod
    def _latency_s(instance: PlacementInstance, request: Request, device: str) -> float:
        return request_latency_s(instance, request, Route((device,) * len(request.encoders), device))
