"""What a policy did as an instance, a placement and a trace that the simulator and the emulator replay (ours).

A class that goes another way from some time on is a class of its own from then on, ``NAME@1``, ``NAME@2``...; a module
that stands at several places over time is a module a place, ``NAME@DEVICE``, which only that device can run; a move is
a request from the device that gives, whose input is the module and whose one encoder is reading it into memory. So
transfers and computing wait for each other as in any replay. Names that would be too long, or are taken, are cut and
end in a digest.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from splitshare.adaptation.run import Lived
from splitshare.adaptation.steps import Move, Stretch
from splitshare.adaptation.timeline import Span
from splitshare.errors import WorkError
from splitshare.names import MadeNames
from splitshare.placement.instance import EncoderUse, Module, PlacementInstance, Request
from splitshare.placement.objective import Route
from splitshare.replay.traces import RequestTrace

MOVE = "move"
"""Task of the classes that are moves, and kind of their modules; their names begin with it."""


def moves_of(instance: PlacementInstance) -> frozenset[str]:
    """Classes that are moves."""
    return frozenset(request.name for request in instance.requests if request.task == MOVE)


@dataclass(frozen=True, eq=False)
class Replayable:
    """What a policy did, to be replayed."""

    instance: PlacementInstance
    assignment: dict[str, tuple[str, ...]]
    trace: RequestTrace
    unserved: int
    """Requests of the trace that came while their class was not served; they are left out."""

    @property
    def moves(self) -> frozenset[str]:
        """Classes that are moves, not requests of the trace."""
        return moves_of(self.instance)


def replayable(
    base: PlacementInstance, timeline: Sequence[Span], lived: Lived, trace: RequestTrace
) -> Replayable | None:
    """A policy's decisions under a trace of the instance at rest.

    Requests that are under way when their class changes over end on the way on which they began. Devices have room for
    all modules that ever stand there: what fits when was the decisions' matter.

    Args:
        base: the instance at rest, whose classes the trace has.
        timeline: what changed; only the slowness of devices is looked at, links that change are the replay's option.
        lived: what the policy did.
        trace: within the timeline; later requests are refused.

    Returns:
        What can be replayed; ``None`` where no request of the trace is served.

    Raises:
        WorkError: a request comes after the timeline's end.
    """
    if float(trace.arrival_s[-1]) >= timeline[-1].end_s:
        raise WorkError(
            f"the trace lasts until {trace.arrival_s[-1]:.6g} s and the timeline until {timeline[-1].end_s:.6g} s; "
            "give a longer --horizon-s"
        )
    versions = _versions(timeline, lived)
    requests: dict[str, Request] = {}
    made, number_of = _Made(base), Counter[str]()
    by_class: dict[str, list[tuple[float, float, str | None]]] = {name: [] for name in trace.classes}
    for (name, route, slowness), stretches in versions.items():
        version = None
        if route is not None:
            number_of[name] += 1
            version = made.request_names.of(name, str(number_of[name]), between="@")
            requests[version] = _request(base, name, version, route, dict(slowness), made)
        by_class.setdefault(name, []).extend((s.start_s, s.end_s, version) for s in stretches)
    arrivals, names, sizes, unserved = _served(trace, by_class)
    moves = [m for one in lived.steps for m in one.moves if math.isfinite(m.arrives_s)]
    for i, move in enumerate(moves):
        request = _move(i + 1, move, made)
        requests[request.name] = request
        arrivals.append(move.start_s)
        names.append(request.name)
        sizes.append(1.0)
    if unserved == len(trace):
        return None
    return _assembled(base, requests, made.modules, arrivals, names, sizes, unserved)


def _versions(
    timeline: Sequence[Span], lived: Lived
) -> dict[tuple[str, Route | None, tuple[tuple[str, float], ...]], list[Stretch]]:
    """Stretches by class, way, and slowness of the devices on it."""
    found: dict[tuple[str, Route | None, tuple[tuple[str, float], ...]], list[Stretch]] = {}
    for span, one in zip(timeline, lived.steps, strict=True):
        for stretch in one.stretches:
            used = set() if stretch.route is None else {*stretch.route.encoders, stretch.route.head}
            slowness = tuple(sorted((d, f) for d, f in span.slowness.items() if d in used))
            found.setdefault((stretch.request, stretch.route, slowness), []).append(stretch)
    return found


def _served(
    trace: RequestTrace, by_class: dict[str, list[tuple[float, float, str | None]]]
) -> tuple[list[float], list[str], list[float], int]:
    """Arrivals, classes and sizes of the requests that are served, and how many are not."""
    arrivals: list[float] = []
    names: list[str] = []
    sizes: list[float] = []
    lost = 0
    for code, name in enumerate(trace.classes):
        rows = np.flatnonzero(trace.request_class == code)
        parts = sorted(by_class[name])
        starts = np.array([start for start, _, _ in parts])
        at = np.searchsorted(starts, trace.arrival_s[rows], side="right") - 1
        for row, place in zip(rows.tolist(), at.tolist(), strict=True):
            time = float(trace.arrival_s[row])
            version = parts[place][2] if place >= 0 and time < parts[place][1] else None
            if version is None:
                lost += 1
                continue
            arrivals.append(time)
            names.append(version)
            sizes.append(float(trace.size[row]))
    return arrivals, names, sizes, lost


class _Made:
    """Names and modules of what is replayed, made as they are asked for."""

    def __init__(self, base: PlacementInstance) -> None:
        self._base = base
        self.modules: dict[str, Module] = {}
        self._module_names, self.request_names = MadeNames(), MadeNames()

    def placed(self, name: str, device: str) -> str:
        """The name of a module at a place."""
        placed = self._module_names.of(name, device, between="@")
        if placed not in self.modules:
            own = self._base.modules_by_name[name]
            self.modules[placed] = Module(
                name=placed,
                kind=own.kind,
                memory_bytes=own.bytes_on(device),
                output_bytes=own.output_bytes,
                compute_s={device: own.compute_s.get(device)},
                energy_j=None if own.energy_j is None else {d: j for d, j in own.energy_j.items() if d == device},
            )
        return placed

    def step_of_move(self, move: str, step: str, device: str, seconds: float) -> str:
        """The name of a module that stands for a step of a move."""
        name = self._module_names.of(move, step, between="-")
        self.modules[name] = Module(
            name=name, kind=MOVE, memory_bytes=0.0, output_bytes=0.0, compute_s={device: seconds}
        )
        return name


def _request(
    base: PlacementInstance,
    name: str,
    version: str,
    route: Route,
    slowness: dict[str, float],
    made: _Made,
) -> Request:
    own = next(r for r in base.requests if r.name == name)
    encoders = []
    for i, (use, device) in enumerate(zip(own.encoders, route.encoders, strict=True)):
        assert device is not None
        seconds = base.encoder_compute_s(own, i)[device]
        assert seconds is not None
        encoders.append(
            EncoderUse(
                module=made.placed(use.module, device),
                input_bytes=use.input_bytes,
                output_bytes=use.output_bytes,
                compute_s={device: seconds * slowness.get(device, 1.0)},
            )
        )
    assert route.head is not None
    head_s = base.head_compute_s(own)[route.head]
    assert head_s is not None
    return own.model_copy(
        update={
            "name": version,
            "encoders": tuple(encoders),
            "head": made.placed(own.head, route.head),
            "head_compute_s": {route.head: head_s * slowness.get(route.head, 1.0)},
        }
    )


def _move(number: int, move: Move, made: _Made) -> Request:
    own = f"{MOVE}{number}"
    return Request(
        name=made.request_names.of(own, move.module, between="-"),
        task=MOVE,
        model=move.module,
        source=move.giver,
        rate_per_s=1e-9,
        encoders=(
            EncoderUse(module=made.step_of_move(own, "read", move.taker, move.load_s), input_bytes=move.size_bytes),
        ),
        head=made.step_of_move(own, "arrived", move.taker, 0.0),
        result_bytes=0.0,
    )


def _assembled(
    base: PlacementInstance,
    requests: dict[str, Request],
    modules: dict[str, Module],
    arrivals: list[float],
    names: list[str],
    sizes: list[float],
    unserved: int,
) -> Replayable:
    asked = dict.fromkeys(names)
    kept = {name: requests[name] for name in requests if name in asked}
    used = {name for r in kept.values() for name in (*(e.module for e in r.encoders), r.head)}
    here = {name: module for name, module in modules.items() if name in used}
    assignment = {name: tuple(module.compute_s) for name, module in here.items()}
    room = {d.name: 0.0 for d in base.devices}
    for name, (device,) in assignment.items():
        room[device] += here[name].memory_bytes
    devices = tuple(
        d.model_copy(update={"memory_bytes": max(d.memory_bytes, room[d.name] * (1 + 1e-12))}) for d in base.devices
    )
    instance = base.with_changes(devices=devices, modules=tuple(here.values()), requests=tuple(kept.values()))
    order = np.argsort(np.array(arrivals), kind="stable")
    number = {request.name: i for i, request in enumerate(instance.requests)}
    trace = RequestTrace(
        request_id=np.arange(len(order), dtype=np.int64),
        arrival_s=np.array(arrivals)[order],
        classes=tuple(number),
        request_class=np.array([number[names[i]] for i in order.tolist()], dtype=np.int64),
        size=np.array(sizes)[order],
        kind="adaptation",
    )
    return Replayable(instance, assignment, trace, unserved)
