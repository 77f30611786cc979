"""What an onloading algorithm is, and where algorithms are found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from splitshare.choices import Status
from splitshare.onloading import algorithms
from splitshare.onloading.instance import PLACES, Onloading, OnloadingInstance, Place
from splitshare.plugins import Finder

Onloaded = Mapping[str, Mapping[str, int] | Sequence[str]]
"""Models by location (a client or a server): with their batch sizes, or only named, for batches of one."""


@dataclass(frozen=True)
class Answer:
    """Onloaded models with what a method knows about them; simple methods return the models alone."""

    onloading: Onloading | None
    places: tuple[Place, ...] = PLACES
    """Where queries may be answered; fewer for methods that do without a tier."""
    status: Status = "feasible"
    bound: float | None = None
    """Mean accuracy that no decision exceeds, as the method proved."""
    objective: float | None = None
    """An exact method's own objective, held against the evaluator's; never used as the score."""
    iterations: int | None = None
    build_s: float | None = None
    """Seconds of writing a model down, where a method has one; the library times what says nothing."""
    solve_s: float | None = None
    solver: str | None = None


@runtime_checkable
class OnloadingAlgorithm(Protocol):
    """An onloading algorithm.

    ``stochastic`` (optional, true): the answer depends on the seed. ``warm_up()`` (optional): compiles what is to be
    compiled; called before anything is timed.
    """

    @property
    def name(self) -> str:
        """The name in tables and on the command line."""
        ...

    def onload(self, instance: OnloadingInstance, *, seed: int, time_limit: float | None) -> Onloaded | Answer | None:
        """Choose the models of clients and servers; the library's linear program then sends the queries.

        Args:
            instance: the instance, not to be changed.
            seed: of whatever is random.
            time_limit: seconds to keep to, or ``None``.

        Returns:
            Models by location, or ``None`` where the algorithm finds nothing feasible (holding no model always is).
        """
        ...


FINDER: Finder[OnloadingAlgorithm] = Finder(
    algorithms,
    "splitshare.onloading",
    OnloadingAlgorithm,  # type: ignore[type-abstract]
    "onload",
)
TIMED_BASELINE = "density-greedy"
"""Algorithm that is timed again beside a new one, so that times recorded elsewhere can be scaled."""
shipped, load = FINDER.shipped, FINDER.load
