"""Gurobi."""

from __future__ import annotations

import time
from typing import Any

import gurobipy
import numpy as np
from gurobipy import GRB
from scipy.sparse import csr_array

from splitshare.choices import Solver
from splitshare.errors import WorkError
from splitshare.solvers.adapter import ROW_TOLERANCE, Adapter, Ended, SizeLimitError, SolverLimits
from splitshare.solvers.program import Program

STATUSES = {
    GRB.OPTIMAL: "optimal",
    GRB.INFEASIBLE: "infeasible",
    GRB.INF_OR_UNBD: "infeasible_or_unbounded",
    GRB.TIME_LIMIT: "time_limit",
}
OWN_WORDS = {getattr(GRB.Status, name): name.lower() for name in dir(GRB.Status) if name.isupper()}


class Gurobi:
    """Gurobi through gurobipy, with the licence that there is."""

    name: Solver = "gurobi"

    def version(self) -> str:
        """Name and version, for provenance."""
        return f"gurobi {'.'.join(map(str, gurobipy.gurobi.version()))}"

    def solve(self, program: Program, limits: SolverLimits) -> Ended:
        """See ``Adapter``."""
        try:
            environment = gurobipy.Env(params={"OutputFlag": 0})
        except gurobipy.GurobiError as error:
            raise WorkError(
                f"solver gurobi: no usable licence ({error}); set GRB_LICENSE_FILE to a licence, unset it to use the "
                "size-limited licence that comes with gurobipy, or ask for --solver highs"
            ) from None
        size = f"{program.columns} variables and {program.rows} constraints"
        with environment, gurobipy.Model(env=environment) as model:
            try:
                return _solved(model, program, limits)
            except gurobipy.GurobiError as error:
                if error.errno == GRB.Error.SIZE_LIMIT_EXCEEDED:
                    raise SizeLimitError(
                        f"solver gurobi: the model has {size}, more than the size-limited licence takes (2000 of "
                        "each); use a full licence or --solver highs"
                    ) from None
                raise WorkError(f"solver gurobi: {error} (model of {size})") from None


def _solved(model: gurobipy.Model, program: Program, limits: SolverLimits) -> Ended:
    started = time.perf_counter()
    for option, value in _options(limits).items():
        model.setParam(option, value)
    kinds = np.where(program.integer, GRB.INTEGER, GRB.CONTINUOUS)
    columns = model.addMVar(program.columns, lb=program.lower, ub=program.upper, obj=program.cost, vtype=kinds)
    if program.rows:
        # Any: the types of gurobipy know dense matrices only.
        matrix: Any = csr_array(
            (program.coefficient, program.index, program.start), shape=(program.rows, program.columns)
        )
        model.addMConstr(matrix, columns, program.sense, program.right)
    model.update()
    built = time.perf_counter()
    model.optimize()
    return Ended(
        status=STATUSES.get(model.Status) or OWN_WORDS.get(model.Status, str(model.Status)),
        values=np.asarray(columns.X, dtype=float) if model.SolCount else None,
        bound=getattr(model, "ObjBound", None),
        build_s=built - started,
        solve_s=model.Runtime,
    )


def _options(limits: SolverLimits) -> dict[str, Any]:
    options: dict[str, Any] = {
        "MIPGap": limits.relative_gap,
        "MIPGapAbs": 1e-10,
        "FeasibilityTol": ROW_TOLERANCE,
        "IntFeasTol": 1e-9,
        "OptimalityTol": 1e-9,
        "Seed": limits.seed,
        "Threads": limits.threads,
    }
    return options if limits.time_s is None else options | {"TimeLimit": limits.time_s}


ADAPTER: Adapter = Gurobi()
