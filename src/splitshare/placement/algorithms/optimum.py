"""The optimum, proved by a solver."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import ClassVar

from splitshare.choices import ExactSolver
from splitshare.parameters import MOST_THREADS, check_within
from splitshare.placement import exact
from splitshare.placement.contract import Answer
from splitshare.placement.instance import Assignment, PlacementInstance
from splitshare.placement.small_instances import place_small_instances
from splitshare.solvers.exchange import NamedProgram, column_names
from splitshare.solvers.milp import solve_milp


@dataclass(frozen=True)
class Solved:
    """An answer that another solver found."""

    assignment: Assignment | None
    name: ClassVar[str] = "solved-elsewhere"

    def place(self, instance: PlacementInstance, *, seed: int, time_limit: float | None) -> Assignment | None:
        """Answer it."""
        return self.assignment


@dataclass(frozen=True)
class Optimum:
    """The exact mixed-integer program of ``splitshare.placement.exact``, solved by the named solver.

    ``builtin`` is none of a program but a branch and bound of this problem (``splitshare.placement.branching``).
    """

    name: ClassVar[str] = "optimum"
    solver: ExactSolver = "highs"
    threads: int = 1
    """Of Gurobi or HiGHS; ``builtin`` uses one."""

    def __post_init__(self) -> None:
        check_within(1, MOST_THREADS, threads=self.threads)

    def warm_up(self) -> None:
        """Compile the branch and bound, or load it from the cache on disk; load the libraries of other solvers."""
        place_small_instances(Optimum(solver=self.solver, threads=self.threads))

    def place(self, instance: PlacementInstance, *, seed: int, time_limit: float | None) -> Answer:
        """Solve to a proved optimum, or to the best that the time limit allows."""
        if self.solver == "builtin":
            from splitshare.placement.branching.answer import branch_and_bound  # compiled code: slow to import

            return branch_and_bound(instance, seed=seed, time_limit_s=time_limit)
        started = time.perf_counter()
        model = exact.build(instance)
        written_s = time.perf_counter() - started
        result = solve_milp(model.milp, solver=self.solver, time_limit_s=time_limit, seed=seed, threads=self.threads)
        return Answer(
            assignment=model.assignment(result.values),
            status=result.status,
            bound=result.bound,
            objective=result.objective,
            build_s=written_s + result.build_s,
            solve_s=result.solve_s,
            solver=result.solver,
        )

    def program(self, instance: PlacementInstance) -> NamedProgram:
        """The program that ``place`` solves; ``x/<module>/<device>`` is 1 where a module stands on a device."""
        model = exact.build(instance)
        meaning = {column: f"x/{module}/{device}" for (module, device), column in model.x.items()}
        program = model.milp.program()
        names = column_names(program.columns, meaning)
        return NamedProgram(program, names, lambda values: Solved(model.assignment(values)))
