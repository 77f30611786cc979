"""The linear relaxation of the exact program, rounded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from splitshare.choices import Solver
from splitshare.onloading.arrays import arrays_of
from splitshare.onloading.contract import Answer
from splitshare.onloading.instance import OnloadingInstance
from splitshare.onloading.j3o import tiny
from splitshare.onloading.objective import onloading_of
from splitshare.onloading.simple import rounded


@dataclass(frozen=True)
class LpRounding:
    """Each location takes the models that fit in descending order of their share in the linear relaxation (ours).

    Models run at batches of one. The relaxation's value bounds every decision's from above.
    """

    name: ClassVar[str] = "lp-rounding"
    solver: Solver = "highs"

    def warm_up(self) -> None:
        """Round a tiny instance's relaxation: the first call loads the solver's libraries and what is compiled."""
        rounded(arrays_of(tiny()), solver=self.solver)

    def onload(self, instance: OnloadingInstance, *, seed: int, time_limit: float | None) -> Answer:
        """Solve the relaxation and fill every location; holds nothing where time is up before that."""
        rounding = rounded(arrays_of(instance), solver=self.solver, time_limit_s=time_limit, seed=seed)
        result = rounding.result
        return Answer(
            {} if rounding.hosts is None else onloading_of(instance, rounding.hosts),
            bound=None if rounding.hosts is None or result.objective is None else 0.0 - result.objective,
            build_s=rounding.written_s + result.build_s,
            solve_s=result.solve_s,
            solver=result.solver,
        )
