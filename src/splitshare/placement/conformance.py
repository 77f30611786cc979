"""Contract checks that any placement algorithm can be put through, shipped or somebody's own.

Each check brings its own small instances and answers with a result instead of raising. The algorithm runs in this
process; a call that does not come back is interrupted where the platform allows it (Unix, main thread, Python code).
Code that nobody has vetted belongs in a process of its own, see ``splitshare.sandbox``. What differs from process to
process only, such as the order of a set, cannot be seen from inside one.
"""

from __future__ import annotations

import math
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from splitshare.placement.contract import Answer, PlacementAlgorithm
from splitshare.placement.instance import Assignment, PlacementInstance
from splitshare.placement.objective import InfeasiblePlacementError, check, evaluate, normalised
from splitshare.placement.random_instances import Shape, random_fields, random_instances
from splitshare.placement.variants import apply_variant

TIME_LIMIT_S = 1.0
"""Limit that the check of time limits sets."""
SLACK_S = 2.0
"""Seconds over its limit that an algorithm may take: machines are busy and solvers finish what they began."""
PATIENCE_S = 10.0
"""Seconds that a call on a small instance may take without a limit."""

MIDDLING = Shape(devices=(4, 5), modules=(12, 15), requests=(4, 6), heads=4)
"""About the size of the catalogue's largest instances."""
LARGE = Shape(devices=(8, 8), modules=(30, 30), requests=(16, 16), heads=6, missing_compute=0.0, missing_links=0.0)
"""Larger than a slow algorithm can do within the limit."""


@dataclass(frozen=True)
class CheckResult:
    """What a check found."""

    check: str
    passed: bool
    message: str
    """What was seen, or what is wrong and on which instance."""


@dataclass(frozen=True)
class Check:
    """A named check of the contract."""

    name: str
    demands: str
    """What the check asks of an algorithm, in a sentence."""
    run: Callable[[PlacementAlgorithm], str]
    """Returns what was seen; raises ``_BrokenError`` with what is wrong."""


def run_checks(algorithm: PlacementAlgorithm, checks: Sequence[Check] | None = None) -> list[CheckResult]:
    """Put ``algorithm`` through the contract; a result a check, in order, whatever the algorithm does.

    Args:
        algorithm: the algorithm.
        checks: which checks; all of ``CHECKS`` by default.
    """
    results: list[CheckResult] = []
    for one in CHECKS if checks is None else checks:
        try:
            results.append(CheckResult(one.name, True, one.run(algorithm)))
        except _BrokenError as broken:
            results.append(CheckResult(one.name, False, str(broken)))
    return results


class _BrokenError(Exception):
    """The contract is broken; says how."""


class _Overran(BaseException):
    """Interrupts a call; not an ``Exception``, so that algorithms which catch those are interrupted too."""


@dataclass(frozen=True)
class _Call:
    """A call that came back with an answer of the right form."""

    instance: PlacementInstance
    """The instance that was to be solved, the algorithm's variant applied."""
    assignment: Assignment | None
    elapsed_s: float


def _call(
    algorithm: PlacementAlgorithm,
    base: PlacementInstance,
    *,
    seed: int = 0,
    time_limit: float | None = None,
    patience_s: float = PATIENCE_S,
) -> _Call:
    """Call the algorithm and look at the form of its answer.

    Raises:
        _BrokenError: it raises, does not come back, or answers something that is no placement.
    """
    # A copy: what one call does to its instance must not reach the next.
    instance = apply_variant(base.model_copy(deep=True), getattr(algorithm, "variant", None))
    started = time.perf_counter()
    try:
        with _interrupted_after(patience_s):
            answer = algorithm.place(instance, seed=seed, time_limit=time_limit)
    except _Overran:
        limit = "no time limit" if time_limit is None else f"a time limit of {time_limit:g} s"
        raise _BrokenError(f"{base.name}: no answer after {patience_s:g} s, with {limit}") from None
    except (Exception, SystemExit) as error:  # an algorithm may raise anything; that is what is reported
        raise _BrokenError(f"{base.name}: raised {type(error).__name__}: {error}") from error
    elapsed_s = time.perf_counter() - started
    assignment = answer.assignment if isinstance(answer, Answer) else answer
    if assignment is None:
        return _Call(instance, None, elapsed_s)
    if not _has_form(assignment):
        raise _BrokenError(f"{base.name}: the answer is not a device, or devices, by module: {_shown(answer)}")
    return _Call(instance, normalised(assignment), elapsed_s)


