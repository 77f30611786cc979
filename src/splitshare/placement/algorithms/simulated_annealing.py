"""Simulated annealing."""

from __future__ import annotations

import math
import random
import time
from dataclasses import dataclass
from typing import ClassVar

from scipy.optimize import brentq

from splitshare.parameters import check_between, check_within
from splitshare.placement.algorithms.s2m3_greedy import S2M3Greedy
from splitshare.placement.annealing import Draws, anneal, annealing
from splitshare.placement.arrays import Floats, numbered
from splitshare.placement.instance import Assignment, PlacementInstance
from splitshare.placement.search import feasible_start, move_worths
from splitshare.placement.small_instances import place_small_instances

TRIALS_AT_ONCE = 4096
"""Between two looks at the clock."""


@dataclass(frozen=True)
class SimulatedAnnealing:
    """Simulated annealing over moves and swaps, from S2M3's greedy or, at its dead end, from a feasible placement.

    Source: Kirkpatrick, Gelatt, Vecchi, *Optimization by Simulated Annealing*, Science 220 (1983); the schedule and the
    defaults of its parameters are those of Johnson, Aragon, McGeoch, Schevon, *Optimization by Simulated Annealing:
    An Experimental Evaluation, Part I*, Operations Research 37 (1989). Ours: a trial is a move of one module or an
    exchange of two, either with probability 1/2; the share of accepted trials is that among changes that have room,
    and changes between placements of equal worth do not count as accepted; the first temperature is where the moves
    away from the start would be accepted with the given mean probability. The answer is the best placement met.
    """

    name: ClassVar[str] = "simulated-annealing"
    stochastic: ClassVar[bool] = True
    initial_acceptance: float = 0.4
    """Mean probability of accepting a change at the first temperature (INITPROB)."""
    cooling: float = 0.95
    """Factor from one temperature to the next (TEMPFACTOR)."""
    size_factor: int = 16
    """Trials at each temperature for each neighbour by a move (SIZEFACTOR)."""
    least_acceptance: float = 0.02
    """Share of accepted trials at or below which a temperature counts as cold (MINPERCENT)."""
    cold_temperatures: int = 5
    """Cold temperatures without a new best placement after which the search is frozen."""

    def __post_init__(self) -> None:
        check_between(0, 1, initial_acceptance=self.initial_acceptance, cooling=self.cooling)
        check_within(0, 1, least_acceptance=self.least_acceptance)
        check_within(1, size_factor=self.size_factor, cold_temperatures=self.cold_temperatures)

    def warm_up(self) -> None:
        """Compile what is compiled, or load it from the cache on disk."""
        place_small_instances(SimulatedAnnealing())

    def place(self, instance: PlacementInstance, *, seed: int, time_limit: float | None) -> Assignment | None:
        """Place every module, or ``None`` if nothing feasible was found to start from.

        At the time limit the best placement so far is the answer.
        """
        started = time.perf_counter()
        start = S2M3Greedy().place(instance, seed=seed, time_limit=time_limit)
        if start is None:
            start = feasible_start(instance, time_limit)
        if start is None:
            return None
        problem = numbered(instance)
        arrays, run = problem.arrays, annealing(problem.arrays, problem.hosts(start), problem.order(start))
        worths = move_worths(arrays, run.state)
        temperature_s = self._first_temperature_s(worths, float(run.worth[0]))
        trials = self.size_factor * len(worths)
        draws = Draws(random.Random(seed))
        cold = 0
        while temperature_s > 0 and cold < self.cold_temperatures:
            run.tally[:] = 0
            while run.tally[0] < trials:
                if time_limit is not None and time.perf_counter() - started >= time_limit:
                    return problem.assignment(run.best, run.state.visit)
                upto = min(trials, int(run.tally[0]) + TRIALS_AT_ONCE)
                draws.at = anneal(arrays, run, draws.words(), draws.at, upto, temperature_s)
            _, possible, accepted, improved = run.tally
            if improved:
                cold = 0
            if accepted <= self.least_acceptance * possible:
                cold += 1
            temperature_s *= self.cooling
        return problem.assignment(run.best, run.state.visit)

    def _first_temperature_s(self, worths: Floats, worth: float) -> float:
        """Temperature at which moves to ``worths`` are accepted with the mean probability asked for; 0 without any."""
        rises = [max(0.0, after - worth) for after in worths.tolist() if math.isfinite(after)]
        largest = max(rises, default=0.0)
        if largest == 0:
            return 0.0

        def excess(temperature_s: float) -> float:
            return sum(math.exp(-rise / temperature_s) for rise in rises) / len(rises) - self.initial_acceptance

        coldest, hottest = largest * 1e-6, -largest / math.log(self.initial_acceptance)
        if excess(hottest) <= 0:  # all moves cost the same, but for rounding
            return hottest
        # Where so many moves cost nothing that even the coldest temperature accepts enough, start in the middle.
        return largest if excess(coldest) >= 0 else float(brentq(excess, coldest, hottest))
