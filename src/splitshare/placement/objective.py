"""The one evaluator of the placement problem: what a placement is worth, computed in one place (definition ours).

Latency of a request on an idle system, with its encoders' hosts and its head's host given:

1. an encoder is ready when its input has travelled from the source;
2. a device runs one module at a time: encoders of the request on one device run first come, first served, ties in
   the order in which the request lists them (``routing: sequential``: one after another wherever they are, each
   starting at the later of its input's arrival and the finish of the one before);
3. outputs travel to the head's device, the head starts when all have arrived, the result returns to the source.

With replicas each request is routed to the combination of hosts that answers it soonest.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from splitshare.errors import WorkError, shown
from splitshare.placement.instance import Assignment, PlacementInstance, Request
from splitshare.records import nearest


class InfeasiblePlacementError(WorkError):
    """A placement breaks a rule of its instance; the message names the rule."""


@dataclass(frozen=True)
class Route:
    """Where one request class runs; ``None`` for what is not placed yet (partial placements of a heuristic)."""

    encoders: tuple[str | None, ...]
    head: str | None


@dataclass(frozen=True)
class Evaluation:
    """The worth of a placement."""

    objective: float
    """Rate-weighted mean, or maximum, of the latencies, in seconds."""
    latency_s: dict[str, float]
    """Idle latency by request class."""
    routes: dict[str, Route]
    memory_bytes: dict[str, float]
    """Bytes of modules by device."""


def fcfs_finish_s(
    instance: PlacementInstance, request: Request, device: str, positions: Sequence[int]
) -> dict[int, float]:
    """Finish times of the encoders at ``positions`` when exactly these run on ``device``, in seconds.

    Infinite where the source cannot reach the device or the module cannot run there.
    """
    ready_s = {p: instance.comm_s(request.source, device, request.encoders[p].input_bytes) for p in positions}
    return in_order_of_arrival(ready_s, {p: instance.encoder_compute_s(request, p).get(device) for p in positions})


def in_order_of_arrival(ready_s: Mapping[int, float], compute_s: Mapping[int, float | None]) -> dict[int, float]:
    """Finish times on one device of what is ready at ``ready_s``, the lower position first where two are at once."""
    finish: dict[int, float] = {}
    free = 0.0
    for p in sorted(ready_s, key=lambda p: (ready_s[p], p)):
        compute = compute_s[p]
        free = max(free, ready_s[p]) + (math.inf if compute is None else compute)
        finish[p] = free
    return finish


def _sequential_finish_s(
    instance: PlacementInstance, request: Request, hosts: Sequence[str | None]
) -> dict[int, float]:
    finish: dict[int, float] = {}
    previous = 0.0
    for p, host in enumerate(hosts):
        if host is None:
            continue
        compute = instance.encoder_compute_s(request, p).get(host)
        arrival = instance.comm_s(request.source, host, request.encoders[p].input_bytes)
        previous = max(arrival, previous) + (math.inf if compute is None else compute)
        finish[p] = previous
    return finish


def request_latency_s(instance: PlacementInstance, request: Request, route: Route) -> float:
    """Idle latency of ``request`` on ``route``, in seconds; infinite if a link or a compute time is missing.

    What the route leaves open (``None``) is left out: the latency of what is placed so far.
    """
    if instance.routing == "sequential":
        finish = _sequential_finish_s(instance, request, route.encoders)
    else:
        by_device: dict[str, list[int]] = {}
        for p, host in enumerate(route.encoders):
            if host is not None:
                by_device.setdefault(host, []).append(p)
        finish = {}
        for device, positions in by_device.items():
            finish |= fcfs_finish_s(instance, request, device, positions)
    if route.head is None:
        return max(finish.values(), default=0.0)
    start = 0.0
    for p, done in finish.items():
        host = route.encoders[p]
        assert host is not None  # finish has placed encoders only
        start = max(start, done + instance.comm_s(host, route.head, instance.encoder_output_bytes(request, p)))
    compute = instance.head_compute_s(request).get(route.head)
    if compute is None:
        return math.inf
    return start + compute + instance.comm_s(route.head, request.source, request.result_bytes)


def best_route(
    instance: PlacementInstance, request: Request, hosts: Mapping[str, Sequence[str]]
) -> tuple[float, Route]:
    """The route of least latency over the hosts of each module, and that latency; ties go to the earlier hosts.

    Args:
        instance: the instance.
        request: the request class to route.
        hosts: devices that hold each module; a module that is missing is not placed yet.
    """
    open_: tuple[str | None, ...] = (None,)
    encoder_hosts: Iterable[Sequence[str | None]] = [hosts.get(e.module) or open_ for e in request.encoders]
    best: tuple[float, Route] | None = None
    for head in hosts.get(request.head) or open_:
        for encoders in itertools.product(*encoder_hosts):
            route = Route(tuple(encoders), head)
            latency = request_latency_s(instance, request, route)
            if best is None or latency < best[0]:
                best = (latency, route)
    assert best is not None  # the product is never empty
    return best


def objective_of(
    instance: PlacementInstance, latency_s: Mapping[str, float], requests: Sequence[Request] | None = None
) -> float:
    """Combine latencies by request class into the instance's objective, in seconds; over all requests or some."""
    chosen = instance.requests if requests is None else requests
    if instance.objective == "max":
        return max(latency_s[r.name] for r in chosen)
    total = math.fsum(r.rate_per_s for r in chosen)
    return math.fsum(r.rate_per_s * latency_s[r.name] for r in chosen) / total


