"""The optimum, proved by a solver."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import ClassVar

from splitshare.choices import Solver
from splitshare.errors import WorkError
from splitshare.onloading import exact
from splitshare.onloading.arrays import arrays_of
from splitshare.onloading.contract import Answer
from splitshare.onloading.instance import Onloading, OnloadingInstance
from splitshare.onloading.j3o import tiny
from splitshare.onloading.objective import evaluate, onloading_of
from splitshare.parameters import MOST_THREADS, check_within
from splitshare.rounding import OBJECTIVE_TOLERANCE
from splitshare.solvers.exchange import NamedProgram, column_names
from splitshare.solvers.milp import solve_milp


@dataclass(frozen=True)
class Solved:
    """An answer that another solver found."""

    onloading: Onloading
    name: ClassVar[str] = "solved-elsewhere"

    def onload(self, instance: OnloadingInstance, *, seed: int, time_limit: float | None) -> Onloading:
        """Answer it."""
        return self.onloading


@dataclass(frozen=True)
class Optimum:
    """The exact mixed-integer program of ``splitshare.onloading.exact``, solved by the named solver.

    It is solved to a relative gap of ``gap``, by default both solvers' own.
    """

    name: ClassVar[str] = "optimum"
    solver: Solver = "highs"
    threads: int = 1
    gap: float = exact.RELATIVE_GAP

    def __post_init__(self) -> None:
        check_within(1, MOST_THREADS, threads=self.threads)
        check_within(0, gap=self.gap)

    def warm_up(self) -> None:
        """Write and solve a tiny program: the first call loads the solver's libraries and what is compiled."""
        solve_milp(exact.build(arrays_of(tiny())).milp, solver=self.solver)

    def onload(self, instance: OnloadingInstance, *, seed: int, time_limit: float | None) -> Answer:
        """Solve to a proved optimum, or to the best that the time limit allows.

        Raises:
            WorkError: the solver's answer does not hold by the evaluator.
        """
        started = time.perf_counter()
        arrays = arrays_of(instance)
        model = exact.build(arrays)
        written_s = time.perf_counter() - started
        result = solve_milp(
            model.milp,
            solver=self.solver,
            time_limit_s=time_limit,
            seed=seed,
            threads=self.threads,
            relative_gap=self.gap,
        )
        onloading = objective = None
        if result.values is not None and result.objective is not None:
            hosts = model.hosts(result.values)
            objective = 0.0 - result.objective
            worth = evaluate(arrays, hosts, model.offloading(result.values)).objective
            if abs(worth - objective) > OBJECTIVE_TOLERANCE * max(worth, 1e-9):
                raise WorkError(f"{instance.name}: {self.solver} says {objective!r}, the evaluator {worth!r}")
            onloading = onloading_of(instance, hosts)
        return Answer(
            onloading=onloading,
            status=result.status,
            bound=None if result.bound is None else 0.0 - result.bound,
            objective=objective,
            build_s=written_s + result.build_s,
            solve_s=result.solve_s,
            solver=result.solver,
        )

    def program(self, instance: OnloadingInstance) -> NamedProgram:
        """The program that ``onload`` solves, which minimises the accuracy's negative.

        ``client/<client>/<model>`` is 1 where a client holds a model, ``server/<server>/<model>/<size>`` where a server
        holds one and takes queries in batches of that size.
        """
        model = exact.build(arrays_of(instance))
        clients, servers, models, batches = (
            [str(getattr(entry, field)) for entry in entries]
            for entries, field in (
                (instance.clients, "name"),
                (instance.servers, "name"),
                (instance.models, "name"),
                (instance.batches, "size"),
            )
        )
        meaning = {column: f"client/{clients[c]}/{models[j]}" for (c, j), column in model.client_column.items()}
        meaning |= {
            column: f"server/{servers[s]}/{models[j]}/{batches[b]}" for (s, j, b), column in model.server_column.items()
        }
        program = model.milp.program()
        return NamedProgram(
            program,
            column_names(program.columns, meaning),
            lambda values: Solved(onloading_of(instance, model.hosts(values))),
        )
