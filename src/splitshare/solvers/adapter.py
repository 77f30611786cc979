"""What a solver is to the library: it takes a program and limits, and says how it ended."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from splitshare.choices import Solver
from splitshare.errors import WorkError
from splitshare.solvers.program import Floats, Program

ROW_TOLERANCE = 1e-9
"""Largest violation of a row that every solver is told to take for rounding."""


class SizeLimitError(WorkError):
    """A solver's licence refuses a program for its size."""


@dataclass(frozen=True)
class SolverLimits:
    """What a run of a solver may take, in the library's terms."""

    time_s: float | None
    seed: int
    threads: int
    relative_gap: float


@dataclass(frozen=True)
class Ended:
    """How a run ended."""

    status: str
    """``optimal``, ``infeasible``, ``infeasible_or_unbounded``, ``time_limit``, or the solver's own word."""
    values: Floats | None
    """A value a column, where there is a solution."""
    bound: float | None
    """As the solver reports it, where it does."""
    build_s: float
    """From the program's arrays to the solver's model."""
    solve_s: float


class Adapter(Protocol):
    """One solver, in a module of its name that holds it as ``ADAPTER``."""

    name: Solver

    def version(self) -> str:
        """Name and version, for provenance."""
        ...

    def solve(self, program: Program, limits: SolverLimits) -> Ended:
        """Solve a program that has columns, and say nothing on the way.

        Raises:
            SizeLimitError: the program is larger than the licence takes.
            WorkError: there is no usable licence, or it fails in the solver's own way.
        """
        ...
