"""What each request class does, stage by stage, under a placement and a link model, as flat arrays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from splitshare.errors import InputError
from splitshare.placement.instance import PlacementInstance, Request
from splitshare.placement.objective import Route
from splitshare.records import nearest

_Floats = NDArray[np.float64]
_Ints = NDArray[np.int64]

LinkModel = Literal["independent", "serial", "shared-medium"]
"""How transfers share links (ours).

- ``independent``: transfers never delay each other, as in the evaluator's latency.
- ``serial``: each direction of a link carries one transfer at a time, first come, first served; a transfer
  holds it for bytes / bandwidth and arrives the link's latency later.
- ``shared-medium``: all links of one cell carry one transfer at a time together, in both directions; links
  without a cell are as in ``serial``.
"""
LINK_MODELS: tuple[LinkModel, ...] = get_args(LinkModel)

StageKind = Literal["input", "encode", "send", "head", "result"]
STAGES: tuple[StageKind, ...] = get_args(StageKind)
"""Kinds of stage, in the order in which a request class lists its own: all inputs, all encoders, ..."""


@dataclass(frozen=True)
class Overheads:
    """What a running system adds to an instance's times: measured terms, none by default (ours)."""

    message_s: float = 0.0
    """Seconds of a transfer beyond bytes / bandwidth and latency: serialising, framing, waking the receiver."""
    run_s: float = 0.0
    """Seconds of a module's run beyond its compute time, in which the device is held: dispatch and output."""
    signals: bool = False
    """Whether, with sequential routing, the device of an encoder must be told over its link that the encoder before it,
    on another device, is done: that takes the link's latency and ``message_s``. An empty message waits for no tensor
    here (on workers it does, behind what was sent over the link before it)."""


IDEAL = Overheads()
"""No overheads, as in the evaluator."""


@dataclass(frozen=True, eq=False)
class StagePlan:
    """The stages of all request classes in a row; every array but ``first`` has the shape (stages,)."""

    modules: tuple[str, ...]
    devices: tuple[str, ...]
    links: tuple[str, ...]
    """Directed names, ``from->to``, two for each link of the instance."""
    resources: int
    """Devices, and what the link model makes of the links."""
    first: NDArray[np.int64]
    """Where each class's stages start, and their number; shape (classes + 1,)."""
    kind: NDArray[np.int64]
    """Position in ``STAGES``."""
    module: NDArray[np.int64]
    """Position in ``modules``: the one that runs, receives its input, or has sent this."""
    device: NDArray[np.int64]
    """Position in ``devices`` where the stage computes; -1 for a transfer."""
    link: NDArray[np.int64]
    """Position in ``links``; -1 for computing, and for a handover inside one device."""
    resource: NDArray[np.int64]
    """What it queues for; -1: nothing."""
    service_s: NDArray[np.float64]
    """Seconds of the resource at size 1: computing, or bytes / bandwidth."""
    delay_s: NDArray[np.float64]
    """Seconds of propagation after that."""
    size_bytes: NDArray[np.float64]
    """Bytes at size 1 of the tensor that a transfer carries; 0 for computing."""
    waits: NDArray[np.int64]
    """How many stages must be done before it."""
    next_a: NDArray[np.int64]
    """Place within the class of a stage that waits for it; -1: none."""
    next_b: NDArray[np.int64]
    """A second one: the encoder that follows in sequential routing."""
    signal_s: NDArray[np.float64]
    """Seconds until that one knows that this stage is done."""

    @property
    def flat(self) -> tuple[_Ints, _Ints, _Ints, _Floats, _Floats, _Ints, _Ints, _Floats]:
        """What the event loops take of it, in their order."""
        firsts = (self.first, self.waits, self.resource)
        return (*firsts, self.service_s, self.delay_s, self.next_a, self.next_b, self.signal_s)


@dataclass(frozen=True)
class _Stage:
    kind: str
    module: int
    waits: int
    after: tuple[int, int]
    service_s: float
    delay_s: float = 0.0
    size_bytes: float = 0.0
    signal_s: float = 0.0
    device: int = -1
    link: int = -1
    resource: int = -1


