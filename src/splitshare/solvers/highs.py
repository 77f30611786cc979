"""HiGHS."""

from __future__ import annotations

import time
from typing import Any

import highspy
import numpy as np
from highspy import HighsModelStatus

from splitshare.choices import Solver
from splitshare.errors import WorkError
from splitshare.solvers.adapter import ROW_TOLERANCE, Adapter, Ended, SolverLimits
from splitshare.solvers.program import Program

STATUSES = {
    HighsModelStatus.kOptimal: "optimal",
    HighsModelStatus.kInfeasible: "infeasible",
    HighsModelStatus.kUnboundedOrInfeasible: "infeasible_or_unbounded",
    HighsModelStatus.kTimeLimit: "time_limit",
}
ROWWISE, MINIMISE = 2, 1


class Highs:
    """HiGHS through highspy; needs no licence."""

    name: Solver = "highs"

    def version(self) -> str:
        """Name and version, for provenance."""
        return f"highs {highspy.Highs().version()}"

    def solve(self, program: Program, limits: SolverLimits) -> Ended:
        """See ``Adapter``."""
        started = time.perf_counter()
        # HiGHS 1.15.1 calls solutions optimal that are not, more or less often by the order of columns and by presolve:
        # with continuous columns first and presolve on, on none of 475 programs with 3 seeds each that Gurobi solved
        # too; with columns as they come, on 1; without presolve, on 11. Two solvers are held against each other
        # wherever optima are recorded.
        order = np.argsort(program.integer, kind="stable")
        ordered = program.with_columns(order)
        highs = highspy.Highs()
        for option, value in _options(limits).items():
            highs.setOptionValue(option, value)
        _pass(highs, ordered)
        built = time.perf_counter()
        run_highs(highs)
        status, information = highs.getModelStatus(), highs.getInfo()
        feasible = information.primal_solution_status == highspy.SolutionStatus.kSolutionStatusFeasible
        values = None
        if feasible:
            values = np.empty(program.columns)
            values[order] = highs.getSolution().col_value
        return Ended(
            status=STATUSES.get(status) or highs.modelStatusToString(status).lower(),
            values=values,
            bound=information.mip_dual_bound if program.integer.any() else information.objective_function_value,
            build_s=built - started,
            solve_s=highs.getRunTime(),
        )

    def write(self, program: Program, path: str, columns: list[str]) -> None:
        """Write the program in the format of the file's suffix, its columns under these names.

        Raises:
            WorkError: it cannot be written.
        """
        highs = highspy.Highs()
        highs.setOptionValue("output_flag", False)
        _pass(highs, program)
        for number, name in enumerate(columns):
            highs.passColName(number, name)
        for number in range(program.rows):
            highs.passRowName(number, f"r{number}")
        if highs.writeModel(path) == highspy.HighsStatus.kError:
            raise WorkError(f"{path}: HiGHS could not write the program there")


def run_highs(highs: highspy.Highs) -> None:
    """Run HiGHS with as many threads as its options say, whatever other runs of the process had.

    The first run of a process fixes their number, and one that asks for another ends with an error (HiGHS 1.15). It is
    run again here, with threads of its own; no other run may be under way meanwhile.
    """
    if highs.run() == highspy.HighsStatus.kError:
        highspy.Highs.resetGlobalScheduler(True)
        highs.run()


def _options(limits: SolverLimits) -> dict[str, Any]:
    options = {
        "output_flag": False,
        "mip_rel_gap": limits.relative_gap,
        "mip_abs_gap": 1e-10,
        "primal_feasibility_tolerance": ROW_TOLERANCE,
        "mip_feasibility_tolerance": 1e-9,
        "random_seed": limits.seed,
        "threads": limits.threads,
    }
    return options if limits.time_s is None else options | {"time_limit": float(limits.time_s)}


def _pass(highs: highspy.Highs, program: Program) -> None:
    infinite = highspy.kHighsInf
    status = highs.passModel(
        program.columns,
        program.rows,
        len(program.index),
        ROWWISE,
        MINIMISE,
        0.0,
        program.cost,
        program.lower,
        program.upper,
        np.where(program.sense == "<", -infinite, program.right),
        np.where(program.sense == ">", infinite, program.right),
        program.start[:-1],
        program.index,
        program.coefficient,
        program.integer.astype(np.int32),
    )
    if status == highspy.HighsStatus.kError:
        raise WorkError("solver highs: refuses the program")


ADAPTER: Adapter = Highs()
