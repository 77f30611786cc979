"""Joules of a request by where its modules run, where every device on its way counts them (ours): a second measure.

Only computing is counted. Nothing is known of links, of the source's waiting, or of what a device takes while idle.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from splitshare.placement.instance import PlacementInstance, Request
from splitshare.placement.objective import Route


def tells_energy(instance: PlacementInstance) -> bool:
    """Whether the instance has joules of any module."""
    return any(module.energy_j for module in instance.modules)


def request_energy_j(instance: PlacementInstance, request: Request, route: Route) -> float | None:
    """Joules of one request on its route; ``None`` where a device on it does not count them."""
    parts = [
        instance.encoder_energy_j(request, position).get(device or "") for position, device in enumerate(route.encoders)
    ]
    parts.append(instance.head_energy_j(request).get(route.head or ""))
    known = [part for part in parts if part is not None]
    return math.fsum(known) if len(known) == len(parts) else None


def energy_j(instance: PlacementInstance, routes: Mapping[str, Route]) -> dict[str, float | None]:
    """Joules of a request by request class."""
    return {request.name: request_energy_j(instance, request, routes[request.name]) for request in instance.requests}
