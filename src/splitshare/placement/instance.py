"""The placement instance and the placement: the two files of the S2M3 problem (contracts ours)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from splitshare.choices import Dtype, Status
from splitshare.records import Bytes, BytesPerS, Finite, Joules, Name, PerS, Record, Seconds, Versions, nearest

if TYPE_CHECKING:
    from typing import Self  # not in Python 3.10, which workers run on


class Device(Record):
    """A device that can hold modules; it runs one module at a time."""

    name: Name
    tier: Literal["edge", "cloud"] = "edge"
    memory_bytes: Bytes
    """Memory for models, in bytes (what the system and activations need is not in it)."""
    precision: Dtype | None = None
    """Floating point type in which it holds modules and computes; ``None``: each module's own in the catalogue. What
    that does to memory and seconds stands in the modules; real modules of the emulator are built in it."""


class Link(Record):
    """A symmetric link; a pair of devices without one cannot exchange data."""

    a: Name
    b: Name
    latency_s: Seconds
    bandwidth_bytes_per_s: BytesPerS
    cell: Name | None = None
    """Links of one (wireless) cell share air time; only the ``shared-medium`` replay looks at it."""


class Module(Record):
    """A module after sharing: one set of weights, wherever it is used."""

    name: Name
    kind: Name
    memory_bytes: Bytes
    memory_bytes_on: dict[Name, Bytes] | None = None
    """Bytes on the devices where they are others, because these hold it in another precision."""
    output_bytes: Bytes
    compute_s: dict[Name, Seconds | None]
    """Seconds for one request by device; null or absent: the module cannot run there."""
    energy_j: dict[Name, Joules] | None = None
    """Joules for one request by device, of the devices that count them."""

    def bytes_on(self, device: str) -> float:
        """Memory that it takes on a device."""
        if self.memory_bytes_on is None:
            return self.memory_bytes
        return self.memory_bytes_on.get(device, self.memory_bytes)


class EncoderUse(Record):
    """One encoder of a request; the optional fields override the module's for this request."""

    module: Name
    input_bytes: Bytes
    output_bytes: Bytes | None = None
    compute_s: dict[Name, Seconds | None] | None = None
    energy_j: dict[Name, Joules] | None = None
    """With ``compute_s`` it overrides as a whole: joules of other runs say nothing of these."""


class Request(Record):
    """A request class: one task model asked from one source device."""

    name: Name
    task: Name
    model: Name
    source: Name
    rate_per_s: PerS
    encoders: tuple[EncoderUse, ...] = Field(min_length=1, max_length=8)
    head: Name
    head_compute_s: dict[Name, Seconds | None] | None = None
    result_bytes: Bytes


class Origin(Record):
    """What an instance was made of."""

    workload: Name
    testbed: Name


