"""S2M3's greedy placement, in our reading of the abstract."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import ClassVar, Literal

from splitshare.placement.instance import Assignment, PlacementInstance, Request
from splitshare.placement.objective import best_route, objective_of, request_latency_s


@dataclass(frozen=True)
class S2M3Greedy:
    """Module-level greedy that places compute-intensive modules first.

    From the abstract of S2M3 (Yoon et al., ICDCS 2025): greedy, at module level, "prioritizing compute-intensive
    modules", with per-request parallel routing. Our reading of the rest: modules in descending mean compute time
    over the devices that can run them; each goes to the device with room where the requests that use it have the
    least rate-weighted mean (or maximum) latency over what is placed so far; ties by file order. A module that fits
    nowhere is a dead end: no placement.

    The fields are the other readings that the abstract allows; the defaults are ours, and the only one that counts for
    the paper's claim.
    """

    name: ClassVar[str] = "s2m3-greedy"
    order: Literal["compute", "memory", "file"] = "compute"
    """Which modules come first: most compute, most memory, or as the file lists them."""
    transfer_aware: bool = True
    """Count the way from the encoders to the head; without it a head looks for the fastest device, however far."""
    load_aware: bool = False
    """Add the compute time of the modules that stand on the device already."""
    tie_break: Literal["file", "reverse", "memory"] = "file"
    """Among equal devices, the first or the last that the file lists, or that with the most memory left."""

    def place(self, instance: PlacementInstance, *, seed: int, time_limit: float | None) -> Assignment | None:
        """Place every module, or ``None`` at a dead end; deterministic, so ``seed`` is not used."""
        users = users_by_module(instance)
        free = {d.name: d.memory_bytes for d in instance.devices}
        placed: Assignment = {}
        load_s = dict.fromkeys(free, 0.0)
        for name in self._ordered(instance, users):
            module = instance.modules_by_name[name]
            best: tuple[float, float, str] | None = None
            for position, device in enumerate(free):
                if module.bytes_on(device) > free[device]:
                    continue
                cost = self._cost_s(instance, placed, name, device, users[name])
                cost += load_s[device] if self.load_aware else 0.0
                rank = {"file": position, "reverse": -position, "memory": -free[device]}[self.tie_break]
                if math.isfinite(cost) and (best is None or (cost, rank) < best[:2]):
                    best = (cost, rank, device)
            if best is None:
                return None
            chosen = best[2]
            placed[name] = (chosen,)
            free[chosen] -= module.bytes_on(chosen)
            if users[name]:
                load_s[chosen] += compute_on_s(instance, name, chosen, users[name])
        return placed

    def _ordered(self, instance: PlacementInstance, users: dict[str, list[Request]]) -> list[str]:
        """Module names in the order of placing; sorting is stable, so ties stay in file order."""
        match self.order:
            case "compute":
                return sorted(users, key=lambda name: -mean_compute_s(instance, name, users[name]))
            case "memory":
                return sorted(users, key=lambda name: -instance.modules_by_name[name].memory_bytes)
            case "file":
                return list(users)

    def _cost_s(
        self, instance: PlacementInstance, placed: Assignment, name: str, device: str, requests: list[Request]
    ) -> float:
        """What standing on ``device`` costs module ``name``, in seconds; infinite where it cannot."""
        hosts = placed | {name: (device,)}
        latency_s = {r.name: self._partial_latency_s(instance, r, hosts) for r in requests}
        return partial_objective(instance, requests, latency_s)

    def _partial_latency_s(self, instance: PlacementInstance, request: Request, hosts: Assignment) -> float:
        """Latency of a request over what is placed so far, in seconds, as this reading counts it."""
        latency, route = best_route(instance, request, hosts)
        if self.transfer_aware or route.head is None or not math.isfinite(latency):
            return latency
        compute = instance.head_compute_s(request)[route.head]
        assert compute is not None  # the latency is finite
        finished = request_latency_s(instance, request, replace(route, head=None))
        return finished + compute + instance.comm_s(route.head, request.source, request.result_bytes)


def users_by_module(instance: PlacementInstance) -> dict[str, list[Request]]:
    """Request classes that use each module, in file order."""
    users: dict[str, list[Request]] = {m.name: [] for m in instance.modules}
    for request in instance.requests:
        for name in dict.fromkeys((*(e.module for e in request.encoders), request.head)):
            users[name].append(request)
    return users


def mean_compute_s(instance: PlacementInstance, module: str, requests: list[Request]) -> float:
    """Mean compute seconds of a module over the devices that can run it.

    A module that can run nowhere counts as infinite, so that the dead end shows at once.
    """
    seconds = [compute_on_s(instance, module, device.name, requests) for device in instance.devices]
    known = [s for s in seconds if math.isfinite(s)]
    return math.fsum(known) / len(known) if known else math.inf


def compute_on_s(instance: PlacementInstance, module: str, device: str, requests: list[Request]) -> float:
    """Compute seconds of a module on a device: the mean over its uses, weighted by rate, their overrides applied.

    Infinite where a use cannot run there. A module that nothing uses has its own compute time.
    """
    uses: list[tuple[float, float | None]] = []
    for request in requests:
        for position, encoder in enumerate(request.encoders):
            if encoder.module == module:
                uses.append((request.rate_per_s, instance.encoder_compute_s(request, position).get(device)))
        if request.head == module:
            uses.append((request.rate_per_s, instance.head_compute_s(request).get(device)))
    if not uses:
        uses = [(1.0, instance.modules_by_name[module].compute_s.get(device))]
    total = math.fsum(rate for rate, _ in uses)
    known = [rate * seconds for rate, seconds in uses if seconds is not None]
    return math.fsum(known) / total if len(known) == len(uses) else math.inf


def partial_objective(instance: PlacementInstance, requests: list[Request], latency_s: dict[str, float]) -> float:
    """The instance's objective over some of its requests; 0 where there are none."""
    if not requests:
        return 0.0
    if not all(map(math.isfinite, latency_s.values())):
        return math.inf
    return objective_of(instance, latency_s, requests)
