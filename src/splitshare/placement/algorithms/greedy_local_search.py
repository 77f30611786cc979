"""S2M3's greedy, then steepest descent."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import ClassVar

from splitshare.placement.algorithms.s2m3_greedy import S2M3Greedy
from splitshare.placement.arrays import numbered
from splitshare.placement.delta import standing
from splitshare.placement.instance import Assignment, PlacementInstance
from splitshare.placement.search import feasible_start, step
from splitshare.placement.small_instances import place_small_instances


@dataclass(frozen=True)
class GreedyLocalSearch:
    """Steepest descent over moves and swaps, from S2M3's greedy or, at its dead end, from a feasible placement.

    Each step makes the change that lowers the objective most among all moves of one module and all exchanges of two
    (ties to the module that the start places first); the end is a local optimum of both. Source: textbook (Aarts and
    Lenstra, *Local Search in Combinatorial Optimization*, 1997, ch. 1); start and neighbourhoods ours.
    """

    name: ClassVar[str] = "greedy-local-search"

    def warm_up(self) -> None:
        """Compile what is compiled, or load it from the cache on disk."""
        place_small_instances(GreedyLocalSearch())

    def place(self, instance: PlacementInstance, *, seed: int, time_limit: float | None) -> Assignment | None:
        """Place every module, or ``None`` if nothing feasible was found; deterministic, so ``seed`` is not used.

        At the time limit the best placement so far is the answer.
        """
        started = time.perf_counter()
        start = S2M3Greedy().place(instance, seed=seed, time_limit=time_limit)
        if start is None:
            start = feasible_start(instance, time_limit)
        if start is None:
            return None
        problem = numbered(instance)
        state = standing(problem.arrays, problem.hosts(start), problem.order(start))
        while time_limit is None or time.perf_counter() - started < time_limit:
            if not step(problem.arrays, state):
                break
        return problem.assignment(state.host, state.visit)
