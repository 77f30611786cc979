"""S2M3's greedy placement, in our reading of the abstract."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

from splitshare.placement.instance import Assignment, PlacementInstance, Request
from splitshare.placement.objective import best_route, objective_of


@dataclass(frozen=True)
class S2M3Greedy:
    """Module-level greedy that places compute-intensive modules first.

    From the abstract of S2M3 (Yoon et al., ICDCS 2025): greedy, at module level, "prioritizing compute-intensive
    modules", with per-request parallel routing. Our reading of the rest: modules in descending mean compute time
    over the devices that can run them; each goes to the device with room where the requests that use it have the
    least rate-weighted mean (or maximum) latency over what is placed so far; ties by file order. A module that fits
    nowhere is a dead end: no placement.
    """

    name: ClassVar[str] = "s2m3-greedy"

    def place(self, instance: PlacementInstance, *, seed: int, time_limit: float | None) -> Assignment | None:
        """Place every module, or ``None`` at a dead end; deterministic, so ``seed`` is not used."""
        users = users_by_module(instance)
        free = {d.name: d.memory_bytes for d in instance.devices}
        placed: Assignment = {}
        for name in descending_compute(instance, users):
            memory = instance.modules_by_name[name].memory_bytes
            best: tuple[float, str] | None = None
            for device, room in free.items():
                if memory > room:
                    continue
                hosts = placed | {name: (device,)}
                latency_s = {r.name: best_route(instance, r, hosts)[0] for r in users[name]}
                cost = partial_objective(instance, users[name], latency_s)
                if math.isfinite(cost) and (best is None or cost < best[0]):
                    best = (cost, device)
            if best is None:
                return None
            placed[name] = (best[1],)
            free[best[1]] -= memory
        return placed


def users_by_module(instance: PlacementInstance) -> dict[str, list[Request]]:
    """Request classes that use each module, in file order."""
    users: dict[str, list[Request]] = {m.name: [] for m in instance.modules}
    for request in instance.requests:
        for name in dict.fromkeys((*(e.module for e in request.encoders), request.head)):
            users[name].append(request)
    return users


def mean_compute_s(instance: PlacementInstance, module: str, requests: list[Request]) -> float:
    """Mean compute seconds of a module over the devices that can run it, its requests' overrides weighted by rate.

    A module that nothing uses has its own compute time; one that can run nowhere counts as infinite, so that the
    dead end shows at once.
    """
    uses: list[tuple[float, dict[str, float | None]]] = []
    for request in requests:
        for position, encoder in enumerate(request.encoders):
            if encoder.module == module:
                uses.append((request.rate_per_s, instance.encoder_compute_s(request, position)))
        if request.head == module:
            uses.append((request.rate_per_s, instance.head_compute_s(request)))
    if not uses:
        uses = [(1.0, instance.modules_by_name[module].compute_s)]
    total = math.fsum(rate for rate, _ in uses)
    means: list[float] = []
    for device in instance.devices:
        seconds = [(rate, compute.get(device.name)) for rate, compute in uses]
        known = [rate * s for rate, s in seconds if s is not None]
        if len(known) == len(seconds):
            means.append(math.fsum(known) / total)
    return math.fsum(means) / len(means) if means else math.inf


def descending_compute(instance: PlacementInstance, users: dict[str, list[Request]]) -> list[str]:
    """Module names in descending mean compute time; the sort is stable, so ties stay in file order."""
    return sorted(users, key=lambda name: -mean_compute_s(instance, name, users[name]))


def partial_objective(instance: PlacementInstance, requests: list[Request], latency_s: dict[str, float]) -> float:
    """The instance's objective over some of its requests; 0 where there are none."""
    if not requests:
        return 0.0
    if not all(map(math.isfinite, latency_s.values())):
        return math.inf
    return objective_of(instance, latency_s, requests)
