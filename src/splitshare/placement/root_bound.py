"""The builtin solver's bound before any branching, raised bit by bit beside a search (ours).

What would cost as much as the best placement is ruled out on the way, which lifts the bound of the rest.
"""

from __future__ import annotations

import math

import numpy as np

from splitshare.placement.arrays import Ints, Numbered, open_to
from splitshare.placement.branching.dual import ascend, dual, lower_bound
from splitshare.placement.branching.fixing import costs, exclude, settle
from splitshare.placement.branching.relaxation import relaxation
from splitshare.placement.branching.rounding import by_votes
from splitshare.placement.branching.tree import CLOSE, ROOT_PACE


class RootBound:
    """The bound of one instance, of which no placement takes ``most_s`` seconds.

    Attributes:
        bound_s: no placement is worth less, in seconds.
    """

    def __init__(self, problem: Numbered, most_s: float) -> None:
        self._arrays = problem.arrays
        self._relaxed = relaxation(problem)
        self._dual = dual(self._relaxed)
        self._may = open_to(problem.arrays, replicas=self._relaxed.replicas)
        self._must = np.zeros_like(self._may)
        self._extra = np.zeros(self._may.shape)
        self._most_s = most_s
        self._pace, self._raised = ROOT_PACE, False
        self.bound_s = 0.0

    def raise_(self, steps: int, best_s: float) -> None:
        """Raise the bound by at most ``steps`` steps; a placement worth ``best_s`` seconds is known (or infinite)."""
        target = min(best_s * (1 - CLOSE), self._most_s)
        cut_s = target if self._arrays.worst else math.inf
        open_ = settle(self._relaxed, self._may, self._must)
        if open_:
            parts = self._relaxed, self._dual, self._may, self._must, cut_s
            raised, self._pace = ascend(*parts, target, steps, self._pace)
            # What has been ruled out is worth the target of then, which was no less than that of now.
            self.bound_s = max(self.bound_s, min(raised, target))
            open_ = self.bound_s < target
            if open_ and self._raised:  # not worth its time before prices have settled a little
                slack = target - lower_bound(*parts)
                costs(*parts, slack, self._extra)
                exclude(self._may, self._must, slack, self._extra)
        self._raised = True
        if not open_:
            self.bound_s = max(self.bound_s, target)

    def vote(self) -> Ints | None:
        """A placement (M) on the devices that requests choose at the prices of the bound; ``None`` at a dead end."""
        host = np.zeros(len(self._may), dtype=np.int64)
        return host if by_votes(self._relaxed, self._dual.vote, self._arrays.may, host) else None
