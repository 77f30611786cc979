"""A Lagrangian heuristic."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from splitshare.errors import WorkError
from splitshare.parameters import check_within
from splitshare.placement.algorithms.s2m3_greedy import S2M3Greedy
from splitshare.placement.construction import Held, complete
from splitshare.placement.contract import Answer
from splitshare.placement.feasible import OpenPlacement
from splitshare.placement.instance import Assignment, PlacementInstance
from splitshare.placement.relaxation import Floats, Relaxation
from splitshare.placement.search import feasible_start
from splitshare.placement.small_instances import place_small_instances

ROUNDING = 1e-9
"""By how much a bound, a sum of many floats, may relatively be above what it bounds."""


@dataclass(frozen=True)
class Lagrangian:
    """Prices of memory and of apartness, raised step by step; at each step a placement is made from the prices.

    Source: M. L. Fisher, *The Lagrangian Relaxation Method for Solving Integer Programming Problems*, Management
    Science 27 (1981), and its subgradient steps. Ours: what is relaxed (``placement.relaxation``), and the placement
    that is made at each step: modules in descending loss of the second cheapest device against the cheapest, each to
    the cheapest where it can stand, then one round of moves. The best multipliers' value is a bound, which is told
    where a module stands on one device (``replication: false``).
    """

    name: ClassVar[str] = "lagrangian"
    steps: int = 150
    patience: int = 10
    """Steps without a better bound after which steps are halved."""

    def __post_init__(self) -> None:
        check_within(0, steps=self.steps)
        check_within(1, patience=self.patience)

    def warm_up(self) -> None:
        """Compile what is compiled, or load it from the cache on disk."""
        place_small_instances(Lagrangian(steps=4))

    def place(self, instance: PlacementInstance, *, seed: int, time_limit: float | None) -> Answer | None:
        """Place every module, or ``None`` if nothing feasible was found; deterministic, so ``seed`` is not used.

        At the time limit the best placement so far is the answer.

        Raises:
            WorkError: the bound is above a placement's objective, by more than rounding.
        """
        started = time.perf_counter()
        best = S2M3Greedy().place(instance, seed=seed, time_limit=time_limit)
        if best is None:
            best = feasible_start(instance, time_limit)
        if best is None:
            return None
        relaxation, empty = Relaxation(instance), OpenPlacement(instance)
        held = Held(instance, best)
        least_s, bound_s = held.objective_s, 0.0
        at, scale, idle = relaxation.start(), 2.0, 0
        for _ in range(self.steps):
            if time_limit is not None and time.perf_counter() - started >= time_limit:
                break
            relaxed = relaxation.solve(at)
            if relaxed.bound_s > bound_s:
                bound_s, idle = relaxed.bound_s, 0
            else:
                idle += 1
                if idle >= self.patience:
                    scale, idle = scale / 2, 0
            order, placed = _from_prices(relaxation, empty, relaxed.price_s)
            if placed is not None:
                held.hold(placed)
                held.improve_by_moves(order)
                if held.objective_s < least_s:
                    least_s, best = held.objective_s, held.assignment()
            squared = relaxed.direction.squared()
            if squared == 0 or least_s <= bound_s:
                break
            at = relaxation.step(at, relaxed.direction, scale * (least_s - relaxed.bound_s) / squared)
        if bound_s > least_s * (1 + ROUNDING):
            raise WorkError(f"{instance.name}: the relaxation's {bound_s!r} s are above a placement's {least_s!r} s")
        bound = None if instance.replication else min(bound_s, least_s)
        return Answer(best, "feasible", bound=bound, solve_s=time.perf_counter() - started)


def _from_prices(relaxation: Relaxation, empty: OpenPlacement, price_s: Floats) -> tuple[list[str], Assignment | None]:
    """Modules in the order of placing, and the placement; ``None`` for it at a dead end."""
    ranked = np.sort(price_s, axis=1)
    second = ranked[:, 1] if ranked.shape[1] > 1 else np.full(len(ranked), np.inf)
    order = [relaxation.modules[i] for i in np.argsort(-(second - ranked[:, 0]), kind="stable")]
    number = {device: i for i, device in enumerate(relaxation.devices)}
    price = dict(zip(relaxation.modules, price_s, strict=True))
    return order, complete(empty, order, lambda module, can: min(can, key=lambda d: price[module][number[d]]))
