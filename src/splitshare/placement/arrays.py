"""A placement instance as arrays, for compiled code: modules, devices and requests by number, in file order (ours)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from splitshare.placement.feasible import HostingRules
from splitshare.placement.instance import Assignment, PlacementInstance

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

MOST_UNITS = 2**62
"""Sums of sizes stay below this, so that 64 bits hold them."""


class Arrays(NamedTuple):
    """Numbers of one instance. M modules, N devices, K requests, P encoder positions (of all requests together).

    Seconds are infinite where a module cannot run or a link is missing.
    """

    first: Ints
    """(K + 1): request k has the positions ``first[k]`` up to ``first[k + 1]``."""
    encoder: Ints
    """(P): module of a position."""
    ready_s: Floats
    """(P, N): when the position's input is on a device."""
    compute_s: Floats
    """(P, N)."""
    output_bytes: Floats
    """(P)."""
    head: Ints
    """(K): module."""
    head_s: Floats
    """(K, N): compute seconds of the head."""
    back_s: Floats
    """(K, N): seconds of the result's way to the source."""
    latency_s: Floats
    """(N, N): of links; from a device to itself nothing takes time, whatever stands here."""
    bytes_per_s: Floats
    """(N, N)."""
    rate: Floats
    """(K)."""
    total_rate: float
    first_user: Ints
    """(M + 1): module m is used by the requests ``user[first_user[m] : first_user[m + 1]]``."""
    user: Ints
    size: Ints
    """(M, N): memory in whole units."""
    room: Ints
    """(N): memory in whole units, no more than all modules together take."""
    may: Bools
    """(M, N): where a module can run for all its requests, fits alone, and is reached from their sources."""
    sequential: bool
    worst: bool
    """Whether the objective is the largest latency."""


def open_to(arrays: Arrays, *, replicas: bool) -> Bools:
    """Where a module may be tried (M, N); with replicas it may stand where only some of its requests can use it."""
    return arrays.size <= arrays.room if replicas else arrays.may.copy()


@dataclass(frozen=True)
class Numbered:
    """An instance with its arrays."""

    instance: PlacementInstance
    arrays: Arrays
    whole_units: bool
    """Whether sizes are exact; else they are rounded up, and room down, which allows nothing that does not fit."""

    def hosts(self, assignment: Assignment) -> Ints:
        """Device by module, of an assignment with one device a module; shape (M)."""
        number = {device.name: i for i, device in enumerate(self.instance.devices)}
        return np.array([number[assignment[m.name][0]] for m in self.instance.modules], dtype=np.int64)

    def order(self, assignment: Assignment) -> Ints:
        """The modules in the order in which an assignment names them; shape (M)."""
        number = {module.name: i for i, module in enumerate(self.instance.modules)}
        return np.array([number[name] for name in assignment], dtype=np.int64)

    def assignment(self, hosts: Ints, order: Ints | None = None) -> Assignment:
        """The evaluator's form of device numbers by module (M), the modules in file order or in another."""
        modules, devices = self.instance.modules, self.instance.devices
        return {modules[m].name: (devices[hosts[m]].name,) for m in (range(len(hosts)) if order is None else order)}


def numbered(instance: PlacementInstance) -> Numbered:
    """Write ``instance`` as arrays; every number is the one that the evaluator uses."""
    names = [device.name for device in instance.devices]
    module = {m.name: i for i, m in enumerate(instance.modules)}
    requests = instance.requests
    uses = [(r, p) for r in requests for p in range(len(r.encoders))]
    first = np.cumsum([0, *(len(r.encoders) for r in requests)]).astype(np.int64)
    users: list[list[int]] = [[] for _ in module]
    for k, request in enumerate(requests):
        for name in dict.fromkeys((*(use.module for use in request.encoders), request.head)):
            users[module[name]].append(k)
    _, latency_s, bytes_per_s = instance.link_arrays
    rules = HostingRules(instance)
    size, room, whole_units = _units(instance)
    arrays = Arrays(
        first=first,
        encoder=np.array([module[r.encoders[p].module] for r, p in uses], dtype=np.int64),
        ready_s=np.array([_from_source(instance, r.source, r.encoders[p].input_bytes) for r, p in uses]),
        compute_s=np.array([_seconds(instance.encoder_compute_s(r, p), names) for r, p in uses]),
        output_bytes=np.array([float(instance.encoder_output_bytes(r, p)) for r, p in uses]),
        head=np.array([module[r.head] for r in requests], dtype=np.int64),
        head_s=np.array([_seconds(instance.head_compute_s(r), names) for r in requests]),
        back_s=np.array([_from_source(instance, r.source, r.result_bytes) for r in requests]),
        latency_s=latency_s,
        bytes_per_s=bytes_per_s,
        rate=np.array([float(r.rate_per_s) for r in requests]),
        total_rate=math.fsum(r.rate_per_s for r in requests),
        first_user=np.cumsum([0, *map(len, users)]).astype(np.int64),
        user=np.array([k for each in users for k in each], dtype=np.int64),
        size=size,
        room=room,
        may=np.array([[name in rules.devices[m.name] for name in names] for m in instance.modules]),
        sequential=instance.routing == "sequential",
        worst=instance.objective == "max",
    )
    return Numbered(instance, arrays, whole_units)


def _from_source(instance: PlacementInstance, source: str, size_bytes: float) -> Floats:
    """Seconds between the source and each device; links are symmetric."""
    number, latency_s, bytes_per_s = instance.link_arrays
    at = number[source]
    seconds: Floats = latency_s[at] + size_bytes / bytes_per_s[at]
    seconds[at] = 0.0
    return seconds


def _seconds(by_device: dict[str, float | None], names: Sequence[str]) -> list[float]:
    return [math.inf if (s := by_device.get(name)) is None else float(s) for name in names]


def _units(instance: PlacementInstance) -> tuple[Ints, Ints, bool]:
    """Sizes (M, N) and room (N) as whole multiples of one unit, and whether they are exactly that."""
    plain = np.array([[m.bytes_on(d.name) for d in instance.devices] for m in instance.modules], dtype=np.float64)
    capacity = np.array([d.memory_bytes for d in instance.devices], dtype=np.float64)
    # More room than all modules take is never asked for.
    if (plain == np.floor(plain)).all() and plain.sum(axis=0).max() < 2**53:
        return plain.astype(np.int64), np.floor(np.minimum(capacity, plain.sum(axis=0))).astype(np.int64), True
    sizes = [[Fraction(s) for s in row] for row in plain.tolist()]
    sums = [sum(column, Fraction(0)) for column in zip(*sizes, strict=True)]
    room = [min(Fraction(r), total) for r, total in zip(capacity.tolist(), sums, strict=True)]
    # Denominators of floats are powers of two: the largest is a multiple of all.
    per_byte = Fraction(max(f.denominator for row in [*sizes, room] for f in row))
    largest = max(*sums, Fraction(1))
    whole = largest * per_byte < MOST_UNITS
    if not whole:
        per_byte = Fraction(MOST_UNITS // 2) / largest
    return (
        np.array([[math.ceil(s * per_byte) for s in row] for row in sizes], dtype=np.int64),
        np.array([math.floor(r * per_byte) for r in room], dtype=np.int64),
        whole,
    )
