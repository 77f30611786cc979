"""Whether and how to move when something has changed: from never to anew each time (ours)."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Protocol

from splitshare.adaptation.steps import Held, Rules, moves_to, route_on, step
from splitshare.adaptation.timeline import Span, State
from splitshare.placement.contract import PlacementAlgorithm
from splitshare.placement.instance import Assignment, PlacementInstance, Request
from splitshare.placement.objective import Route, memory_by_device, request_latency_s
from splitshare.placement.run import solve

FIRST_S = 1000.0
"""For which a placement is expected to last before anything has changed."""


@dataclass(frozen=True)
class Seen:
    """What a policy may look at: the present and the past."""

    base: PlacementInstance
    state: State
    span: Span
    """Its end is the future's: policies look at its start only."""
    held: Held
    """Where modules stand that are not lost."""
    changes_s: tuple[float, ...]
    """Times of all changes until now, this one included."""
    rules: Rules


class Policy(Protocol):
    """Decides at each change where modules should stand."""

    @property
    def name(self) -> str:
        """In tables."""
        ...

    def decide(self, seen: Seen) -> dict[str, str]:
        """Device by module, for modules of ``seen.state``; what is left out stays where it is."""
        ...


@dataclass(frozen=True)
class Stay:
    """Never move: what is lost is fetched again when its own device is back."""

    home: Held
    name: str = "stay"

    def decide(self, seen: Seen) -> dict[str, str]:
        """Home, where home is there."""
        instance = seen.state.instance
        if instance is None:
            return {}
        names = {module.name for module in instance.modules}
        return {m: d for m, d in self.home.items() if m in names and d in instance.devices_by_name}


@dataclass(frozen=True)
class Repair:
    """Move only what must: modules that are lost, or that leave a class unserved where they stand."""

    name: str = "repair"

    def decide(self, seen: Seen) -> dict[str, str]:
        """What stands, and places for the rest."""
        return repaired(seen)


@dataclass
class Anew:
    """Solve from scratch at each change, as if moving cost nothing."""

    algorithm: PlacementAlgorithm
    seed: int = 0
    time_limit_s: float | None = None
    name: str = "anew"

    def decide(self, seen: Seen) -> dict[str, str]:
        """The algorithm's placement; where it finds none, a repair."""
        found = solved(seen, self.algorithm, self.seed, self.time_limit_s)
        return repaired(seen) if found is None else found


@dataclass
class Worth:
    """Move what pays before the next change, judged by what is known: the mean time between changes until now.

    Candidates are two repairs (one with lost modules where classes wait least, one where they are soonest), what it
    decided before, the algorithm's placement, and what lies between that and the best of the others: module by module
    of those where the two differ, each time the one that saves most.
    """

    algorithm: PlacementAlgorithm
    seed: int = 0
    time_limit_s: float | None = None
    expect_s: float | None = None
    """Time until the next change; ``None``: the mean of the past, and at first the longest that is known, 1,000 s."""
    name: str = "worth"
    _past: list[dict[str, str]] = field(default_factory=list, repr=False)

    def decide(self, seen: Seen) -> dict[str, str]:
        """The cheapest candidate."""
        instance = seen.state.instance
        if instance is None:
            return {}
        gaps = [b - a for a, b in pairwise(seen.changes_s)]
        ahead_s = self.expect_s or (statistics.fmean(gaps) if gaps else FIRST_S)
        span = Span(seen.span.start_s, seen.span.start_s + ahead_s)

        def cost_s(target: dict[str, str]) -> float:
            return step(seen.base, seen.state, span, seen.held, target, seen.rules).cost_s(seen.rules)

        names, devices = {m.name for m in instance.modules}, set(instance.devices_by_name)
        starts = [repaired(seen), repaired(seen, soonest=True)]
        starts += [one for one in self._past if set(one) == names and set(one.values()) <= devices]
        best = min(starts, key=cost_s)
        goal = solved(seen, self.algorithm, self.seed, self.time_limit_s)
        if goal is not None:
            best = min((best, goal, *self._between(seen, best, goal, cost_s)), key=cost_s)
        if best not in self._past:
            self._past.append(best)
        return best

    def _between(
        self, seen: Seen, start: dict[str, str], goal: dict[str, str], cost_s: Callable[[dict[str, str]], float]
    ) -> list[dict[str, str]]:
        """From one placement to another, module by module, each time the one that saves most."""
        now, open_ = dict(start), [m for m in goal if start.get(m) != goal[m]]
        found: list[dict[str, str]] = []
        while open_:
            tried = [(cost_s(now | {m: goal[m]}), i, m) for i, m in enumerate(open_) if self._fits(seen, now, m, goal)]
            if not tried:
                break
            module = min(tried)[2]
            now = now | {module: goal[module]}
            open_.remove(module)
            found.append(now)
        return found

    @staticmethod
    def _fits(seen: Seen, now: dict[str, str], module: str, goal: dict[str, str]) -> bool:
        return has_room(seen.base, now | {module: goal[module]}, (goal[module],))


