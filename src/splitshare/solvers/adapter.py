"""What a solver is to the library: how it is opened, told what to do, and asked how it ended."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Protocol

from splitshare.choices import Solver
from splitshare.errors import WorkError

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

    solve_s: float
    has_solution: bool
    bound: float | None
    """As the solver reports it, or ``None``."""


class Adapter(Protocol):
    """One solver, in a file of its own."""

    name: Solver

    def version(self) -> str:
        """Name and version, for provenance."""
        ...

    def opened(self) -> AbstractContextManager[dict[str, Any]]:
        """What has to be open while it runs, as options; raises ``WorkError`` without a usable licence."""
        ...

    def options(self, limits: SolverLimits) -> dict[str, Any]:
        """The limits, and the library's tolerances, in the solver's words."""
        ...

    def solved(self, solve: Callable[[], str], raw: Callable[[], Any], size: str) -> str:
        """Call ``solve`` and return its word for how it ended.

        Args:
            solve: runs the solver.
            raw: the solver's own model, once it is there.
            size: of the program, for messages.

        Raises:
            WorkError: it fails, in the solver's own way.
        """
        ...

    def ended(self, raw: Any, *, integer: bool) -> Ended:
        """Read off the solver's own model how its run ended; ``integer``: whether some columns are."""
        ...
