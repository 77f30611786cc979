"""Instances and testbeds as they would be with another network or other devices."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from splitshare.catalog.records import Testbed
from splitshare.placement.instance import PlacementInstance


def with_network(testbed: Testbed, *, latency_s: float, bandwidth_bytes_per_s: float) -> Testbed:
    """The testbed with every link of that latency (one way) and bandwidth."""
    changes = {"latency_s": latency_s, "bandwidth_bytes_per_s": bandwidth_bytes_per_s}
    return testbed.model_copy(update={"links": tuple(link.model_copy(update=changes) for link in testbed.links)})


def with_speed(instance: PlacementInstance, device: str, speed: float) -> PlacementInstance:
    """The instance with ``device`` computing everything ``speed`` times as fast."""
    return with_times(instance, lambda other, _: 1 / speed if other == device else 1.0)


def with_memory_for_all(instance: PlacementInstance) -> PlacementInstance:
    """The instance with room for all modules on every device, for replays that load what is not in memory."""
    room = sum(max(module.bytes_on(device.name) for device in instance.devices) for module in instance.modules)
    devices = tuple(d.model_copy(update={"memory_bytes": max(room, d.memory_bytes)}) for d in instance.devices)
    return instance.with_changes(devices=devices)


def with_times(instance: PlacementInstance, factor: Callable[[str, str], float]) -> PlacementInstance:
    """The instance with its compute times multiplied by ``factor(device, module)``, those of requests too."""

    def scaled(module: str, compute_s: dict[str, float | None] | None) -> dict[str, float | None] | None:
        if compute_s is None:
            return None
        return {d: s if s is None else s * factor(d, module) for d, s in compute_s.items()}

    modules = [m.model_copy(update={"compute_s": scaled(m.name, m.compute_s)}) for m in instance.modules]
    requests = [
        r.model_copy(
            update={
                "head_compute_s": scaled(r.head, r.head_compute_s),
                "encoders": tuple(
                    e.model_copy(update={"compute_s": scaled(e.module, e.compute_s)}) for e in r.encoders
                ),
            }
        )
        for r in instance.requests
    ]
    return instance.with_changes(modules=tuple(modules), requests=tuple(requests))


def with_compute_s(instance: PlacementInstance, compute_s: Mapping[tuple[str, str, str], float]) -> PlacementInstance:
    """The instance with other compute times, by request class, module and device; what is not named stays."""

    def changed(request: str, module: str, own: dict[str, float | None] | None) -> dict[str, float | None] | None:
        named: dict[str, float | None] = {d: s for (r, m, d), s in compute_s.items() if (r, m) == (request, module)}
        return (own or {}) | named if named else own

    requests = [
        r.model_copy(
            update={
                "head_compute_s": changed(r.name, r.head, r.head_compute_s),
                "encoders": tuple(
                    e.model_copy(update={"compute_s": changed(r.name, e.module, e.compute_s)}) for e in r.encoders
                ),
            }
        )
        for r in instance.requests
    ]
    return instance.with_changes(requests=tuple(requests))


def without_devices(instance: PlacementInstance, lost: frozenset[str]) -> PlacementInstance:
    """The instance after devices are lost; requests that come from one of them are lost with it.

    Raises:
        ValueError: no request is left, or one is cut off from every device that could serve it.
    """

    def left(compute_s: dict[str, float | None] | None) -> dict[str, float | None] | None:
        return None if compute_s is None else {d: s for d, s in compute_s.items() if d not in lost}

    return instance.with_changes(
        devices=tuple(d for d in instance.devices if d.name not in lost),
        links=tuple(link for link in instance.links if not {link.a, link.b} & lost),
        modules=tuple(m.model_copy(update={"compute_s": left(m.compute_s)}) for m in instance.modules),
        requests=tuple(
            r.model_copy(
                update={
                    "head_compute_s": left(r.head_compute_s),
                    "encoders": tuple(e.model_copy(update={"compute_s": left(e.compute_s)}) for e in r.encoders),
                }
            )
            for r in instance.requests
            if r.source not in lost
        ),
    )