def memory_by_device(instance: PlacementInstance, assignment: Mapping[str, Sequence[str]]) -> dict[str, float]:
    """Bytes of modules on each device."""
    used: dict[str, list[float]] = {d.name: [] for d in instance.devices}
    for module, hosts in assignment.items():
        for host in hosts:
            used[host].append(instance.modules_by_name[module].bytes_on(host))
    return {name: math.fsum(sizes) for name, sizes in used.items()}


def check(instance: PlacementInstance, assignment: Mapping[str, Sequence[str]]) -> None:
    """Check the rules that do not need latencies: known names, every module placed, memory.

    Raises:
        InfeasiblePlacementError: names the first rule that is broken.
    """
    devices = [d.name for d in instance.devices]
    for module, hosts in assignment.items():
        if module not in instance.modules_by_name:
            raise InfeasiblePlacementError(
                f"assignment.{module}: unknown module; {nearest(module, list(instance.modules_by_name))}"
            )
        for host in hosts:
            if host not in devices:
                raise InfeasiblePlacementError(
                    f"assignment.{module}: unknown device {host!r}; {nearest(host, devices)}"
                )
        if len(set(hosts)) != len(hosts):
            raise InfeasiblePlacementError(f"assignment.{module}: a device is named twice")
        if len(hosts) > 1 and not instance.replication:
            raise InfeasiblePlacementError(
                f"assignment.{module}: {len(hosts)} devices, but the instance does not allow replication"
            )
    for name in instance.modules_by_name:
        if not assignment.get(name):
            raise InfeasiblePlacementError(f"assignment.{name}: is on no device; place every module")
    used = memory_by_device(instance, assignment)
    for device in instance.devices:
        if used[device.name] > device.memory_bytes:
            raise InfeasiblePlacementError(
                f"assignment: {used[device.name]:.0f} bytes of modules on {device.name!r}, "
                f"which has {device.memory_bytes:.0f}"
            )


def evaluate(instance: PlacementInstance, assignment: Mapping[str, Sequence[str]]) -> Evaluation:
    """Score a complete placement.

    Raises:
        InfeasiblePlacementError: a module is not placed, memory is exceeded, or a request cannot be answered.
    """
    check(instance, assignment)
    latency_s: dict[str, float] = {}
    routes: dict[str, Route] = {}
    for request in instance.requests:
        latency_s[request.name], routes[request.name] = best_route(instance, request, assignment)
        if math.isinf(latency_s[request.name]):
            raise InfeasiblePlacementError(
                f"request {request.name!r} cannot be answered: a module cannot run where it is, or a link is missing"
            )
    return Evaluation(
        objective=objective_of(instance, latency_s),
        latency_s=latency_s,
        routes=routes,
        memory_bytes=memory_by_device(instance, assignment),
    )


def normalised(assignment: Mapping[str, str | Sequence[str]]) -> Assignment:
    """An algorithm's answer (a device, or a list of devices, a module) in the one internal form.

    Raises:
        WorkError: it is not devices by module.
    """
    if not isinstance(assignment, Mapping):
        raise WorkError(f"the answer is not devices by module but {type(assignment).__name__}")
    for module, hosts in assignment.items():
        if not isinstance(hosts, Iterable):
            raise WorkError(f"the answer has {type(hosts).__name__} for {module!r}; it must be a device, or several")
    listed = {m: (hosts,) if isinstance(hosts, str) else tuple(hosts) for m, hosts in assignment.items()}
    for module, hosts in listed.items():
        wrong = next((name for name in (module, *hosts) if not isinstance(name, str)), None)
        if wrong is not None:
            raise WorkError(f"the answer has {shown(wrong)} for a module or a device of {shown(module)}; give its name")
    return listed
