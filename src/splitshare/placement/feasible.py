"""What a placement with one device a module must keep to, known before anything is placed (ours).

With one device a module, a placement is feasible exactly when each module stands where it can run and where the
sources of its requests reach it, encoders stand where a link leads to their heads, and memory holds. Heuristics
choose within these rules; the evaluator remains the judge of what they answer.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import Bounds, LinearConstraint, OptimizeResult, milp
from scipy.sparse import coo_array

from splitshare.placement.instance import Assignment, PlacementInstance, Request
from splitshare.placement.objective import InfeasiblePlacementError, evaluate

_INFEASIBLE = 2
"""Status of ``scipy.optimize.milp``."""


class HostingRules:
    """The rules of one instance.

    Attributes:
        devices: by module, the devices where it can run for all its requests, where their sources reach it and where
            it fits alone; in file order.
        partners: by module, the modules that it exchanges data with.
    """

    def __init__(self, instance: PlacementInstance) -> None:
        self._instance = instance
        runs_on = {
            m.name: {d.name for d in instance.devices if m.bytes_on(d.name) <= d.memory_bytes} for m in instance.modules
        }
        partners: dict[str, dict[str, None]] = {m.name: {} for m in instance.modules}
        for request in instance.requests:
            for module, compute_s in _uses(instance, request):
                runs_on[module] &= {
                    name
                    for name, seconds in compute_s.items()
                    if seconds is not None and self.linked(request.source, name)
                }
                if module != request.head:
                    partners[module][request.head] = None
                    partners[request.head][module] = None
        self.devices = {m: tuple(d.name for d in instance.devices if d.name in names) for m, names in runs_on.items()}
        self.partners = {m: tuple(names) for m, names in partners.items()}

    def linked(self, a: str, b: str) -> bool:
        """Whether two devices (or one with itself) can exchange data."""
        return a == b or self._instance.link_between(a, b) is not None


class OpenPlacement:
    """A placement that grows module by module, with the room that it leaves."""

    def __init__(self, instance: PlacementInstance) -> None:
        self._modules = instance.modules_by_name
        self._capacity_bytes = {d.name: d.memory_bytes for d in instance.devices}
        self._held_bytes: dict[str, tuple[float, ...]] = {d.name: () for d in instance.devices}
        self.rules = HostingRules(instance)
        self.host: dict[str, str] = {}
        """Device by placed module."""

    def left_bytes(self, device: str) -> float:
        """Memory of ``device`` that no placed module takes."""
        return self._capacity_bytes[device] - math.fsum(self._held_bytes[device])

    def candidates(self, module: str) -> list[str]:
        """Devices where ``module`` can be placed beside what is placed already, in file order."""
        size_on = self._modules[module].bytes_on
        return [
            device
            for device in self.rules.devices[module]
            if math.fsum((*self._held_bytes[device], size_on(device))) <= self._capacity_bytes[device]
            and all(
                self.rules.linked(device, self.host[other])
                for other in self.rules.partners[module]
                if other in self.host
            )
        ]

    def place(self, module: str, device: str) -> None:
        """Place ``module`` on ``device``, one of its candidates."""
        self.host[module] = device
        self._held_bytes[device] += (self._modules[module].bytes_on(device),)

    def copy(self) -> OpenPlacement:
        """A placement that starts as this one and grows on its own."""
        other = copy.copy(self)
        other.host = dict(self.host)
        other._held_bytes = dict(self._held_bytes)
        return other

    def assignment(self) -> Assignment:
        """The placement in the evaluator's form."""
        return {module: (device,) for module, device in self.host.items()}


def cheapest_feasible(
    instance: PlacementInstance, cost: Mapping[tuple[str, str], float], time_limit: float | None = None
) -> Assignment | None:
    """A feasible placement of least summed cost, one device a module: a generalised assignment problem.

    Solved by the HiGHS of ``scipy.optimize.milp``.

    Args:
        instance: the instance.
        cost: by module and device; only their order of size matters, 0 where absent.
        time_limit: seconds after which the best one found so far is taken, or ``None``.

    Returns:
        The placement; ``None`` where there is none, or none was found in time.
    """
    program = _assignment_program(instance)
    if program is None:
        return None
    stands, rules = program
    result = _solved(np.array([cost.get(pair, 0.0) for pair in stands]), rules, time_limit)
    if result.x is None:
        return None
    return {m: (d,) for (m, d), value in zip(stands, result.x, strict=True) if value > 0.5}


def none_feasible(instance: PlacementInstance, time_limit: float | None = None) -> bool:
    """Whether the HiGHS of ``scipy.optimize.milp`` proves that no placement with one device a module is feasible.

    ``False`` says nothing: there may be one, or ``time_limit`` seconds were too few for the proof.
    """
    program = _assignment_program(instance)
    if program is None:
        return True
    stands, rules = program
    return int(_solved(np.zeros(len(stands)), rules, time_limit).status) == _INFEASIBLE


def _solved(cost: NDArray[np.float64], rules: LinearConstraint, time_limit: float | None) -> OptimizeResult:
    return milp(
        cost,
        integrality=np.ones(len(cost), dtype=np.int64),
        bounds=Bounds(0, 1),
        constraints=rules,
        options={} if time_limit is None else {"time_limit": time_limit},
    )


def _assignment_program(instance: PlacementInstance) -> tuple[list[tuple[str, str]], LinearConstraint] | None:
    """Columns, as pairs of module and device, and rows; ``None`` where a module may stand nowhere."""
    rules = HostingRules(instance)
    if not all(rules.devices.values()):
        return None
    stands = [(m, d) for m, devices in rules.devices.items() for d in devices]
    column = {pair: i for i, pair in enumerate(stands)}
    rows: list[dict[int, float]] = []
    lower: list[float] = []
    for module, devices in rules.devices.items():
        rows.append({column[module, d]: 1.0 for d in devices})
        lower.append(1.0)
    for device in instance.devices:
        held = {
            column[m.name, device.name]: m.bytes_on(device.name) / device.memory_bytes
            for m in instance.modules
            if (m.name, device.name) in column and m.bytes_on(device.name) > 0
        }
        rows.append(held)
        lower.append(-math.inf)
    for module, here in stands:
        for partner in rules.partners[module]:
            # Not both where no link leads from one to the other; one row for the two directions.
            apart = [d for d in rules.devices[partner] if module < partner and not rules.linked(here, d)]
            rows.extend({column[module, here]: 1.0, column[partner, there]: 1.0} for there in apart)
            lower.extend([-math.inf] * len(apart))
    entries = [(i, j, value) for i, row in enumerate(rows) for j, value in row.items()]
    i, j, values = zip(*entries, strict=True)
    matrix = coo_array((values, (i, j)), shape=(len(rows), len(stands))).tocsr()
    return stands, LinearConstraint(matrix, lower, np.ones(len(rows)))


def if_feasible(instance: PlacementInstance, assignment: Assignment) -> Assignment | None:
    """``assignment``, or ``None`` where the evaluator refuses it: the answer of a method that knows one placement."""
    try:
        evaluate(instance, assignment)
    except InfeasiblePlacementError:
        return None
    return assignment


def _uses(instance: PlacementInstance, request: Request) -> list[tuple[str, dict[str, float | None]]]:
    """Modules of ``request`` with their compute seconds by device, encoders first."""
    encoders = [(use.module, instance.encoder_compute_s(request, p)) for p, use in enumerate(request.encoders)]
    return [*encoders, (request.head, instance.head_compute_s(request))]