def _has_form(assignment: Any) -> bool:
    if not isinstance(assignment, Mapping):
        return False
    hosts = [(hosts,) if isinstance(hosts, str) else hosts for hosts in assignment.values()]
    return all(isinstance(module, str) for module in assignment) and all(
        isinstance(h, Sequence) and all(isinstance(device, str) for device in h) for h in hosts
    )


def _shown(value: Any) -> str:
    text = " ".join(repr(value).split())
    return text if len(text) <= 80 else text[:77] + "..."


@contextmanager
def _interrupted_after(seconds: float) -> Iterator[None]:
    """Raise ``_Overran`` in the block after ``seconds``, where signals can do that; otherwise wait for its end."""
    if threading.current_thread() is not threading.main_thread() or not hasattr(signal, "setitimer"):
        yield
        return

    def stop(number: int, frame: Any) -> None:
        raise _Overran

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _feasible(call: _Call, name: str, *, must: bool = False) -> bool:
    """Whether the call found a placement, which must hold by the evaluator.

    Raises:
        _BrokenError: the placement does not hold, or there is none though there ``must`` be one.
    """
    if call.assignment is None:
        if must:
            raise _BrokenError(f"{name}: no placement, though everything fits everywhere")
        return False
    try:
        evaluate(call.instance, call.assignment)
    except InfeasiblePlacementError as error:
        raise _BrokenError(f"{name}: not feasible, and not said so (answer None then): {error}") from None
    return True


def _check_feasible(algorithm: PlacementAlgorithm) -> str:
    instances = [*random_instances(range(12)), *random_instances(range(3), MIDDLING)]
    found = sum(_feasible(_call(algorithm, i), i.name) for i in instances)
    return f"{found} feasible placements of {len(instances)} random instances, none for the others"


def _check_roomy(algorithm: PlacementAlgorithm) -> str:
    _feasible(_call(algorithm, _roomy(devices=3, modules=6)), "roomy", must=True)
    return "a feasible placement where everything fits everywhere"


def _check_deterministic(algorithm: PlacementAlgorithm) -> str:
    instances = [_roomy(devices=4, modules=8), *random_instances(range(20, 22))]
    runs = [(instance, seed) for instance in instances for seed in (0, 1)]
    # Each run twice: the first at once, all of them in the reverse order, so that what a call leaves behind shows.
    order = [0, 0, *range(1, len(runs)), *reversed(range(len(runs)))]
    first: dict[int, Assignment | None] = {}
    for k in order:
        instance, seed = runs[k]
        assignment = _call(algorithm, instance, seed=seed).assignment
        if first.setdefault(k, assignment) != assignment:
            raise _BrokenError(f"{instance.name}: two runs with seed {seed} place modules differently")
    varied = "agree" if all(first[k] == first[k + 1] for k in range(0, len(runs), 2)) else "differ"
    return f"the same placements twice with the same seed; those of two seeds {varied}"


def _check_untouched(algorithm: PlacementAlgorithm) -> str:
    instances = [_roomy(devices=3, modules=6), _crowded(), *random_instances(range(30, 32))]
    for base in instances:
        digest = apply_variant(base, getattr(algorithm, "variant", None)).sha256()
        call = _call(algorithm, base)
        if call.instance.sha256() != digest:
            raise _BrokenError(f"{base.name}: the instance is not what it was before the call")
    return f"{len(instances)} instances are as they were"


def _check_time_limit(algorithm: PlacementAlgorithm) -> str:
    allowed_s = TIME_LIMIT_S + SLACK_S
    _call(algorithm, _roomy(devices=2, modules=3), time_limit=TIME_LIMIT_S)  # imports and compilation are not counted
    (large,) = random_instances([2], LARGE, routing="parallel", replication=False, objective="mean")
    call = _call(algorithm, large, time_limit=TIME_LIMIT_S, patience_s=allowed_s)
    if call.elapsed_s > allowed_s:
        raise _BrokenError(f"{large.name}: took {call.elapsed_s:.2f} s with a time limit of {TIME_LIMIT_S:g} s")
    _feasible(call, large.name)
    modules, devices = len(large.modules), len(large.devices)
    return f"{call.elapsed_s:.2f} s for {modules} modules on {devices} devices, of {TIME_LIMIT_S:g} s + {SLACK_S:g} s"


