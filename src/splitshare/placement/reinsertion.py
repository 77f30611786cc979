"""Modules that are taken out of a placement and put back where they serve best (ours, after Shaw 1998)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from splitshare.placement.feasible import OpenPlacement
from splitshare.placement.instance import PlacementInstance, Request
from splitshare.placement.objective import Route, objective_of, request_latency_s

Latencies = dict[str, float]
"""Seconds by request class."""


@dataclass
class Reinsertion:
    """Puts modules back by a search of limited discrepancies, with what it learned of latencies kept between calls.

    Source: P. Shaw, *Using Constraint Programming and Local Search Methods to Solve Vehicle Routing Problems*, CP
    1998, LNCS 1520, section 2.3. The module that loses most with its second best device in place of its best is put
    back first. Its devices are tried from the best on; the ``i``-th best costs ``i`` of the discrepancies. A partial
    placement is given up when the latencies over what is placed so far are no better than the best complete one.
    """

    instance: PlacementInstance
    discrepancies: int = 1
    _modules_of: dict[str, tuple[str, ...]] = field(init=False)
    _users: dict[str, list[Request]] = field(init=False)
    _known_s: dict[str, dict[tuple[str | None, ...], float]] = field(init=False)

    def __post_init__(self) -> None:
        requests = self.instance.requests
        self._modules_of = {
            r.name: tuple(dict.fromkeys((*(use.module for use in r.encoders), r.head))) for r in requests
        }
        self._users = {
            m.name: [r for r in requests if m.name in self._modules_of[r.name]] for m in self.instance.modules
        }
        self._known_s = {r.name: {} for r in requests}
        self._empty = OpenPlacement(self.instance)

    def best(self, host: Mapping[str, str], removed: Sequence[str], below_s: float) -> dict[str, str] | None:
        """Devices for ``removed`` with which the objective is less than ``below_s``, the best of those tried.

        Args:
            host: device by module, of a feasible placement; where those of ``removed`` stand plays no part.
            removed: modules to be put back, no two alike.
            below_s: objective to beat, in seconds.

        Returns:
            Device by module of ``removed``; ``None`` where nothing that was tried is better.
        """
        placed = self._empty.copy()
        for module, device in host.items():
            if module not in removed:
                placed.place(module, device)
        latency_s = {r.name: self._latency_s(r, placed.host) for r in self.instance.requests}
        found = self._search(placed, latency_s, list(removed), self.discrepancies, below_s)
        return None if found is None else {module: found[1][module] for module in removed}

    def _search(
        self, placed: OpenPlacement, latency_s: Latencies, left: list[str], discrepancies: int, below_s: float
    ) -> tuple[float, dict[str, str]] | None:
        """Put back ``left``; ``latency_s`` are those over what is placed, to which another module can only add."""
        if not left:
            return objective_of(self.instance, latency_s), dict(placed.host)
        options: dict[str, list[tuple[float, str]]] = {}
        for module in left:
            # Sorted by worth only: equal ones stay in file order.
            tried = [
                (objective_of(self.instance, latency_s | self._with(placed, module, device)), device)
                for device in placed.candidates(module)
            ]
            options[module] = sorted(tried, key=lambda option: option[0])
            if not options[module]:
                return None
        module = max(left, key=lambda m: _regret_s(options[m]))
        best: tuple[float, dict[str, str]] | None = None
        for rank, (worth_s, device) in enumerate(options[module][: discrepancies + 1]):
            if worth_s >= below_s:
                break
            trial = placed.copy()
            trial.place(module, device)
            others = [m for m in left if m != module]
            changed = latency_s | self._with(placed, module, device)
            found = self._search(trial, changed, others, discrepancies - rank, below_s)
            if found is not None and found[0] < below_s:
                best, below_s = found, found[0]
        return best

    def _with(self, placed: OpenPlacement, module: str, device: str) -> Latencies:
        """Latencies of the requests that use ``module``, with it on ``device``."""
        host = {**placed.host, module: device}
        return {r.name: self._latency_s(r, host) for r in self._users[module]}

    def _latency_s(self, request: Request, host: Mapping[str, str]) -> float:
        known = self._known_s[request.name]
        key = tuple(host.get(module) for module in self._modules_of[request.name])
        if key not in known:
            route = Route(tuple(host.get(use.module) for use in request.encoders), host.get(request.head))
            known[key] = request_latency_s(self.instance, request, route)
        return known[key]


def _regret_s(options: Sequence[tuple[float, str]]) -> float:
    """What the second best device costs more than the best; infinite where there is no second."""
    return options[1][0] - options[0][0] if len(options) > 1 else math.inf
