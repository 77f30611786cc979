"""Placements as tidy tables: one row a placement, one row a request's latency; nothing here varies from run to run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from splitshare.errors import WorkError
from splitshare.placement.instance import Placement, PlacementInstance
from splitshare.placement.objective import evaluate
from splitshare.placement.variants import apply_variant
from splitshare.rounding import OBJECTIVE_TOLERANCE

PAPER = "S2M3"
OPTIMALITY_TOLERANCE = 1e-6
"""A placement counts as optimal up to this relative gap."""
BOUND_TOLERANCE = 2e-6
"""How far beyond a proved bound rounding may take a value, relatively."""


@dataclass(frozen=True)
class Solved:
    """A placement of an instance by a method of the run (an algorithm, or the optimum by one solver)."""

    method: str
    instance: PlacementInstance
    placement: Placement


def placements_table(solved: Sequence[Solved]) -> pd.DataFrame:
    """One row a placement: objective, bound and gap to the proved optimum of the same instance.

    ``gap`` is the relative excess over the optimum of the instance as it stands; a method that changes the instance
    (``variant``) may fall below zero. A gap within the tolerance of optimality is written as zero: rounding makes it
    differ between machines.

    Raises:
        WorkError: two solvers prove different optima, or an algorithm falls below a proved bound.
    """
    optima = _proved_optima(solved)
    rows: list[dict[str, object]] = []
    for entry in solved:
        instance, placement = entry.instance, entry.placement
        workload, testbed = _origin(instance)
        optimum = optima.get(instance.name)
        gap = _gap(placement.objective, optimum)
        if placement.variant is None and gap is not None and gap < -OPTIMALITY_TOLERANCE:
            raise WorkError(f"{entry.method} on {instance.name}: better than the proved optimum by {-gap:.2e}")
        rows.append(
            {
                "paper": PAPER,
                "workload": workload,
                "testbed": testbed,
                "instance": instance.name,
                "instance_sha256": placement.instance_sha256,
                "method": entry.method,
                "algorithm": placement.algorithm,
                "variant": placement.variant or "",
                "status": placement.status,
                "objective_s": placement.objective,
                "bound_s": placement.bound,
                "optimum_s": optimum,
                "gap": 0.0 if gap is not None and abs(gap) <= OPTIMALITY_TOLERANCE else gap,
                "optimal": gap is not None and placement.variant is None and gap <= OPTIMALITY_TOLERANCE,
            }
        )
    return pd.DataFrame(rows).astype(dict.fromkeys(("objective_s", "bound_s", "optimum_s", "gap"), float))


def latencies_table(solved: Sequence[Solved]) -> pd.DataFrame:
    """One row a request class of each placement: its idle latency in seconds."""
    rows: list[dict[str, object]] = []
    for entry in solved:
        if entry.placement.assignment is None:
            continue
        instance = apply_variant(entry.instance, entry.placement.variant)
        worth = evaluate(instance, entry.placement.assignment)
        rows.extend(
            {
                "instance": entry.instance.name,
                "method": entry.method,
                "request": request,
                "latency_s": latency,
            }
            for request, latency in worth.latency_s.items()
        )
    return pd.DataFrame(rows, columns=["instance", "method", "request", "latency_s"])


def assignments_table(solved: Sequence[Solved]) -> pd.DataFrame:
    """One row a module and device that holds it: where every placement puts modules.

    Where a method has copies of a module (``no-sharing``) each is a row under its own name.
    """
    rows = [
        (*_origin(entry.instance), entry.method, module, device)
        for entry in solved
        for module, devices in (entry.placement.assignment or {}).items()
        for device in devices
    ]
    return pd.DataFrame(rows, columns=["workload", "testbed", "method", "module", "device"])


def _origin(instance: PlacementInstance) -> tuple[str, str]:
    """Workload and testbed; of an instance that was made of none, its name and nothing."""
    return (instance.origin.workload, instance.origin.testbed) if instance.origin else (instance.name, "")


def runs_table(solved: Sequence[Solved], provenance: Mapping[str, str]) -> pd.DataFrame:
    """The placements table with what varies from run to run: seconds, versions, machine, date."""
    table = placements_table(solved)
    table["build_s"] = [entry.placement.build_s for entry in solved]
    table["solve_s"] = [entry.placement.solve_s for entry in solved]
    table["solver_version"] = [entry.placement.versions.solver or "" for entry in solved]
    return table.assign(**provenance)


def _proved_optima(solved: Sequence[Solved]) -> dict[str, float]:
    optima: dict[str, tuple[str, float]] = {}
    for entry in solved:
        objective, name = entry.placement.objective, entry.instance.name
        if entry.placement.status != "optimal" or entry.placement.variant is not None or objective is None:
            continue
        if name in optima:
            method, other = optima[name]
            if abs(objective - other) > OBJECTIVE_TOLERANCE * abs(other):
                raise WorkError(f"{name}: {method} proves {other!r}, {entry.method} proves {objective!r}")
        else:
            optima[name] = (entry.method, objective)
    return {name: objective for name, (_, objective) in optima.items()}


def _gap(objective: float | None, optimum: float | None) -> float | None:
    if objective is None or optimum is None:
        return None
    return objective / optimum - 1.0 if optimum > 0 else 0.0 if objective == 0 else np.inf