def _check_one_module(algorithm: PlacementAlgorithm) -> str:
    _feasible(_call(algorithm, _roomy(devices=2, modules=1)), "one module", must=True)
    return "one module, encoder and head at once, is placed"


def _check_one_device(algorithm: PlacementAlgorithm) -> str:
    _feasible(_call(algorithm, _roomy(devices=1, modules=4)), "one device", must=True)
    return "everything stands on the one device"


def _check_infeasible(algorithm: PlacementAlgorithm) -> str:
    for base in (_crowded(), _crowded(each_fits=True)):
        call = _call(algorithm, base)
        if call.assignment is not None:
            raise _BrokenError(f"{base.name}: a placement, though there is none that is feasible (answer None then)")
    return "no placement where none is feasible"


def _check_replication(algorithm: PlacementAlgorithm) -> str:
    instances = [
        _roomy(devices=3, modules=6, replication=True),
        *random_instances(range(40, 44), replication=True),
    ]
    found = sum(_feasible(_call(algorithm, i), i.name, must=k == 0) for k, i in enumerate(instances))
    return f"{found} feasible placements of {len(instances)} instances that allow several devices a module"


def _check_names(algorithm: PlacementAlgorithm) -> str:
    names = {"m0": "ViT-B.16@vision+text", "m1": "0", "d0": "Jetson_Nano-2", "d1": "m0"}
    base = _roomy(devices=2, modules=2, names=names)
    call = _call(algorithm, base)
    if call.assignment is not None:
        try:
            check(call.instance, call.assignment)
        except InfeasiblePlacementError as error:
            raise _BrokenError(f"{base.name}: {error}") from None
    return "modules and devices by their own names, every module once"


CHECKS: tuple[Check, ...] = (
    Check("known-names", "answers with the instance's own names, whatever they are", _check_names),
    Check("feasible", "answers with feasible placements, or honestly with none", _check_feasible),
    Check("roomy", "finds a placement where everything fits everywhere", _check_roomy),
    Check("one-module", "handles an instance of one module", _check_one_module),
    Check("one-device", "handles an instance of one device", _check_one_device),
    Check("no-feasible-placement", "answers None where nothing is feasible", _check_infeasible),
    Check("replication", "accepts instances that allow replication, with one or several devices", _check_replication),
    Check("deterministic", "answers the same for the same seed", _check_deterministic),
    Check("leaves-the-instance", "leaves the instance alone", _check_untouched),
    Check("time-limit", f"keeps its time limit, {SLACK_S:g} s aside", _check_time_limit),
)
"""All checks, the quickest first."""


def _roomy(
    *, devices: int, modules: int, replication: bool = False, names: Mapping[str, str] | None = None
) -> PlacementInstance:
    """An instance where any placement is feasible, asked from one source; the last device is a cloud's."""
    shape = Shape((devices, devices), (max(2, modules),) * 2, (2, 2), missing_compute=0.0, missing_links=0.0)
    fields = random_fields(7, shape, name="roomy", replication=replication, routing="parallel", objective="mean")
    for device in fields["devices"]:
        device["memory_bytes"] = 1e6
    fields["devices"][-1]["tier"] = "cloud"
    for request in fields["requests"]:
        request["source"] = "d0"
        if modules == 1:
            request["encoders"] = [{"module": "m0", "input_bytes": 10}]
    fields["modules"] = fields["modules"][:modules]
    return PlacementInstance.parse(_renamed(fields, names or {}), "roomy")


def _crowded(*, each_fits: bool = False) -> PlacementInstance:
    """An instance without a feasible placement: a module fits nowhere, or each does but not all together."""
    name = "too-many-modules" if each_fits else "too-large-a-module"
    fields = _roomy(devices=2, modules=4).model_dump(mode="json", by_alias=True) | {"name": name}
    for device in fields["devices"]:
        device["memory_bytes"] = 100.0
    for module in fields["modules"]:
        module["memory_bytes"] = 60.0 if each_fits else 10.0
    if not each_fits:
        fields["modules"][0]["memory_bytes"] = math.nextafter(100.0, math.inf)
    return PlacementInstance.parse(fields, name)


def _renamed(value: Any, names: Mapping[str, str]) -> Any:
    """Plain data with names replaced wherever they stand, as keys too."""
    match value:
        case dict():
            return {names.get(key, key): _renamed(inner, names) for key, inner in value.items()}
        case list():
            return [_renamed(inner, names) for inner in value]
        case str():
            return names.get(value, value)
    return value
