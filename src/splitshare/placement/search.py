"""A complete placement that local search changes step by step, its worth kept up to date by the one evaluator.

A change touches only the requests that use the changed modules, and a request's latency depends only on where its
own modules stand, so each latency is computed once for each combination of hosts that the search comes across.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping

from splitshare.placement.feasible import HostingRules, cheapest_feasible
from splitshare.placement.instance import Assignment, PlacementInstance, Request
from splitshare.placement.objective import Route, objective_of, request_latency_s

Change = dict[str, str]
"""New device by module, for the modules that move."""


class SearchState:
    """A feasible placement with one device a module.

    Attributes:
        host: device by module.
        objective: worth of the placement, in seconds.
    """

    def __init__(self, instance: PlacementInstance, assignment: Assignment) -> None:
        self._instance = instance
        self.devices = HostingRules(instance).devices
        """By module, the devices where it may stand."""
        self.host = {module: hosts[0] for module, hosts in assignment.items()}
        self._size, self._left = _exact_memory(instance)
        for module, device in self.host.items():
            self._left[device] -= self._size[module, device]
        self._modules_of = {
            r.name: tuple(dict.fromkeys((*(e.module for e in r.encoders), r.head))) for r in instance.requests
        }
        self._users = {
            m.name: tuple(r for r in instance.requests if m.name in self._modules_of[r.name]) for m in instance.modules
        }
        self._known_s: dict[str, dict[tuple[str, ...], float]] = {r.name: {} for r in instance.requests}
        self._latency_s = {r.name: self._latency(r, self.host) for r in instance.requests}
        self.objective = objective_of(instance, self._latency_s)

    def worth_after(self, change: Change) -> float:
        """Objective after ``change``, in seconds; infinite where memory or a link is missing."""
        if not self._has_room(change):
            return math.inf
        latency_s = self._changed_latencies(change)
        return math.inf if math.inf in latency_s.values() else objective_of(self._instance, self._latency_s | latency_s)

    def apply(self, change: Change) -> None:
        """Make ``change``, which must leave the placement feasible."""
        self._latency_s |= self._changed_latencies(change)
        for module, device in change.items():
            self._left[self.host[module]] += self._size[module, self.host[module]]
            self._left[device] -= self._size[module, device]
        self.host |= change
        self.objective = objective_of(self._instance, self._latency_s)

    def moves(self) -> Iterator[Change]:
        """Every move of one module to another device where it may stand, room aside, in file order."""
        for module, here in self.host.items():
            yield from ({module: device} for device in self.devices[module] if device != here)

    def swaps(self) -> Iterator[Change]:
        """Every exchange of the devices of two modules, room aside, in file order."""
        for a, b in itertools.combinations(self.host, 2):
            if self.may_swap(a, b):
                yield {a: self.host[b], b: self.host[a]}

    def may_swap(self, a: str, b: str) -> bool:
        """Whether two modules stand on different devices and each may stand on the other's."""
        here, there = self.host[a], self.host[b]
        return here != there and there in self.devices[a] and here in self.devices[b]

    def assignment(self) -> Assignment:
        """The placement in the evaluator's form."""
        return {module: (device,) for module, device in self.host.items()}

    def _has_room(self, change: Change) -> bool:
        left = dict.fromkeys(change.values(), 0)
        for module, device in change.items():
            left[device] -= self._size[module, device]
            if self.host[module] in left:
                left[self.host[module]] += self._size[module, self.host[module]]
        return all(self._left[device] + gained >= 0 for device, gained in left.items())

    def _changed_latencies(self, change: Change) -> dict[str, float]:
        host = self.host | change
        return {r.name: self._latency(r, host) for module in change for r in self._users[module]}

    def _latency(self, request: Request, host: Mapping[str, str]) -> float:
        known = self._known_s[request.name]
        key = tuple(host[module] for module in self._modules_of[request.name])
        if key not in known:
            route = Route(tuple(host[use.module] for use in request.encoders), host[request.head])
            known[key] = request_latency_s(self._instance, request, route)
        return known[key]


def _exact_memory(instance: PlacementInstance) -> tuple[dict[tuple[str, str], int], dict[str, int]]:
    """Sizes by module and device, and capacities of devices, as whole multiples of one unit: sums of them are exact."""
    sizes = {
        (m.name, d.name): float(m.bytes_on(d.name)).as_integer_ratio()
        for m in instance.modules
        for d in instance.devices
    }
    capacities = {d.name: float(d.memory_bytes).as_integer_ratio() for d in instance.devices}
    # Denominators of floats are powers of two: the largest is a multiple of all.
    unit = max(denominator for _, denominator in (*sizes.values(), *capacities.values()))
    return (
        {pair: numerator * (unit // denominator) for pair, (numerator, denominator) in sizes.items()},
        {name: numerator * (unit // denominator) for name, (numerator, denominator) in capacities.items()},
    )


def feasible_start(instance: PlacementInstance, time_limit: float | None) -> Assignment | None:
    """A placement to start from where a heuristic meets a dead end: feasible, with least summed compute time.

    Args:
        instance: the instance.
        time_limit: seconds to keep to, or ``None``.

    Returns:
        The placement; ``None`` where there is none, or none was found in time.
    """
    cost = {(m.name, d): s for m in instance.modules for d, s in m.compute_s.items() if s is not None}
    return cheapest_feasible(instance, cost, time_limit)