class PlacementInstance(Record):
    """An instance of the placement problem.

    The lookups below (``compute_s``, ``comm_s``, ...) are the only way in which the evaluator, the exact model and
    the simulator read it, so that overrides and missing links mean the same everywhere.
    """

    LABELS = frozenset({"origin"})
    schema_: Literal["splitshare.placement-instance/1"] = Field(alias="schema")
    name: Name
    origin: Origin | None = None
    """The workload and the testbed, where it was made of such; no part of the digest."""
    objective: Literal["mean", "max"]
    replication: bool = False
    routing: Literal["parallel", "sequential"] = "parallel"
    devices: tuple[Device, ...] = Field(min_length=1)
    links: tuple[Link, ...]
    modules: tuple[Module, ...] = Field(min_length=1)
    requests: tuple[Request, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        devices = _unique("devices", [d.name for d in self.devices])
        modules = _unique("modules", [m.name for m in self.modules])
        _unique("requests", [r.name for r in self.requests])
        pairs: dict[frozenset[str], int] = {}
        for i, link in enumerate(self.links):
            for end in ("a", "b"):
                _known(f"links[{i}].{end}", getattr(link, end), devices, "device")
            if link.a == link.b:
                raise ValueError(f"links[{i}].b: a link joins two different devices, not {link.a!r} with itself")
            pair = frozenset((link.a, link.b))
            if pair in pairs:
                raise ValueError(f"links[{i}]: joins the same devices as links[{pairs[pair]}]; keep one")
            pairs[pair] = i
        for i, module in enumerate(self.modules):
            _known_keys(f"modules[{i}].memory_bytes_on", module.memory_bytes_on, devices)
            _known_keys(f"modules[{i}].compute_s", module.compute_s, devices)
            _known_keys(f"modules[{i}].energy_j", module.energy_j, devices)
        for i, request in enumerate(self.requests):
            where = f"requests[{i}]"
            _known(f"{where}.source", request.source, devices, "device")
            _known(f"{where}.head", request.head, modules, "module")
            _known_keys(f"{where}.head_compute_s", request.head_compute_s, devices)
            for j, use in enumerate(request.encoders):
                _known(f"{where}.encoders[{j}].module", use.module, modules, "module")
                _known_keys(f"{where}.encoders[{j}].compute_s", use.compute_s, devices)
                _known_keys(f"{where}.encoders[{j}].energy_j", use.energy_j, devices)
            self._check_reachable(i, request)
        return self

    def _check_reachable(self, index: int, request: Request) -> None:
        """Refuse a request that no placement could answer for want of a link, memory aside.

        That a module fits nowhere, or that memory is short, is an *infeasible* instance, which is an answer; a
        request cut off from every device that could serve it is a mistake in the file.
        """

        def hosts(compute_s: dict[str, float | None]) -> list[str]:
            return [d.name for d in self.devices if compute_s.get(d.name) is not None]

        heads = hosts(self.head_compute_s(request))
        encoder_hosts = [hosts(self.encoder_compute_s(request, j)) for j in range(len(request.encoders))]
        if not heads or not all(encoder_hosts):
            return
        linked = self.link_between
        reachable_heads = [h for h in heads if h == request.source or linked(request.source, h)]
        if not reachable_heads:
            raise ValueError(f"requests[{index}].source: no link from {request.source!r} to a device for the head")
        for j, candidates in enumerate(encoder_hosts):
            usable = [n for n in candidates if n == request.source or linked(request.source, n)]
            if not any(n == h or linked(n, h) for n in usable for h in reachable_heads):
                raise ValueError(
                    f"requests[{index}].encoders[{j}].module: no path of links from {request.source!r} over a device "
                    f"for {request.encoders[j].module!r} to one for the head; add the missing link"
                )

    @cached_property
    def _links_by_pair(self) -> dict[tuple[str, str], Link]:
        both = {(link.a, link.b): link for link in self.links}
        return both | {(b, a): link for (a, b), link in both.items()}

    @cached_property
    def modules_by_name(self) -> dict[str, Module]:
        """Modules by name."""
        return {m.name: m for m in self.modules}

    @cached_property
    def devices_by_name(self) -> dict[str, Device]:
        """Devices by name."""
        return {d.name: d for d in self.devices}

    def link_between(self, a: str, b: str) -> Link | None:
        """The link that joins two devices, if there is one."""
        return self._links_by_pair.get((a, b))

    def comm_s(self, a: str, b: str, size_bytes: float) -> float:
        """Seconds to send ``size_bytes`` from ``a`` to ``b``: 0 on one device, infinite without a link."""
        if a == b:
            return 0.0
        link = self._links_by_pair.get((a, b))
        return math.inf if link is None else link.latency_s + size_bytes / link.bandwidth_bytes_per_s

    @cached_property
    def link_arrays(self) -> tuple[dict[str, int], NDArray[np.float64], NDArray[np.float64]]:
        """Position of each device; latency in seconds and bytes a second by pair of positions."""
        number = {device.name: i for i, device in enumerate(self.devices)}
        latency_s, per_s = np.full((len(number), len(number)), math.inf), np.ones((len(number), len(number)))
        for (a, b), link in self._links_by_pair.items():
            latency_s[number[a], number[b]], per_s[number[a], number[b]] = link.latency_s, link.bandwidth_bytes_per_s
        return number, latency_s, per_s

    def comm_between_s(self, starts: Sequence[str], ends: Sequence[str], size_bytes: float) -> NDArray[np.float64]:
        """``comm_s`` from each of ``starts`` to each of ``ends``, of shape (starts, ends)."""
        number, latency_s, per_s = self.link_arrays
        pairs = np.ix_([number[name] for name in starts], [number[name] for name in ends])
        seconds: NDArray[np.float64] = latency_s[pairs] + size_bytes / per_s[pairs]
        seconds[np.equal.outer(*(p.ravel() for p in pairs))] = 0.0
        return seconds

    def encoder_compute_s(self, request: Request, position: int) -> dict[str, float | None]:
        """Compute seconds by device of the encoder at ``position`` of ``request``, overrides applied."""
        use = request.encoders[position]
        own = self.modules_by_name[use.module].compute_s
        return own if use.compute_s is None else own | use.compute_s

    def encoder_output_bytes(self, request: Request, position: int) -> float:
        """Bytes that the encoder at ``position`` sends to the head, overrides applied."""
        use = request.encoders[position]
        return self.modules_by_name[use.module].output_bytes if use.output_bytes is None else use.output_bytes

    def encoder_energy_j(self, request: Request, position: int) -> dict[str, float]:
        """Joules by device of the encoder at ``position`` of ``request``; one with seconds of its own has its own."""
        use = request.encoders[position]
        own = use.compute_s is None and use.energy_j is None
        return (self.modules_by_name[use.module].energy_j if own else use.energy_j) or {}

    def head_energy_j(self, request: Request) -> dict[str, float]:
        """Joules by device of the request's head; one whose seconds are the request's own tells none."""
        own = self.modules_by_name[request.head].energy_j or {}
        return own if request.head_compute_s is None else {}

    def head_compute_s(self, request: Request) -> dict[str, float | None]:
        """Compute seconds by device of the request's head, overrides applied."""
        own = self.modules_by_name[request.head].compute_s
        return own if request.head_compute_s is None else own | request.head_compute_s


class Placement(Record):
    """Where each module stands, as an algorithm answered; ``assignment`` is null where nothing feasible was found."""

    schema_: Literal["splitshare.placement/1"] = Field(alias="schema")
    instance_sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    algorithm: str
    variant: Literal["no-sharing", "sequential-routing"] | None = None
    """Transform of the instance that the assignment belongs to (``splitshare.placement.variants``)."""
    status: Status
    reason: str | None = None
    """Why an answer that the algorithm gave was not accepted: the rule that it breaks."""
    assignment: dict[Name, tuple[Name, ...]] | None
    objective: Finite | None
    bound: Finite | None
    build_s: Seconds
    solve_s: Seconds
    versions: Versions


Assignment = dict[str, tuple[str, ...]]
"""Devices by module; one device a module unless the instance allows replication."""


def _unique(field: str, names: Sequence[str]) -> list[str]:
    seen: dict[str, int] = {}
    for i, name in enumerate(names):
        if name in seen:
            raise ValueError(f"{field}[{i}].name: {name!r} is the name of {field}[{seen[name]}] too; choose another")
        seen[name] = i
    return list(names)


def _known(field: str, name: str, names: list[str], kind: str) -> None:
    if name not in names:
        raise ValueError(f"{field}: unknown {kind} {name!r}; {nearest(name, names)}")


def _known_keys(field: str, mapping: Mapping[str, float | None] | None, devices: list[str]) -> None:
    for name in mapping or {}:
        _known(field, name, devices, "device")
