"""Run an algorithm on an instance: time it, check it, score it with the one evaluator."""

from __future__ import annotations

import platform
import time

from splitshare.choices import Status
from splitshare.errors import WorkError
from splitshare.placement.contract import Answer, PlacementAlgorithm
from splitshare.placement.instance import Placement, PlacementInstance
from splitshare.placement.objective import InfeasiblePlacementError, evaluate, normalised
from splitshare.placement.variants import apply_variant
from splitshare.plugins import warm_up
from splitshare.records import Versions
from splitshare.rounding import OBJECTIVE_TOLERANCE
from splitshare.version import __version__


def solve(
    instance: PlacementInstance,
    algorithm: PlacementAlgorithm,
    *,
    seed: int = 0,
    time_limit_s: float | None = None,
) -> Placement:
    """Place the modules of ``instance`` with ``algorithm``.

    A heuristic that finds nothing, or whose answer breaks a rule because the instance leaves it no choice (``local``
    on a device that is too small), is reported as ``infeasible``: that is an answer. An exact method's answer that
    the evaluator does not confirm is an error.

    Raises:
        WorkError: the algorithm changed the instance, or an exact method's objective or feasibility does not hold.
    """
    warm_up(algorithm)
    variant = getattr(algorithm, "variant", None)
    solved = apply_variant(instance, variant)
    digest = solved.sha256()
    started = time.perf_counter()
    answer = algorithm.place(solved, seed=seed, time_limit=time_limit_s)
    elapsed_s = time.perf_counter() - started
    if solved.sha256() != digest:
        raise WorkError(f"{algorithm.name}: changed the instance {instance.name!r}; algorithms must leave it alone")
    if not isinstance(answer, Answer):
        assignment = None if answer is None else normalised(answer)
        status: Status = "infeasible" if answer is None else "feasible"
        answer = Answer(assignment, status, solve_s=elapsed_s)
    status, objective, reason = answer.status, None, None
    if answer.assignment is not None:
        try:
            objective = evaluate(solved, answer.assignment).objective
        except InfeasiblePlacementError as error:
            if answer.objective is not None:
                raise WorkError(f"{algorithm.name} on {instance.name!r}: {error}") from None
            status, reason = "infeasible", str(error)
        else:
            _confirm(algorithm.name, instance.name, answer, objective)
    return Placement(
        schema_="splitshare.placement/1",
        instance_sha256=instance.sha256(),
        algorithm=algorithm.name,
        variant=variant,
        status=status,
        reason=reason,
        assignment=None if objective is None else answer.assignment,
        objective=objective,
        bound=answer.bound,
        build_s=answer.build_s,
        solve_s=answer.solve_s,
        versions=Versions(splitshare=__version__, python=platform.python_version(), solver=answer.solver),
    )


def objective_of(instance: PlacementInstance, algorithm: PlacementAlgorithm, *, seed: int = 0) -> float | None:
    """Seconds of an algorithm's placement, an exact method's proved; ``None``: it finds none.

    Raises:
        WorkError: an exact method did not get to its proof; else as ``solve``.
    """
    placement = solve(instance, algorithm, seed=seed)
    if placement.status == "time_limit":
        raise WorkError(f"{instance.name}: {algorithm.name} ends with {placement.status}, which proves nothing")
    return placement.objective


def _confirm(algorithm: str, instance: str, answer: Answer, evaluated: float) -> None:
    """Hold the method's own objective against the evaluator's.

    A program that was stopped may send requests by slower routes than its placement allows, and so claim more.
    """
    claimed = answer.objective
    if claimed is None or (answer.status == "time_limit" and claimed > evaluated):
        return
    if abs(claimed - evaluated) > OBJECTIVE_TOLERANCE * max(abs(evaluated), 1e-12):
        raise WorkError(
            f"{algorithm} on {instance!r}: the solver's objective {claimed!r} is not the evaluator's {evaluated!r}"
        )
