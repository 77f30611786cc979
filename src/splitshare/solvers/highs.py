"""HiGHS."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import highspy

from splitshare.choices import Solver
from splitshare.solvers.adapter import ROW_TOLERANCE, Ended, SolverLimits


class Highs:
    """HiGHS through highspy; needs no licence."""

    name: Solver = "highs"

    def version(self) -> str:
        """Name and version, for provenance."""
        return f"highs {highspy.Highs().version()}"

    def opened(self) -> AbstractContextManager[dict[str, Any]]:
        """Nothing has to be open."""
        return nullcontext({})

    def options(self, limits: SolverLimits) -> dict[str, Any]:
        """See ``Adapter``."""
        options = {
            "mip_rel_gap": limits.relative_gap,
            "mip_abs_gap": 1e-10,
            "primal_feasibility_tolerance": ROW_TOLERANCE,
            "mip_feasibility_tolerance": 1e-9,
            "random_seed": limits.seed,
            "threads": limits.threads,
            "output_flag": False,
            "log_to_console": False,
        }
        return options if limits.time_s is None else options | {"time_limit": float(limits.time_s)}

    def solved(self, solve: Callable[[], str], raw: Callable[[], Any], size: str) -> str:
        """See ``Adapter``; it fails in no way of its own."""
        return solve()

    def ended(self, raw: Any, *, integer: bool) -> Ended:
        """See ``Adapter``."""
        information = raw.getInfo()
        bound = information.mip_dual_bound if integer else information.objective_function_value
        feasible = information.primal_solution_status == highspy.SolutionStatus.kSolutionStatusFeasible
        return Ended(raw.getRunTime(), bool(feasible), bound)
