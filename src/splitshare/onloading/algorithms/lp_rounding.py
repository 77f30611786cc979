"""The linear relaxation of the exact program, rounded."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from splitshare.onloading import exact
from splitshare.onloading.arrays import Ints, arrays_of
from splitshare.onloading.contract import Answer
from splitshare.onloading.instance import OnloadingInstance
from splitshare.onloading.packing import packed
from splitshare.solvers.milp import Solver, solve_milp


@dataclass(frozen=True)
class LpRounding:
    """Each location takes the models that fit in descending order of their share in the linear relaxation (ours).

    Models run at batches of one. The relaxation's value bounds every decision's from above.
    """

    name: ClassVar[str] = "lp-rounding"
    solver: Solver = "highs"

    def onload(self, instance: OnloadingInstance, *, seed: int, time_limit: float | None) -> Answer:
        """Solve the relaxation and fill every location; holds nothing where time is up before that."""
        started = time.perf_counter()
        arrays = arrays_of(instance)
        model = exact.build(arrays, integer=False)
        written_s = time.perf_counter() - started
        result = solve_milp(model.milp, solver=self.solver, time_limit_s=time_limit, seed=seed)
        if result.values is None or result.objective is None or result.status != "optimal":
            return Answer({}, build_s=written_s + result.build_s, solve_s=result.solve_s, solver=result.solver)
        client = np.zeros(arrays.client_s.shape)
        server = np.zeros(arrays.edge_s.shape[:2])
        for (c, j), column in model.client_column.items():
            client[c, j] = result.values[column]
        for (s, j, _), column in model.server_column.items():
            server[s, j] += result.values[column]

        def order(location: int, is_server: bool, useful: Ints) -> Iterable[int]:
            share = (server if is_server else client)[location]
            return (int(j) for j in useful[np.argsort(-share[useful], kind="stable")])

        return Answer(
            packed(arrays, order),
            bound=-result.objective,
            build_s=written_s + result.build_s,
            solve_s=result.solve_s,
            solver=result.solver,
        )