def build_plan(
    instance: PlacementInstance,
    routes: Mapping[str, Route],
    classes: Sequence[str],
    link_model: LinkModel,
    source: Path | str = "placement",
    overheads: Overheads = IDEAL,
) -> StagePlan:
    """Lay out the stages of some request classes.

    Args:
        instance: the instance that the placement belongs to.
        routes: complete routes by request class.
        classes: the classes to lay out, in this order.
        link_model: what transfers queue for.
        source: file that the routes came from, for messages.
        overheads: what a system adds to the ideal times.

    Raises:
        InputError: a class is unknown or has no route, or its route names an unknown device, a device that
            cannot run the module, or two devices without a link that a tensor or a signal must take.
    """
    requests = {request.name for request in instance.requests}
    for name in classes:
        if name not in requests or name not in routes:
            lacks = "route" if name in requests else "request class of this name"
            raise InputError(source, f"requests.{name}", f"there is no {lacks}")
    return plan_of_routes(instance, [(name, routes[name]) for name in classes], link_model, source, overheads)


def plan_of_routes(
    instance: PlacementInstance,
    routes: Sequence[tuple[str, Route]],
    link_model: LinkModel,
    source: Path | str = "placement",
    overheads: Overheads = IDEAL,
) -> StagePlan:
    """Lay out routes, several of one request class too: what the plan calls a class is a route here.

    Args:
        instance: the instance that the placement belongs to.
        routes: request classes of it, each with a complete route.
        link_model: as of ``build_plan``, like what follows.
        source: as there.
        overheads: as there.

    Raises:
        InputError: as there.
    """
    if link_model not in LINK_MODELS:
        raise InputError("link model", "", f"unknown link model {link_model!r}; known: {', '.join(LINK_MODELS)}")
    builder = _Builder(instance, link_model, source, overheads)
    requests = {request.name: request for request in instance.requests}
    stages: list[_Stage] = []
    first = [0]
    for name, route in routes:
        stages += builder.stages(requests[name], route)
        first.append(len(stages))

    def ints(values: Sequence[int]) -> NDArray[np.int64]:
        return np.array(values, dtype=np.int64)

    return StagePlan(
        modules=tuple(builder.modules),
        devices=tuple(builder.devices),
        links=tuple(builder.links),
        resources=builder.resources,
        first=ints(first),
        kind=ints([STAGES.index(s.kind) for s in stages]),
        module=ints([s.module for s in stages]),
        device=ints([s.device for s in stages]),
        link=ints([s.link for s in stages]),
        resource=ints([s.resource for s in stages]),
        service_s=np.array([s.service_s for s in stages], dtype=np.float64),
        delay_s=np.array([s.delay_s for s in stages], dtype=np.float64),
        size_bytes=np.array([s.size_bytes for s in stages], dtype=np.float64),
        waits=ints([s.waits for s in stages]),
        next_a=ints([s.after[0] for s in stages]),
        next_b=ints([s.after[1] for s in stages]),
        signal_s=np.array([s.signal_s for s in stages], dtype=np.float64),
    )


