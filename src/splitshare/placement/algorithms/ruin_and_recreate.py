"""Ruin and recreate."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from splitshare.parameters import check_between, check_within
from splitshare.placement.algorithms.s2m3_greedy import S2M3Greedy
from splitshare.placement.arrays import Ints, Numbered, numbered
from splitshare.placement.branching.tree import CLOSE, ceiling_s
from splitshare.placement.contract import Answer
from splitshare.placement.generator import generator
from splitshare.placement.hosting import hosting
from splitshare.placement.instance import Assignment, PlacementInstance
from splitshare.placement.removal import run
from splitshare.placement.root_bound import RootBound
from splitshare.placement.ruin import Cooling, build, hold, search
from splitshare.placement.search import feasible_start
from splitshare.placement.small_instances import place_small_instances

ROUNDS_AT_ONCE = 2000
"""Between two looks at the clock."""
FIRST_STEPS, MOST_STEPS = 20, 80
"""Of the bound's ascent, between two placements that are made of it: twice as many each time."""
TRIED_STEPS, NEAR = 100, 0.01
"""After so many steps they go on only where the bound is as near to the best placement, and so may meet it."""
MOST_PATHS = 10**7
"""Encoder positions times pairs of devices beyond which no bound is computed: it would take longer than the search."""
ALIKE = 1e-9
"""Relative difference of two worths up to which they count as the same."""
MAX_SHARE = 10.0
"""What the largest latency is divided by where temperatures are shares of a request's part of the objective."""
BEYOND = 10.0
"""A request that cannot be answered counts as if it took so many times what the slowest placement takes."""


@dataclass(frozen=True)
class RuinAndRecreate:
    """Modules that go together are taken out and put back where they cost least, by chance as in annealing (ours).

    Source of the scheme: Schrimpf, Schneider, Stamm-Wilbrandt, Dueck, *Record breaking optimization results using the
    ruin and recreate principle*, J. Comput. Phys. 159 (2000) 139-171. Ours: what is taken out (the modules of requests
    that share some, or a module and those that stand where it wants to be), the device drawn by heat bath from the
    exact cost of all devices at once, and the starts: in descending memory, by the prices of the
    builtin solver's bound (``placement.branching.dual``), and S2M3's greedy, than which it is never worse. Rounds are
    counted, not timed. It ends where the best placement meets the bound. With ``replication: true`` it uses replicas.
    """

    name: ClassVar[str] = "ruin-and-recreate"
    stochastic: ClassVar[bool] = True
    rounds: int = 300_000
    """Of all coolings, at most. On top come those at the last temperature that follow each placement which the bound's
    prices make: as many each time as the first cooling has."""
    first_rounds: float = 0.5
    """Of the first cooling, for each pair of module and device; each cooling after it has twice as many."""
    agreed: int = 8
    """Coolings in a row, each from a placement of its own, that are enough: all but the first of them, which may have
    ended better or worse, end at the worth that was the best before."""
    most_removed: int = 4
    """Modules that are taken out at once, about: a request's modules are taken out together."""
    hot: float = 0.5
    cold: float = 0.02
    """First and last temperature, as shares of a request's mean part of the objective."""
    steps: int = 400
    """Of the bound's ascent."""

    def __post_init__(self) -> None:
        check_within(0, rounds=self.rounds, steps=self.steps)
        check_within(1, agreed=self.agreed, most_removed=self.most_removed)
        check_between(0, first_rounds=self.first_rounds, hot=self.hot, cold=self.cold)
        if self.cold > self.hot:
            raise ValueError(f"cold must be no more than hot, {self.hot}, not {self.cold}")

    def warm_up(self) -> None:
        """Compile what is compiled, or load it from the cache on disk."""
        place_small_instances(RuinAndRecreate())

    def place(self, instance: PlacementInstance, *, seed: int, time_limit: float | None) -> Answer | None:
        """Place every module, or ``None`` if nothing feasible was found.

        At the time limit the best placement so far is the answer.
        """
        started = time.perf_counter()
        ends = math.inf if time_limit is None else started + time_limit
        made = _Search(instance, seed, ends)
        rounds = min(math.ceil(self.first_rounds * len(instance.modules) * len(instance.devices)), self.rounds)
        made.start()
        made.cool(rounds, self.most_removed, self.hot, self.cold)
        made.raise_bound(self.steps, rounds, self.most_removed, self.cold)
        if not made.met and not made.begin_feasibly(seed):
            return None
        left, agreed = self.rounds - rounds, 0
        while left > 0 and agreed < self.agreed and not made.met and time.perf_counter() < ends:
            rounds = left if left < 3 * rounds else rounds  # no small rest
            agreed = agreed + 1 if made.cool(rounds, self.most_removed, self.hot, self.cold) else 1
            left -= rounds
            rounds *= 2
        assignment = made.assignment()
        if assignment is None:
            return None
        return Answer(assignment, "feasible", bound=made.bound_s, solve_s=time.perf_counter() - started)


