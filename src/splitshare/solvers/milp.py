"""A program solved by the named solver and no other; every answer is recomputed before anyone sees it."""

from __future__ import annotations

import importlib
from dataclasses import dataclass, replace
from typing import Literal, get_args

import numpy as np

from splitshare.choices import Solver
from splitshare.errors import InputError, WorkError
from splitshare.solvers.adapter import ROW_TOLERANCE, Adapter, SolverLimits
from splitshare.solvers.program import Floats, Milp, Program

SOLVERS: tuple[Solver, ...] = get_args(Solver)
"""All solvers, by name."""
MilpStatus = Literal["optimal", "infeasible", "time_limit"]
STATUSES: tuple[MilpStatus, ...] = get_args(MilpStatus)


@dataclass(frozen=True)
class MilpResult:
    """What a solver answered; ``values`` is ``None`` where it has no solution (shape: columns)."""

    status: MilpStatus
    values: Floats | None
    objective: float | None
    bound: float | None
    build_s: float
    solve_s: float
    solver: str
    """Name and version."""


def solve_milp(
    milp: Milp,
    *,
    solver: Solver,
    time_limit_s: float | None = None,
    seed: int = 0,
    threads: int = 1,
    relative_gap: float = 0.0,
) -> MilpResult:
    """Solve to proved optimality, or to the time limit, with exactly the solver that is named.

    Building (from columns and rows to the solver's model) and solving are timed apart.

    Args:
        milp: the program.
        solver: who solves it; its package is imported here and not before.
        time_limit_s: seconds of solving.
        seed: of the solver's own draws.
        threads: of the solver.
        relative_gap: what counts as optimal: a bound so close to the objective, relatively.

    Raises:
        WorkError: the solver has no licence, refuses the size, ends with a status that is no answer, or answers
            something that does not hold when recomputed.
    """
    return _solve(milp.program(), adapter_of(solver), SolverLimits(time_limit_s, seed, threads, relative_gap))


def adapter_of(solver: Solver) -> Adapter:
    """The solver of that name.

    Raises:
        InputError: it is one that takes no programs.
    """
    if solver not in SOLVERS:
        raise InputError("--solver", solver, f"solves placements only; give {' or '.join(SOLVERS)}")
    adapter: Adapter = importlib.import_module(f"splitshare.solvers.{solver}").ADAPTER
    return adapter


def solver_version(solver: Solver) -> str:
    """Name and version of a solver, for provenance."""
    return adapter_of(solver).version()


def _solve(program: Program, adapter: Adapter, limits: SolverLimits) -> MilpResult:
    plain = _plain_answer(program, adapter)
    if plain is not None:
        return plain
    ended = adapter.solve(program, limits)
    status = ended.status
    if status == "infeasible_or_unbounded":
        # Presolve does not say which: without costs nothing is unbounded.
        free = program if program.bounded_below else replace(program, cost=np.zeros(program.columns))
        status = "infeasible" if free is program else _solve(free, adapter, limits).status
        status = "unbounded" if status == "optimal" else status
    final = next((known for known in STATUSES if known == status), None)
    if final is None:
        raise WorkError(f"solver {adapter.name}: ended with status {status!r}, which is no answer")
    values = objective = bound = None
    if final != "infeasible":
        values = ended.values
        objective = None if values is None else program.recheck(values, f"solver {adapter.name}")
        bound = ended.bound if ended.bound is not None and np.isfinite(ended.bound) else None
    if final == "optimal" and values is None:
        raise WorkError(f"solver {adapter.name}: reports an optimum without a solution")
    return MilpResult(final, values, objective, bound, ended.build_s, ended.solve_s, adapter.version())


def _plain_answer(program: Program, adapter: Adapter) -> MilpResult | None:
    """The answer where it is plain: a row of no terms that does not hold, bounds that cross, or no columns at all."""
    real = np.zeros(program.rows, dtype=bool)
    real[program.row_of[program.coefficient != 0]] = True
    broken = program.violation(np.zeros(program.rows)) > ROW_TOLERANCE
    if (program.lower > program.upper).any() or (broken & ~real).any():
        return MilpResult("infeasible", None, None, None, 0.0, 0.0, adapter.version())
    if not program.columns:
        return MilpResult("optimal", np.zeros(0), 0.0, 0.0, 0.0, 0.0, adapter.version())
    return None
