"""What one decision costs: modules travel, requests are served as before until all of theirs have arrived (ours)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from splitshare.adaptation.timeline import Span, State
from splitshare.placement.instance import PlacementInstance, Request
from splitshare.placement.objective import Route, request_latency_s

Held = Mapping[str, str]
"""Device by module, of the modules that stand somewhere."""


@dataclass(frozen=True)
class Rules:
    """What moving and not being served cost."""

    store: str
    """Device that keeps all modules on disk, so that what was lost can be had again; it must not leave."""
    load_bytes_per_s: float | None = None
    """At which a device reads a module into memory once it is there; ``None``: no time is counted."""
    unserved_s: float = 60.0
    """Seconds that a request which is not served counts as."""
    s_per_gb: float = 0.0
    """Request-seconds that a gigabyte moved counts as, beside the time that it takes."""


@dataclass(frozen=True)
class Move:
    """A module on its way."""

    module: str
    giver: str
    taker: str
    size_bytes: float
    start_s: float
    arrives_s: float
    """Read into memory included."""
    load_s: float


@dataclass(frozen=True)
class Stretch:
    """How a request class is served for a time."""

    request: str
    start_s: float
    end_s: float
    route: Route | None
    """``None``: not at all."""
    latency_s: float
    """Idle latency; infinite where not served."""
    rate_per_s: float


@dataclass(frozen=True)
class Step:
    """What happened in a span."""

    stretches: tuple[Stretch, ...]
    moves: tuple[Move, ...]
    held: dict[str, str]
    """After it."""
    asked: float
    """Requests that come in the mean, of all classes whose source is there."""
    unserved: float
    waited_s: float
    """Summed latency of those that are served."""
    moved_bytes: float

    def cost_s(self, rules: Rules) -> float:
        """Request-seconds in all: what decisions are compared by."""
        return self.waited_s + self.unserved * rules.unserved_s + self.moved_bytes / 1e9 * rules.s_per_gb


def survivors(held: Held, span: Span) -> dict[str, str]:
    """What is left of what stood somewhere once devices have left."""
    return {module: device for module, device in held.items() if device not in span.away}


def step(base: PlacementInstance, state: State, span: Span, held: Held, target: Held, rules: Rules) -> Step:
    """Live through a span with a decision.

    Modules for one device travel one after another, in the order of the instance, for different devices side by side;
    each from wherever it is soonest there: where it stands, or the store. A class changes over when all its modules
    have arrived. A move that does not end in the span is given up. Room for a module on its way is not counted, nor
    that other transfers wait for it: the replay of the decisions tells that.

    Args:
        base: the instance, whose modules tell sizes.
        state: what there is in the span.
        span: the time.
        held: where modules stand at its start.
        target: where they should, for the modules of ``state``; what is left out stays.
        rules: what moving costs.
    """
    length_s = span.end_s - span.start_s
    there = survivors(held, span)
    unserved = state.unserved_per_s * length_s
    if state.instance is None:
        return Step((), (), there, unserved, unserved, 0.0, 0.0)
    moves = moves_to(base, state.instance, there, target, rules, span.start_s)
    arrives_s = {move.module: move.arrives_s for move in moves}
    ended = {move.module: move.taker for move in moves if move.arrives_s <= span.end_s}
    asked, waited_s = unserved, 0.0
    stretches: list[Stretch] = []
    for request in state.instance.requests:
        asked += request.rate_per_s * length_s
        for stretch in _stretches(state.instance, request, span, there, target, arrives_s):
            seconds = stretch.end_s - stretch.start_s
            if stretch.route is None:
                unserved += request.rate_per_s * seconds
            else:
                waited_s += request.rate_per_s * seconds * stretch.latency_s
            stretches.append(stretch)
    moved = sum(move.size_bytes for move in moves if math.isfinite(move.arrives_s))
    after = _fitting(base, there, ended, set(target))
    return Step(tuple(stretches), moves, after, asked, unserved, waited_s, moved)


def moves_to(
    base: PlacementInstance, instance: PlacementInstance, there: Held, target: Held, rules: Rules, start_s: float = 0.0
) -> tuple[Move, ...]:
    """The moves that lead from where modules stand to where they should, and when each arrives; see ``step``."""
    free_s: dict[str, float] = {}
    found: list[Move] = []
    for module in base.modules:
        taker = target.get(module.name)
        if taker is None or there.get(module.name) == taker:
            continue
        size = module.bytes_on(taker)
        givers = dict.fromkeys([*([there[module.name]] if module.name in there else []), rules.store])
        seconds = {giver: instance.comm_s(giver, taker, size) for giver in givers}
        giver = min(seconds, key=lambda name: seconds[name])
        load_s = 0.0 if rules.load_bytes_per_s is None else size / rules.load_bytes_per_s
        begins_s = free_s.get(taker, start_s)
        arrives_s = begins_s + seconds[giver] + load_s
        found.append(Move(module.name, giver, taker, size, begins_s, arrives_s, load_s))
        if math.isfinite(arrives_s):
            free_s[taker] = arrives_s
    return tuple(found)


def route_on(instance: PlacementInstance, request: Request, hosts: Held) -> tuple[Route | None, float]:
    """The way of a class over where its modules stand, and its idle latency; ``None`` and infinite: there is none."""
    names = [*(use.module for use in request.encoders), request.head]
    if any(name not in hosts or hosts[name] not in instance.devices_by_name for name in names):
        return None, math.inf
    route = Route(tuple(hosts[use.module] for use in request.encoders), hosts[request.head])
    latency_s = request_latency_s(instance, request, route)
    return (None if math.isinf(latency_s) else route), latency_s


def _stretches(
    instance: PlacementInstance,
    request: Request,
    span: Span,
    there: Held,
    target: Held,
    arrives_s: Mapping[str, float],
) -> list[Stretch]:
    names = {*(use.module for use in request.encoders), request.head}
    over_s = max((arrives_s[name] for name in names if name in arrives_s), default=span.start_s)
    before, before_s = route_on(instance, request, there)
    after, after_s = route_on(instance, request, {**there, **target})
    over_s = min(over_s, span.end_s)
    rate = request.rate_per_s
    found = []
    if over_s > span.start_s:
        found.append(Stretch(request.name, span.start_s, over_s, before, before_s, rate))
    if over_s < span.end_s:
        found.append(Stretch(request.name, over_s, span.end_s, after, after_s, rate))
    return found


def _fitting(base: PlacementInstance, there: Held, ended: Held, wanted: set[str]) -> dict[str, str]:
    """Where modules stand after a span, within memory.

    First come those of the span that did not move, then those that have arrived (one for which there is no room, as
    another one's move was given up, is back where it was), then modules that nobody asks for now, as far as they fit.
    """
    left = {device.name: device.memory_bytes for device in base.devices}
    kept: dict[str, str] = {}

    def put(module: str, device: str) -> bool:
        size = base.modules_by_name[module].bytes_on(device)
        if size > left[device]:
            return False
        kept[module] = device
        left[device] -= size
        return True

    for module in there:
        if module in wanted and module not in ended:
            put(module, there[module])
    for module, device in ended.items():
        if not put(module, device) and module in there:
            put(module, there[module])
    for module, device in there.items():
        if module not in wanted:
            put(module, device)
    return kept
