"""Simulated annealing."""

from __future__ import annotations

import math
import random
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from scipy.optimize import brentq

from splitshare.placement.algorithms.s2m3_greedy import S2M3Greedy
from splitshare.placement.instance import Assignment, PlacementInstance
from splitshare.placement.search import Change, SearchState, feasible_start

LEAST_RISE = 1e-9
"""Relative change of the objective below which an accepted trial does not count: plateaus would never freeze."""


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
        state = SearchState(instance, start)
        best_worth, best = state.objective, state.assignment()
        temperature_s = self._first_temperature_s(state)
        trials = self.size_factor * sum(1 for _ in state.moves())
        draw = random.Random(seed)
        cold = 0
        while temperature_s > 0 and cold < self.cold_temperatures:
            possible = accepted = 0
            for change in _trials(state, trials, draw):
                if time_limit is not None and time.perf_counter() - started >= time_limit:
                    return best
                worth = state.worth_after(change) if change else math.inf
                if math.isinf(worth):
                    continue
                possible += 1
                rise = worth - state.objective
                if rise > 0 and draw.random() >= math.exp(-rise / temperature_s):
                    continue
                accepted += abs(rise) > LEAST_RISE * worth
                state.apply(change)
                if worth < best_worth:
                    best_worth, best, cold = worth, state.assignment(), 0
            if accepted <= self.least_acceptance * possible:
                cold += 1
            temperature_s *= self.cooling
        return best

    def _first_temperature_s(self, state: SearchState) -> float:
        """Temperature at which moves from ``state`` are accepted with the mean probability asked for; 0 without any."""
        worths = [state.worth_after(change) for change in state.moves()]
        rises = [max(0.0, worth - state.objective) for worth in worths if math.isfinite(worth)]
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


def _trials(state: SearchState, trials: int, draw: random.Random) -> Iterator[Change]:
    """Random changes of ``state`` as it is at each draw; empty where the draw has no change to make."""
    modules = list(state.host)
    for _ in range(trials):
        a = draw.choice(modules)
        if draw.random() < 0.5:
            device = draw.choice(state.devices[a])
            yield {a: device} if device != state.host[a] else {}
        else:
            b = draw.choice(modules)
            yield {a: state.host[b], b: state.host[a]} if state.may_swap(a, b) else {}
