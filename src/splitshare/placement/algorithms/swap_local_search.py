"""S2M3's greedy, then exchanges of two modules."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import ClassVar

from splitshare.placement.algorithms.s2m3_greedy import S2M3Greedy
from splitshare.placement.construction import Held
from splitshare.placement.instance import Assignment, PlacementInstance
from splitshare.placement.search import feasible_start
from splitshare.placement.small_instances import place_small_instances


@dataclass(frozen=True)
class SwapLocalSearch:
    """2-swap: any exchange of the devices of two modules that lowers the objective is made, until there is none.

    It starts from S2M3's greedy or, at its dead end, from a feasible placement, and goes through all pairs in file
    order again and again. How many modules a device holds never changes: what it lacks against
    ``greedy-local-search``, which moves modules too and makes the best change, is what moves are worth. Source: the
    exchange of pairs of G. C. Armour, E. S. Buffa, *A Heuristic Algorithm and Simulation Approach to Relative
    Location of Facilities*, Management Science 9 (1963), with the first change that helps in place of the best.
    """

    name: ClassVar[str] = "swap-local-search"

    def warm_up(self) -> None:
        """Compile what is compiled, or load it from the cache on disk."""
        place_small_instances(SwapLocalSearch())

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
        held = Held(instance, start)
        while time_limit is None or time.perf_counter() - started < time_limit:
            if not held.exchange_all():
                break
        return held.assignment()
