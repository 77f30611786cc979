"""Contract checks that any placement algorithm can be put through, shipped or somebody's own."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from splitshare.conformance import (
    SLACK_S,
    BrokenError,
    Call,
    Check,
    call,
    deterministic,
    in_short,
    keeps_time_limit,
    leaves_alone,
    renamed,
)
from splitshare.placement.contract import Answer, PlacementAlgorithm
from splitshare.placement.instance import Assignment, PlacementInstance
from splitshare.placement.objective import InfeasiblePlacementError, check, evaluate, normalised
from splitshare.placement.random_instances import Shape, random_fields, random_instances
from splitshare.placement.variants import apply_variant

MIDDLING = Shape(devices=(4, 5), modules=(12, 15), requests=(4, 6), heads=4)
"""About the size of the catalogue's largest instances."""
LARGE = Shape(devices=(8, 8), modules=(30, 30), requests=(16, 16), heads=6, missing_compute=0.0, missing_links=0.0)
"""Larger than a slow algorithm can do within the limit."""


class _PlacementContract:
    """How a placement algorithm is asked, and what its answer must be."""

    def prepared(self, algorithm: PlacementAlgorithm, base: PlacementInstance) -> PlacementInstance:
        # A copy: what one call does to its instance must not reach the next.
        return apply_variant(base.model_copy(deep=True), getattr(algorithm, "variant", None))

    def ask(
        self, algorithm: PlacementAlgorithm, instance: PlacementInstance, *, seed: int, time_limit: float | None
    ) -> Any:
        return algorithm.place(instance, seed=seed, time_limit=time_limit)

    def decided(self, answer: Any) -> Assignment | None:
        assignment = answer.assignment if isinstance(answer, Answer) else answer
        if assignment is None:
            return None
        if not _has_form(assignment):
            raise BrokenError(f"the answer is not a device, or devices, by module: {in_short(answer)}")
        return normalised(assignment)

    def hold(self, instance: PlacementInstance, decided: Assignment) -> None:
        try:
            evaluate(instance, decided)
        except InfeasiblePlacementError as error:
            raise BrokenError(f"{instance.name}: not feasible, and not said so (answer None then): {error}") from None


CONTRACT = _PlacementContract()


def _has_form(assignment: Any) -> bool:
    if not isinstance(assignment, Mapping):
        return False
    hosts = [(hosts,) if isinstance(hosts, str) else hosts for hosts in assignment.values()]
    return all(isinstance(module, str) for module in assignment) and all(
        isinstance(h, Sequence) and all(isinstance(device, str) for device in h) for h in hosts
    )


def _call(algorithm: PlacementAlgorithm, base: PlacementInstance) -> Call[PlacementInstance]:
    return call(CONTRACT, algorithm, base)


def _feasible(answered: Call[PlacementInstance], name: str, *, must: bool = False) -> bool:
    """Whether the call found a placement, which must hold by the evaluator.

    Raises:
        BrokenError: the placement does not hold, or there is none though there ``must`` be one.
    """
    if answered.decided is None:
        if must:
            raise BrokenError(f"{name}: no placement, though everything fits everywhere")
        return False
    CONTRACT.hold(answered.instance, answered.decided)
    return True


def _check_feasible(algorithm: PlacementAlgorithm) -> str:
    instances = [*random_instances(range(12)), *random_instances(range(3), MIDDLING)]
    feasible = sum(_feasible(_call(algorithm, i), i.name) for i in instances)
    return f"{feasible} feasible placements of {len(instances)} random instances, none for the others"


def _check_roomy(algorithm: PlacementAlgorithm) -> str:
    _feasible(_call(algorithm, _roomy(devices=3, modules=6)), "roomy", must=True)
    return "a feasible placement where everything fits everywhere"


def _check_deterministic(algorithm: PlacementAlgorithm) -> str:
    instances = [_roomy(devices=4, modules=8), *random_instances(range(20, 22))]
    return deterministic(CONTRACT, algorithm, instances, differs="place modules differently", same="placements")


def _check_untouched(algorithm: PlacementAlgorithm) -> str:
    instances = [_roomy(devices=3, modules=6), _crowded(), *random_instances(range(30, 32))]
    return leaves_alone(CONTRACT, algorithm, instances)


def _check_time_limit(algorithm: PlacementAlgorithm) -> str:
    (large,) = random_instances([2], LARGE, routing="parallel", replication=False, objective="mean")
    size = f"{len(large.modules)} modules on {len(large.devices)} devices"
    return keeps_time_limit(CONTRACT, algorithm, _roomy(devices=2, modules=3), large, size)


def _check_one_module(algorithm: PlacementAlgorithm) -> str:
    _feasible(_call(algorithm, _roomy(devices=2, modules=1)), "one module", must=True)
    return "one module, encoder and head at once, is placed"


def _check_one_device(algorithm: PlacementAlgorithm) -> str:
    _feasible(_call(algorithm, _roomy(devices=1, modules=4)), "one device", must=True)
    return "everything stands on the one device"


def _check_infeasible(algorithm: PlacementAlgorithm) -> str:
    for base in (_crowded(), _crowded(each_fits=True)):
        if _call(algorithm, base).decided is not None:
            raise BrokenError(f"{base.name}: a placement, though there is none that is feasible (answer None then)")
    return "no placement where none is feasible"


def _check_replication(algorithm: PlacementAlgorithm) -> str:
    instances = [
        _roomy(devices=3, modules=6, replication=True),
        *random_instances(range(40, 44), replication=True),
    ]
    feasible = sum(_feasible(_call(algorithm, i), i.name, must=k == 0) for k, i in enumerate(instances))
    return f"{feasible} feasible placements of {len(instances)} instances that allow several devices a module"


def _check_names(algorithm: PlacementAlgorithm) -> str:
    names = {"m0": "ViT-B.16@vision+text", "m1": "0", "d0": "Jetson_Nano-2", "d1": "m0"}
    base = _roomy(devices=2, modules=2, names=names)
    answered = _call(algorithm, base)
    if answered.decided is not None:
        try:
            check(answered.instance, answered.decided)
        except InfeasiblePlacementError as error:
            raise BrokenError(f"{base.name}: {error}") from None
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
    return PlacementInstance.parse(renamed(fields, names or {}), "roomy")


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
