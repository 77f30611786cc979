"""What an algorithm is, and where algorithms are found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from splitshare.choices import Status
from splitshare.placement import algorithms
from splitshare.placement.instance import Assignment, PlacementInstance
from splitshare.plugins import Finder


@dataclass(frozen=True)
class Answer:
    """A placement with what an exact method knows about it; heuristics return the plain assignment."""

    assignment: Assignment | None
    status: Status
    bound: float | None = None
    objective: float | None = None
    """The method's own objective, held against the evaluator's; never used as the score."""
    build_s: float = 0.0
    solve_s: float = 0.0
    solver: str | None = None


Placed = Mapping[str, str | Sequence[str]]


@runtime_checkable
class PlacementAlgorithm(Protocol):
    """A placement algorithm.

    ``variant`` (optional) names the transform of the instance that it works on, see ``placement.variants``.
    ``warm_up()`` (optional): compiles what is to be compiled; called before anything is timed.
    """

    @property
    def name(self) -> str:
        """The name in tables and on the command line."""
        ...

    def place(self, instance: PlacementInstance, *, seed: int, time_limit: float | None) -> Placed | Answer | None:
        """Place every module of ``instance``; ``None`` where the algorithm finds no feasible placement.

        Args:
            instance: the instance, not to be changed.
            seed: of whatever is random.
            time_limit: seconds to keep to, or ``None``.
        """
        ...


FINDER: Finder[PlacementAlgorithm] = Finder(
    algorithms,
    "splitshare.placement",
    PlacementAlgorithm,  # type: ignore[type-abstract]
    "place",
)
TIMED_BASELINE = "s2m3-greedy"
"""Algorithm that is timed again beside a new one, so that times recorded elsewhere can be scaled."""
shipped, load = FINDER.shipped, FINDER.load
