"""The linear relaxation, rounded."""

from __future__ import annotations

import random
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from splitshare.choices import Solver
from splitshare.errors import WorkError
from splitshare.parameters import check_within
from splitshare.placement import exact
from splitshare.placement.construction import complete
from splitshare.placement.contract import Answer
from splitshare.placement.feasible import HostingRules, OpenPlacement, cheapest_feasible
from splitshare.placement.instance import Assignment, PlacementInstance
from splitshare.placement.objective import InfeasiblePlacementError, evaluate
from splitshare.placement.small_instances import place_small_instances
from splitshare.solvers.milp import solve_milp

Shares = Mapping[tuple[str, str], float]
"""By module and device, the share of the module that the relaxation puts there."""


@dataclass(frozen=True)
class LpRounding:
    """The relaxation of the exact program, rounded at random many times; the best rounding is the answer.

    Source: P. Raghavan, C. D. Thompson, *Randomized Rounding: A Technique for Provably Good Algorithms and
    Algorithmic Proofs*, Combinatorica 7 (1987): a module goes to a device with the probability of its share there.
    Ours: modules are rounded one after another, in descending largest share, among the devices where they can still
    stand (where the relaxation has no share on any of these, any of them); the first rounding takes the largest
    shares. Where no rounding is feasible, the answer is the feasible placement of the largest summed share. The
    relaxation's value is a bound.
    """

    name: ClassVar[str] = "lp-rounding"
    stochastic: ClassVar[bool] = True
    roundings: int = 50
    solver: Solver = "highs"

    def __post_init__(self) -> None:
        check_within(0, roundings=self.roundings)

    def warm_up(self) -> None:
        """Load the solver's libraries."""
        place_small_instances(LpRounding(solver=self.solver))

    def place(self, instance: PlacementInstance, *, seed: int, time_limit: float | None) -> Answer:
        """Place every module; no placement where none is feasible, or the relaxation was not solved in time.

        Raises:
            WorkError: the solver's answer does not hold.
        """
        started = time.perf_counter()
        model = exact.build(instance)
        model.milp.integer = bytearray(len(model.milp.integer))
        written_s = time.perf_counter() - started
        relaxed = solve_milp(model.milp, solver=self.solver, time_limit_s=time_limit, seed=seed)
        assignment = None
        if relaxed.status == "optimal" and relaxed.values is not None:
            shares = {pair: float(relaxed.values[column]) for pair, column in model.x.items()}
            until = None if time_limit is None else started + time_limit
            assignment = self._rounded(instance, shares, random.Random(seed), until)
        elapsed_s = time.perf_counter() - started
        return Answer(
            assignment=assignment,
            status="feasible" if assignment else "time_limit" if relaxed.status == "time_limit" else "infeasible",
            bound=relaxed.objective if relaxed.status == "optimal" else None,
            build_s=written_s + relaxed.build_s,
            solve_s=elapsed_s - written_s - relaxed.build_s,
            solver=relaxed.solver,
        )

    def _rounded(
        self, instance: PlacementInstance, shares: Shares, draw: random.Random, until: float | None
    ) -> Assignment | None:
        empty = OpenPlacement(instance)
        devices = HostingRules(instance).devices
        largest = {m: max((shares.get((m, d), 0.0) for d in devices[m]), default=0.0) for m in devices}
        order = sorted(devices, key=lambda module: -largest[module])

        def at_random(module: str, candidates: list[str]) -> str:
            weights = [max(0.0, shares.get((module, device), 0.0)) for device in candidates]
            return draw.choices(candidates, weights if sum(weights) > 0 else None)[0]

        def largest_share(module: str, candidates: list[str]) -> str:
            return max(candidates, key=lambda device: shares.get((module, device), 0.0))

        best: tuple[float, Assignment] | None = None
        for count in range(self.roundings):
            if until is not None and time.perf_counter() >= until:
                break
            placed = complete(empty, order, at_random if count else largest_share)  # type: ignore[arg-type]
            worth = None if placed is None else _worth_s(instance, placed)
            if placed is not None and worth is not None and (best is None or worth < best[0]):
                best = (worth, placed)
        if best is not None:
            return best[1]
        left_s = None if until is None else max(0.0, until - time.perf_counter())
        return cheapest_feasible(instance, {pair: -share for pair, share in shares.items()}, left_s)


def _worth_s(instance: PlacementInstance, placed: Assignment) -> float | None:
    try:
        return evaluate(instance, placed).objective
    except InfeasiblePlacementError as error:
        raise WorkError(f"{instance.name}: a placement within the hosting rules is refused: {error}") from None