class _Search:
    """One search of one instance; ``ends`` is when to stop, by ``time.perf_counter``."""

    def __init__(self, instance: PlacementInstance, seed: int, ends: float) -> None:
        self._instance, self._ends = instance, ends
        self._problem: Numbered = numbered(instance)
        self._arrays = self._problem.arrays
        self._replicas = instance.replication
        self._most_s = ceiling_s(self._arrays)
        state = hosting(self._arrays, replication=self._replicas, penalty_s=BEYOND * self._most_s)
        self._run = run(self._arrays, state, generator(seed))
        self._parts = self._arrays, state, self._run
        self._draw = np.random.default_rng(seed)
        self._cooled = False
        self.bound_s = 0.0

    @property
    def _best_s(self) -> float:
        return float(self._run.total_s[2])

    @property
    def _floor_s(self) -> float:
        return self.bound_s / (1 - CLOSE)

    @property
    def _share_s(self) -> float:
        """A request's part of the best objective, of which temperatures are shares."""
        return self._best_s / (MAX_SHARE if self._arrays.worst else len(self._arrays.head))

    @property
    def _left_s(self) -> float | None:
        """Seconds until the time limit."""
        return None if math.isinf(self._ends) else max(0.0, self._ends - time.perf_counter())

    @property
    def met(self) -> bool:
        """Whether the best placement is worth the bound."""
        return self._best_s <= self._floor_s

    def start(self) -> None:
        """A placement made from nothing, the largest modules first."""
        build(*self._parts, np.argsort(-self._run.bulk, kind="stable"), self._replicas)

    def begin_feasibly(self, seed: int) -> bool:
        """Offer the greedy's placement, or if there is none yet, any that is found in the time left; whether one is."""
        start = S2M3Greedy().place(self._instance, seed=seed, time_limit=self._left_s)
        if start is None and not math.isfinite(self._best_s):
            start = feasible_start(self._instance, self._left_s)
        if start is not None:
            self._offer(self._problem.hosts(start))
        return math.isfinite(self._best_s)

    def cool(self, rounds: int, most_removed: int, hot: float, cold: float) -> bool:
        """Search with falling temperatures from a placement made anew, the first time from the best.

        Returns:
            Whether it ended at the worth of what was the best before.
        """
        if self.met or rounds < 1 or not math.isfinite(self._best_s):
            return False
        before_s, totals = self._best_s, self._run.total_s
        order = self._draw.permutation(len(self._arrays.may))
        if not self._cooled or not build(*self._parts, order, self._replicas):
            hold(*self._parts, self._run.best_hosts.copy(), self._run.best_copies.copy())
        self._cooled = True
        totals[1] = math.inf
        self._search(rounds, most_removed, hot * self._share_s, (cold / hot) ** (1 / rounds))
        return bool(abs(totals[1] - before_s) <= ALIKE * before_s)

    def _search(self, rounds: int, most_removed: int, hot_s: float, factor: float) -> None:
        """Search from the placement that is held, until the bound is met or the time is up."""
        left = rounds
        while left > 0 and not self.met and time.perf_counter() < self._ends:
            made = min(left, ROUNDS_AT_ONCE)
            search(*self._parts, Cooling(made, most_removed, hot_s, factor, self._floor_s), self._replicas)
            hot_s *= factor**made
            left -= made

    def assignment(self) -> Assignment | None:
        """The best placement in the evaluator's form; ``None`` before there is one."""
        if not math.isfinite(self._best_s):
            return None
        devices, hosts = self._instance.devices, self._run.best_hosts
        return {
            module.name: tuple(devices[n].name for n in sorted(hosts[m, : self._run.best_copies[m]]))
            for m, module in enumerate(self._instance.modules)
        }

    def _offer(self, host: Ints) -> None:
        """Hold a placement (M) with one device a module."""
        hold(*self._parts, host[:, None], np.ones(len(host), dtype=np.int64))

    def raise_bound(self, steps: int, rounds: int, most_removed: int, cold: float) -> None:
        """Raise the bound, and search for so many rounds from each placement that its prices make, until one meets it.

        The clock is looked at between parts of the bound's ascent, too.
        """
        devices = len(self._arrays.room)
        if not self._problem.whole_units or len(self._arrays.encoder) * devices**2 > MOST_PATHS:
            return
        bound = RootBound(self._problem, self._most_s)
        made, left = FIRST_STEPS, steps
        while left > 0:
            bound.raise_(min(made, left), self._best_s)
            left, made = left - made, min(2 * made, MOST_STEPS)
            self.bound_s = bound.bound_s
            hopeless = steps - left >= TRIED_STEPS and self.bound_s < (1 - NEAR) * self._best_s
            if self.met or hopeless or time.perf_counter() >= self._ends:
                return
            host = bound.vote()
            if host is not None:
                self._offer(host)
                if math.isfinite(self._best_s):
                    self._search(rounds, most_removed, cold * self._share_s, 1.0)
