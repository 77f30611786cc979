"""Certificates of optima: what was claimed, by whom it was proved, and a check of it in plain arithmetic.

The check shares nothing with the evaluator, the exact model or the solvers but the instance's fields: it adds up
bytes and seconds as exact fractions, from the problem's definition. It confirms that the placement keeps the rules,
that it is worth what is claimed, and that the claim is within ``tolerance`` of the bound. That nothing lies below
the bound is what the solvers named proved; no arithmetic short of solving again can confirm it.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Literal

from pydantic import Field

from splitshare.errors import WorkError
from splitshare.placement.instance import Placement, PlacementInstance, Request
from splitshare.records import Finite, Name, NonNegative, Record

TOLERANCE = 1e-6
"""Largest relative gap between objective and bound, and between claimed and recomputed objective."""


class Certificate(Record):
    """The optimum of an instance: a placement, its worth and a proved bound."""

    schema_: Literal["splitshare.certificate/1"] = Field(alias="schema")
    instance: Name
    instance_sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    assignment: dict[Name, tuple[Name, ...]]
    objective: NonNegative
    """Seconds."""
    bound: Finite
    """Seconds; no placement is worth less, by the weakest of the proofs."""
    proved_by: tuple[str, ...] = Field(min_length=1)
    """Name and version of every solver that proved it."""
    tolerance: NonNegative


def certificate_of(instance: PlacementInstance, optima: Sequence[Placement]) -> Certificate:
    """The certificate that one or more exact placements of ``instance`` amount to; the first gives the placement.

    Raises:
        WorkError: a placement is not a proved optimum of this instance, or two optima differ.
    """
    least = min((p.objective for p in optima if p.objective is not None), default=math.nan)
    bounds: list[float] = []
    proved_by: list[str] = []
    for placement in optima:
        proved = placement.status == "optimal" and placement.variant is None and placement.versions.solver is not None
        if placement.instance_sha256 != instance.sha256() or not proved or placement.bound is None:
            raise WorkError(f"{instance.name}: {placement.algorithm} ({placement.status}) proved no optimum of it")
        if placement.objective is None or abs(placement.objective - least) > TOLERANCE * max(abs(least), 1e-12):
            raise WorkError(
                f"{instance.name}: {placement.versions.solver} proves {placement.objective!r}, another solver finds "
                f"{least!r}: one of them is wrong"
            )
        bounds.append(placement.bound)
        proved_by.append(str(placement.versions.solver))
    first = optima[0]
    assert first.assignment is not None  # optima have both
    assert first.objective is not None
    certificate = Certificate(
        schema_="splitshare.certificate/1",
        instance=instance.name,
        instance_sha256=instance.sha256(),
        assignment=first.assignment,
        objective=first.objective,
        bound=min(bounds),
        proved_by=tuple(proved_by),
        tolerance=TOLERANCE,
    )
    if complaints := objections(instance, certificate):
        raise WorkError(f"{instance.name}: no certificate: {complaints[0]}")
    return certificate


def objections(instance: PlacementInstance, certificate: Certificate) -> list[str]:
    """What of ``certificate`` does not hold for ``instance``, a line each; empty where all of it holds."""
    if certificate.instance_sha256 != instance.sha256():
        return [
            f"instance_sha256: is of another instance ({certificate.instance!r}, "
            f"{certificate.instance_sha256[:12]}...) than {instance.name!r} ({instance.sha256()[:12]}...)"
        ]
    return list(_name_objections(instance, certificate)) or [
        *_memory_objections(instance, certificate),
        *_objective_objections(instance, certificate),
    ]


def _name_objections(instance: PlacementInstance, certificate: Certificate) -> Iterator[str]:
    devices = {device.name for device in instance.devices}
    modules = {module.name for module in instance.modules}
    for module in sorted(modules - certificate.assignment.keys()):
        yield f"assignment.{module}: is missing"
    for module, hosts in certificate.assignment.items():
        if module not in modules:
            yield f"assignment.{module}: the instance has no such module"
        if not set(hosts) <= devices or len(set(hosts)) < len(hosts) or not hosts:
            yield f"assignment.{module}: {list(hosts)} is not a set of devices of the instance"
        elif len(hosts) > 1 and not instance.replication:
            yield f"assignment.{module}: {len(hosts)} devices, but the instance does not allow replication"


def _memory_objections(instance: PlacementInstance, certificate: Certificate) -> Iterator[str]:
    for device in instance.devices:
        held = sum(
            (
                Fraction(m.bytes_on(device.name))
                for m in instance.modules
                if device.name in certificate.assignment[m.name]
            ),
            Fraction(0),
        )
        if held > Fraction(device.memory_bytes):
            yield f"assignment: {float(held):.0f} bytes on {device.name!r}, which has {device.memory_bytes:.0f}"


def _objective_objections(instance: PlacementInstance, certificate: Certificate) -> Iterator[str]:
    latency_s: list[Fraction] = []
    for request in instance.requests:
        hosts = [certificate.assignment[use.module] for use in request.encoders]
        routes = itertools.product(itertools.product(*hosts), certificate.assignment[request.head])
        times = [_latency_s(instance, request, encoders, head) for encoders, head in routes]
        known = [time for time in times if time is not None]
        if not known:
            yield f"assignment: request {request.name!r} cannot be answered"
            return
        latency_s.append(min(known))
    rates = [Fraction(request.rate_per_s) for request in instance.requests]
    mean = sum((rate * time for rate, time in zip(rates, latency_s, strict=True)), Fraction(0)) / sum(rates)
    worth = max(latency_s) if instance.objective == "max" else mean
    claimed, bound, tolerance = (
        Fraction(value) for value in (certificate.objective, certificate.bound, certificate.tolerance)
    )
    if tolerance > Fraction(TOLERANCE):
        yield f"tolerance: {certificate.tolerance:g} is more than {TOLERANCE:g}"
    if abs(claimed - worth) > tolerance * worth:
        yield f"objective: the placement is worth {float(worth)!r} s, not {certificate.objective!r} s"
    if claimed - bound > tolerance * claimed:
        yield f"bound: {certificate.bound!r} s leaves room for better than the objective {certificate.objective!r} s"
    if bound - claimed > tolerance * claimed:
        yield f"bound: {certificate.bound!r} s is above the objective {certificate.objective!r} s"


def _latency_s(
    instance: PlacementInstance, request: Request, encoder_hosts: Sequence[str], head_host: str
) -> Fraction | None:
    """Idle latency of one request on one route, in seconds; ``None`` where it cannot run."""
    modules = {module.name: module for module in instance.modules}
    arrival = [
        _transfer_s(instance, request.source, host, use.input_bytes)
        for use, host in zip(request.encoders, encoder_hosts, strict=True)
    ]
    compute = [
        _compute_s(modules[use.module].compute_s, use.compute_s, host)
        for use, host in zip(request.encoders, encoder_hosts, strict=True)
    ]
    order = list(range(len(arrival)))
    if instance.routing == "parallel":
        order.sort(key=lambda i: (arrival[i] or Fraction(0), i))
    device_free: dict[str, Fraction] = {}
    start_of_head = previous = Fraction(0)
    for i in order:
        arrives, takes, use = arrival[i], compute[i], request.encoders[i]
        if arrives is None or takes is None:
            return None
        waits_for = device_free.get(encoder_hosts[i], Fraction(0)) if instance.routing == "parallel" else previous
        done = previous = max(arrives, waits_for) + takes
        device_free[encoder_hosts[i]] = done
        size_bytes = modules[use.module].output_bytes if use.output_bytes is None else use.output_bytes
        travels = _transfer_s(instance, encoder_hosts[i], head_host, size_bytes)
        if travels is None:
            return None
        start_of_head = max(start_of_head, done + travels)
    takes = _compute_s(modules[request.head].compute_s, request.head_compute_s, head_host)
    returns = _transfer_s(instance, head_host, request.source, request.result_bytes)
    return None if takes is None or returns is None else start_of_head + takes + returns


def _transfer_s(instance: PlacementInstance, a: str, b: str, size_bytes: float) -> Fraction | None:
    if a == b:
        return Fraction(0)
    for link in instance.links:
        if {link.a, link.b} == {a, b}:
            return Fraction(link.latency_s) + Fraction(size_bytes) / Fraction(link.bandwidth_bytes_per_s)
    return None


def _compute_s(
    own: Mapping[str, float | None], override: Mapping[str, float | None] | None, device: str
) -> Fraction | None:
    seconds = override[device] if override is not None and device in override else own.get(device)
    return None if seconds is None else Fraction(seconds)
