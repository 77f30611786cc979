"""The best placement met so far, and ways to a better one (ours): descent, votes of the bound's parts, annealing."""

from __future__ import annotations

import math
import random

import numpy as np

from splitshare.placement.annealing import Draws, anneal, annealing
from splitshare.placement.arrays import Bools, Floats, Ints, Numbered
from splitshare.placement.branching.relaxation import Relaxation, scratch
from splitshare.placement.branching.rounding import by_packing, by_votes, improve_replicas
from splitshare.placement.delta import standing, worth_s
from splitshare.placement.instance import Assignment
from splitshare.placement.objective import InfeasiblePlacementError, evaluate
from splitshare.placement.search import descend

ROUNDS = 20
"""Of quick descent, at most."""
STAGES, COOLING, HOT = 30, 0.8, (0.01, 0.03, 0.003)
"""Temperatures of a burst of annealing, the factor between them, and the first one as shares of the worth, in turn."""


class Incumbent:
    """What has been found.

    Attributes:
        assignment: the best placement, ``None`` before there is one.
        worth: its objective by the evaluator, in seconds; infinite before there is one.
    """

    def __init__(self, problem: Numbered, relaxed: Relaxation, seed: int) -> None:
        self._problem, self._relaxed = problem, relaxed
        self._draws = Draws(random.Random(seed))
        self._space = scratch(len(problem.arrays.room))
        self._no_price = np.zeros((len(relaxed.slot), len(problem.arrays.room)))
        self._host: Ints | None = None
        self._host_worth = math.inf
        self._bursts = 0
        self.assignment: Assignment | None = None
        self.worth = math.inf

    def offer(self, host: Ints) -> bool:
        """Descend from a placement (M) that keeps to memory; whether the end is the best so far."""
        arrays = self._problem.arrays
        state = standing(arrays, host)
        if not np.isfinite(state.latency_s).all():
            return False
        descend(arrays, state, ROUNDS)
        worth = worth_s(arrays, state.latency_s, state.partial)
        if worth < self._host_worth:
            self._host, self._host_worth = state.host.copy(), worth
        if worth >= self.worth and not self._relaxed.replicas:
            return False
        stands = np.zeros(arrays.may.shape, dtype=np.bool_)
        stands[np.arange(len(state.host)), state.host] = True
        before = self.worth
        return self.offer_replicas(stands) if self._relaxed.replicas else self.worth_of(stands) < before

    def offer_replicas(self, stands: Bools) -> bool:
        """Descend from a placement with replicas, (M, N), that keeps to memory; whether the end is the best so far."""
        arrays, latency_s = self._problem.arrays, np.zeros(len(self._problem.arrays.head))
        left = arrays.room - (arrays.size * stands).sum(axis=0)
        if not improve_replicas(self._relaxed, stands, left, self._no_price, latency_s, self._space, ROUNDS):
            return False
        before = self.worth
        return self.worth_of(stands) < before

    def offer_votes(self, vote: Floats, may: Bools) -> bool:
        """Place by votes (M, N) on devices that may take a module, and descend; whether the end is the best so far."""
        host = np.zeros(len(vote), dtype=np.int64)
        return by_votes(self._relaxed, vote, may, host) and self.offer(host)

    def offer_packing(self, packed: Bools, vote: Floats) -> bool:
        """Place, with replicas, what knapsacks (N, M) hold, and descend; whether the end is the best so far."""
        stands = np.zeros(vote.shape, dtype=np.bool_)
        return by_packing(self._relaxed, packed, vote, stands) and self.offer_replicas(stands)

    def offer_quick(self, may: Bools) -> bool:
        """Place each module where its uses alone are soonest done, room allowing; whether that serves all requests."""
        return self.offer_votes(-self._standalone_s(), may)

    def worth_of(self, stands: Bools) -> float:
        """Objective of a placement (M, N) that keeps to memory, in seconds; infinite where a request is not served."""
        assignment = self.replicated(stands)
        try:
            worth = evaluate(self._problem.instance, assignment).objective
        except InfeasiblePlacementError:
            return math.inf
        if worth < self.worth:
            self.assignment, self.worth = assignment, worth
        return worth

    def anneal(self, may: Bools, trials: int) -> bool:
        """So many trials of annealing from the best placement, on devices that ``may`` (M, N) leaves."""
        if self._host is None or not may.any(axis=1).all():
            return False
        arrays = self._problem.arrays._replace(may=may)
        run = annealing(arrays, self._host, np.arange(len(may)))
        temperature_s = HOT[self._bursts % len(HOT)] * self._host_worth
        self._bursts += 1
        for _ in range(STAGES):
            run.tally[:] = 0
            while run.tally[0] < trials // STAGES:
                words = self._draws.words()
                self._draws.at = anneal(arrays, run, words, self._draws.at, trials // STAGES, temperature_s)
            temperature_s *= COOLING
        return bool(run.worth[1] < self._host_worth) and self.offer(run.best)

    def _standalone_s(self) -> Floats:
        """(M, N): rate-weighted seconds of a module's uses, were each alone; very many where it cannot run."""
        arrays = self._problem.arrays
        seconds = np.zeros(arrays.may.shape)
        rate = np.repeat(arrays.rate, np.diff(arrays.first))
        np.add.at(seconds, arrays.encoder, rate[:, None] * (arrays.ready_s + arrays.compute_s))
        np.add.at(seconds, arrays.head, arrays.rate[:, None] * (arrays.head_s + arrays.back_s))
        return np.where(np.isfinite(seconds), seconds, np.finfo(np.float64).max / 4)

    def replicated(self, stands: Bools) -> Assignment:
        """The evaluator's form of (M, N)."""
        instance = self._problem.instance
        return {
            module.name: tuple(device.name for device, here in zip(instance.devices, row, strict=True) if here)
            for module, row in zip(instance.modules, stands, strict=True)
        }
