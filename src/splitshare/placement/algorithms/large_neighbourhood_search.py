"""Large-neighbourhood search."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass
from typing import ClassVar

from splitshare.parameters import check_within
from splitshare.placement.algorithms.s2m3_greedy import S2M3Greedy, users_by_module
from splitshare.placement.construction import Held
from splitshare.placement.instance import Assignment, PlacementInstance
from splitshare.placement.reinsertion import Reinsertion
from splitshare.placement.search import feasible_start
from splitshare.placement.small_instances import place_small_instances


@dataclass(frozen=True)
class LargeNeighbourhoodSearch:
    """Related modules are taken out together and put back where they serve best; only improvements are kept.

    Source: P. Shaw, *Using Constraint Programming and Local Search Methods to Solve Vehicle Routing Problems*, CP
    1998, LNCS 1520: removal of related modules, randomised by his ``determinism``, more of them after rounds without
    improvement, put back by limited discrepancies (``placement.reinsertion``). Ours: two modules are related by the
    requests that use both and by standing on one device, whose memory they contend for. It starts from S2M3's greedy
    or, at its dead end, from a feasible placement.
    """

    name: ClassVar[str] = "large-neighbourhood-search"
    stochastic: ClassVar[bool] = True
    rounds: int = 10
    """Removals for each module of the instance."""
    most_removed: int = 6
    """Most modules that are taken out at once; the first removals are of two."""
    patience: int = 20
    """Rounds without improvement after which one module more is taken out."""
    discrepancies: int = 1
    """How far from the best device first the search for a place goes."""
    determinism: float = 5.0
    """How strongly the most related are preferred: 1 not at all."""

    def __post_init__(self) -> None:
        check_within(0, rounds=self.rounds, discrepancies=self.discrepancies)
        check_within(1, patience=self.patience, most_removed=self.most_removed, determinism=self.determinism)

    def warm_up(self) -> None:
        """Compile what is compiled, or load it from the cache on disk."""
        place_small_instances(LargeNeighbourhoodSearch(rounds=1))

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
        held = Held(instance, start)
        host = held.host
        draw = random.Random(seed)
        together = _requests_together(instance)
        reinsertion = Reinsertion(instance, self.discrepancies)
        size, idle = 2, 0
        for _ in range(self.rounds * len(host)):
            if time_limit is not None and time.perf_counter() - started >= time_limit:
                break
            removed = self._related(host, together, min(size, len(host)), draw)
            change = reinsertion.best(host, removed, held.objective_s)
            if change is not None:
                host |= change
                held.hold({module: (device,) for module, device in host.items()})
                idle = 0
                continue
            idle += 1
            if idle >= self.patience:
                size, idle = min(size + 1, self.most_removed), 0
        return held.assignment()

    def _related(
        self, host: dict[str, str], together: dict[tuple[str, str], float], size: int, draw: random.Random
    ) -> list[str]:
        """``size`` modules: one at random, then each time one that is related to one of those (Shaw's figure 1)."""
        removed = [draw.choice(list(host))]
        while len(removed) < size:
            seed = draw.choice(removed)
            others = [module for module in host if module not in removed]
            related = {m: together.get((seed, m), 0.0) + (host[m] == host[seed]) for m in others}
            others.sort(key=lambda module: -related[module])
            removed.append(others[int(len(others) * draw.random() ** self.determinism)])
        return removed


def _requests_together(instance: PlacementInstance) -> dict[tuple[str, str], float]:
    """By pair of modules, the share of the requests of either that use both."""
    users = {module: {r.name for r in requests} for module, requests in users_by_module(instance).items()}
    return {
        (a, b): len(users[a] & users[b]) / len(users[a] | users[b]) for a in users for b in users if users[a] & users[b]
    }