class _Builder:
    """Numbers modules, devices, links and resources of an instance, and lays out one class at a time."""

    def __init__(
        self, instance: PlacementInstance, link_model: LinkModel, source: Path | str, overheads: Overheads
    ) -> None:
        self._instance = instance
        self._source = source
        self._overheads = overheads
        self.modules = {module.name: i for i, module in enumerate(instance.modules)}
        self.devices = {device.name: i for i, device in enumerate(instance.devices)}
        self.links: dict[str, int] = {}
        self.resources = len(self.devices)
        self._resource_of: dict[str, int] = {}
        cells: dict[str, int] = {}
        for link in instance.links:
            for name in (f"{link.a}->{link.b}", f"{link.b}->{link.a}"):
                self.links[name] = len(self.links)
                if link_model == "independent":
                    self._resource_of[name] = -1
                elif link_model == "shared-medium" and link.cell is not None:
                    if link.cell not in cells:
                        cells[link.cell] = self._new_resource()
                    self._resource_of[name] = cells[link.cell]
                else:
                    self._resource_of[name] = self._new_resource()

    def _new_resource(self) -> int:
        self.resources += 1
        return self.resources - 1

    def stages(self, request: Request, route: Route) -> list[_Stage]:
        """The stages of a class: inputs, encoders, outputs to the head, the head, the result."""
        instance = self._instance
        encoder_hosts = [host for host in route.encoders if host is not None]
        count = len(request.encoders)
        if len(encoder_hosts) != count or route.head is None:
            raise InputError(self._source, f"requests.{request.name}", "a module of it is on no device")
        for host in (*encoder_hosts, route.head):
            if host not in self.devices:
                problem = f"unknown device {host!r}; {nearest(host, list(self.devices))}"
                raise InputError(self._source, f"requests.{request.name}", problem)
        # Places within the class: inputs from 0, encoders from `count`, outputs from `2 * count`, then the head.
        head = 3 * count
        inputs: list[_Stage] = []
        encodes: list[_Stage] = []
        sends: list[_Stage] = []
        for j, (use, device) in enumerate(zip(request.encoders, encoder_hosts, strict=True)):
            chained = instance.routing == "sequential"
            following = count + j + 1 if chained and j + 1 < count else -1
            waits = 2 if chained and j > 0 else 1
            seconds = instance.encoder_compute_s(request, j)
            size_bytes = instance.encoder_output_bytes(request, j)
            inputs.append(
                self._transfer("input", use.module, request.source, device, use.input_bytes, 0, (count + j, -1))
            )
            signal_s = self._signal_s(request, device, encoder_hosts[j + 1]) if following >= 0 else 0.0
            encodes.append(
                self._compute("encode", use.module, device, seconds, waits, (2 * count + j, following), signal_s)
            )
            sends.append(self._transfer("send", use.module, device, route.head, size_bytes, 1, (head, -1)))
        return [
            *inputs,
            *encodes,
            *sends,
            self._compute("head", request.head, route.head, instance.head_compute_s(request), count, (head + 1, -1)),
            self._transfer("result", request.head, route.head, request.source, request.result_bytes, 1, (-1, -1)),
        ]

    def _compute(
        self,
        kind: str,
        module: str,
        device: str,
        compute_s: Mapping[str, float | None],
        waits: int,
        after: tuple[int, int],
        signal_s: float = 0.0,
    ) -> _Stage:
        seconds = compute_s.get(device)
        if seconds is None:
            raise InputError(self._source, f"assignment.{module}", f"the module cannot run on {device!r}")
        number = self.devices[device]
        return _Stage(
            kind,
            self.modules[module],
            waits,
            after,
            seconds + self._overheads.run_s,
            signal_s=signal_s,
            device=number,
            resource=number,
        )

    def _signal_s(self, request: Request, start: str, end: str) -> float:
        """Seconds until ``end`` knows that ``start`` is done with an encoder."""
        if start == end or not self._overheads.signals:
            return 0.0
        link = self._instance.link_between(start, end)
        if link is None:
            problem = (
                f"with sequential routing {end!r} waits for {start!r}, but no link joins them; "
                "place these encoders on one device, or on two that are linked"
            )
            raise InputError(self._source, f"requests.{request.name}", problem)
        return link.latency_s + self._overheads.message_s

    def _transfer(
        self,
        kind: str,
        module: str,
        start: str,
        end: str,
        size_bytes: float,
        waits: int,
        after: tuple[int, int],
    ) -> _Stage:
        if start == end:
            return _Stage(kind, self.modules[module], waits, after, service_s=0.0, size_bytes=size_bytes)
        link = self._instance.link_between(start, end)
        if link is None:
            raise InputError(self._source, f"assignment.{module}", f"no link joins {start!r} and {end!r}")
        name = f"{start}->{end}"
        return _Stage(
            kind,
            self.modules[module],
            waits,
            after,
            service_s=size_bytes / link.bandwidth_bytes_per_s,
            delay_s=link.latency_s + self._overheads.message_s,
            size_bytes=size_bytes,
            link=self.links[name],
            resource=self._resource_of[name],
        )
