"""Run an onloading algorithm on an instance: time it, offload by the linear program, score by the one evaluator."""

from __future__ import annotations

import platform
import time
from collections.abc import Iterable, Mapping
from dataclasses import replace
from numbers import Integral, Real
from typing import Any

import highspy

from splitshare.errors import WorkError, shown
from splitshare.onloading.arrays import arrays_of
from splitshare.onloading.contract import Answer, OnloadingAlgorithm
from splitshare.onloading.decomposed.whole import Offloaded, by_servers, offload
from splitshare.onloading.instance import PLACES, Onloading, OnloadingDecision, OnloadingInstance
from splitshare.onloading.lp import LpSolution, OffloadingLp
from splitshare.onloading.objective import InfeasibleDecisionError, check_held, evaluate, flows_of, hosts_of
from splitshare.plugins import warm_up
from splitshare.records import Versions
from splitshare.rounding import OBJECTIVE_TOLERANCE
from splitshare.version import __version__


def solve(
    instance: OnloadingInstance, algorithm: OnloadingAlgorithm, *, seed: int = 0, time_limit_s: float | None = None
) -> OnloadingDecision:
    """Decide ``instance`` with ``algorithm``.

    Models that do not fit, batch sizes that are no whole numbers or cannot fill in time, and models by which no
    offloading keeps the side constraints are reported as ``infeasible``, with the rule.

    Raises:
        WorkError: the algorithm changed the instance, or an exact method's objective does not hold.
    """
    warm_up(algorithm)
    digest = instance.sha256()
    started = time.perf_counter()
    answered = algorithm.onload(instance, seed=seed, time_limit=time_limit_s)
    elapsed_s = time.perf_counter() - started
    if instance.sha256() != digest:
        raise WorkError(f"{algorithm.name}: changed the instance {instance.name!r}; algorithms must leave it alone")
    answer = answered if isinstance(answered, Answer) else Answer(None)
    given = answered.onloading if isinstance(answered, Answer) else answered
    # Nothing found in time is no proof that there is nothing.
    found = given is not None or answer.status == "time_limit"
    fields: dict[str, Any] = {"status": answer.status if found else "infeasible"}
    try:
        onloading = normalised(given)
        if onloading is not None:
            fields |= _scored(instance, replace(answer, onloading=onloading))
    except InfeasibleDecisionError as error:
        if answer.objective is not None:
            raise WorkError(f"{algorithm.name} on {instance.name!r}: {error}") from None
        fields = {"status": "infeasible", "reason": str(error)}
    build_s = answer.build_s or 0.0
    nothing = {"onloading": None, "offloading": None, "objective": None, "unserved": None}
    return OnloadingDecision(
        schema_="splitshare.onloading-decision/1",
        instance_sha256=digest,
        algorithm=algorithm.name,
        bound=answer.bound,
        iterations=answer.iterations,
        build_s=build_s,
        solve_s=max(0.0, elapsed_s - build_s) if answer.solve_s is None else answer.solve_s,
        versions=Versions(
            splitshare=__version__,
            python=platform.python_version(),
            solver=answer.solver or f"highs {highspy.Highs().version()}",
        ),
        **(nothing | fields),
    )


def normalised(answer: Any) -> Onloading | None:
    """An algorithm's answer with a batch size for every model; ``None`` stays.

    Raises:
        WorkError: the answer is not models by location.
        InfeasibleDecisionError: a batch size is no whole number.
    """
    if answer is None:
        return None
    if not isinstance(answer, Mapping):
        raise WorkError(f"the answer is not models by location but {type(answer).__name__}")
    onloading: Onloading = {}
    for location, held in answer.items():
        if not isinstance(held, Iterable) or isinstance(held, str):
            raise WorkError(f"the answer has {type(held).__name__} for {location!r}; it must be models, by name")
        models = held.items() if isinstance(held, Mapping) else [(model, 1) for model in held]
        onloading[str(location)] = {str(model): _size(location, model, size) for model, size in models}
    return onloading


def _size(location: object, model: object, size: Any) -> int:
    """A batch size, of whatever type of number, as long as it is whole."""
    if not _whole(size):
        problem = f"the batch size of {model!r} must be a whole number, not {shown(size)}"
        raise InfeasibleDecisionError(f"{location}: {problem}")
    return int(size)


def _whole(size: Any) -> bool:
    return isinstance(size, Integral) or (isinstance(size, Real) and float(size).is_integer())


def _scored(instance: OnloadingInstance, answer: Answer) -> dict[str, Any]:
    """Fields of the decision: offloading by the linear program, worth by the evaluator."""
    assert answer.onloading is not None
    arrays = arrays_of(instance)
    hosts = hosts_of(instance, answer.onloading)
    check_held(arrays, hosts)
    if answer.places == PLACES and by_servers(arrays):
        solution: Offloaded | LpSolution | None = offload(arrays, hosts)
    else:
        solution = OffloadingLp(arrays, answer.places).solve(hosts)
    if solution is None:
        raise InfeasibleDecisionError("some server's batches can never fill in time; use smaller batch sizes")
    worth = evaluate(arrays, hosts, solution.offloading)
    program = solution.right_per_s / arrays.demand
    claimed = answer.objective
    # The objective is a share of all queries: one in a thousand millions is no difference, however few are answered.
    if abs(worth.objective - program) > OBJECTIVE_TOLERANCE * max(worth.objective, 1e-3):
        raise WorkError(f"{instance.name}: the offloading program says {program!r}, the evaluator {worth.objective!r}")
    if claimed is not None and worth.objective < claimed * (1 - OBJECTIVE_TOLERANCE):
        raise WorkError(f"{instance.name}: the solver says {claimed!r}, the evaluator {worth.objective!r}")
    return {
        "onloading": answer.onloading,
        "offloading": flows_of(arrays, solution.offloading),
        "objective": worth.objective,
        "unserved": worth.unserved,
    }