def has_room(base: PlacementInstance, hosts: Held, devices: Sequence[str]) -> bool:
    """Whether the modules on some devices fit their memory."""
    used = memory_by_device(base, {m: (d,) for m, d in hosts.items()})
    return all(used[name] <= base.devices_by_name[name].memory_bytes for name in devices)


def solved(
    seen: Seen, algorithm: PlacementAlgorithm, seed: int = 0, time_limit_s: float | None = None
) -> dict[str, str] | None:
    """An algorithm's placement of what there is; ``None``: it finds none, or there is nothing to place."""
    if seen.state.instance is None:
        return None
    placement = solve(seen.state.instance, algorithm, seed=seed, time_limit_s=time_limit_s)
    if placement.assignment is None:
        return None
    return {module: hosts[0] for module, hosts in placement.assignment.items()}


def repaired(seen: Seen, *, soonest: bool = False) -> dict[str, str]:
    """What stands and serves stays; other modules go, the largest first, where the classes that use them wait least.

    With ``soonest`` they go where they arrive first, and only then where classes wait least.

    A module for which there is no room anywhere is left out: the classes that use it are not served.
    """
    instance = seen.state.instance
    if instance is None:
        return {}
    names = [module.name for module in instance.modules]
    stands = {m: seen.held[m] for m in names if m in seen.held}
    kept: set[str] = set()
    for request in instance.requests:
        if route_on(instance, request, stands)[0] is not None:
            kept |= _modules(request)
    hosts = {m: d for m, d in stands.items() if m in kept}
    sizes = {m.name: m.memory_bytes for m in instance.modules}
    for module in sorted((m for m in names if m not in kept), key=lambda m: (-sizes[m], names.index(m))):
        users = [r for r in instance.requests if module in _modules(r)]
        tried = []
        for place, device in enumerate(instance.devices):
            if has_room(seen.base, hosts | {module: device.name}, (device.name,)):
                partial = [r.rate_per_s * _so_far_s(instance, r, hosts | {module: device.name}) for r in users]
                moved = stands.get(module) != device.name
                arrives_s = _arrives_s(seen, module, device.name) if soonest else 0.0
                wait_s = math.fsum(partial)
                tried.append((math.isinf(wait_s), arrives_s, wait_s, moved, place, device.name))
        if tried and not min(tried)[0]:
            hosts[module] = min(tried)[-1]
    return hosts


def _arrives_s(seen: Seen, module: str, device: str) -> float:
    """Seconds until a module stands on a device, alone on its way."""
    assert seen.state.instance is not None
    one = [move.arrives_s for move in moves_to(seen.base, seen.state.instance, seen.held, {module: device}, seen.rules)]
    return max(one, default=0.0)


def _modules(request: Request) -> set[str]:
    return {*(use.module for use in request.encoders), request.head}


def _so_far_s(instance: PlacementInstance, request: Request, hosts: Held) -> float:
    """Idle latency of the part of a class that has places."""
    route = Route(tuple(hosts.get(use.module) for use in request.encoders), hosts.get(request.head))
    return request_latency_s(instance, request, route)


def first_placement(placement: Assignment) -> dict[str, str]:
    """A placement without replicas as device by module."""
    return {module: hosts[0] for module, hosts in placement.items()}
