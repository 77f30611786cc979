"""Contract checks that any onloading algorithm can be put through, shipped or somebody's own (ours)."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import Any

from splitshare.conformance import (
    SLACK_S,
    BrokenError,
    Check,
    call,
    deterministic,
    in_short,
    keeps_time_limit,
    leaves_alone,
    renamed,
)
from splitshare.onloading.arrays import arrays_of
from splitshare.onloading.contract import Answer, OnloadingAlgorithm
from splitshare.onloading.instance import Onloading, OnloadingInstance
from splitshare.onloading.lp import OffloadingLp
from splitshare.onloading.objective import InfeasibleDecisionError, check_held, hosts_of
from splitshare.onloading.run import normalised


class _OnloadingContract:
    """How an onloading algorithm is asked, and what its answer must be."""

    def prepared(self, algorithm: OnloadingAlgorithm, base: OnloadingInstance) -> OnloadingInstance:
        return base.model_copy(deep=True)  # what one call does to its instance must not reach the next

    def ask(
        self, algorithm: OnloadingAlgorithm, instance: OnloadingInstance, *, seed: int, time_limit: float | None
    ) -> Any:
        return algorithm.onload(instance, seed=seed, time_limit=time_limit)

    def decided(self, answer: Any) -> Onloading | None:
        onloading = answer.onloading if isinstance(answer, Answer) else answer
        if onloading is None:
            return None
        if not _has_form(onloading):
            raise BrokenError(f"the answer is not models, with batch sizes or not, by location: {in_short(answer)}")
        return normalised(onloading)

    def hold(self, instance: OnloadingInstance, decided: Onloading) -> None:
        arrays = arrays_of(instance)
        try:
            hosts = hosts_of(instance, decided)
            check_held(arrays, hosts)
        except InfeasibleDecisionError as error:
            raise BrokenError(f"{instance.name}: {error}") from None
        if OffloadingLp(arrays).solve(hosts) is None:
            raise BrokenError(f"{instance.name}: some server's batches can never fill in time; use smaller batch sizes")


CONTRACT = _OnloadingContract()


def _has_form(onloading: Any) -> bool:
    return isinstance(onloading, Mapping) and all(
        isinstance(location, str)
        and isinstance(held, Mapping | Sequence)
        and not isinstance(held, str)
        and all(isinstance(model, str) for model in held)
        and (not isinstance(held, Mapping) or all(type(size) is int for size in held.values()))
        for location, held in onloading.items()
    )


def _held(algorithm: OnloadingAlgorithm, instances: Sequence[OnloadingInstance]) -> int:
    """How many models are held on all instances together.

    Raises:
        BrokenError: an answer breaks a rule, or is ``None``.
    """
    held = 0
    for base in instances:
        answered = call(CONTRACT, algorithm, base)
        if answered.decided is None:
            raise BrokenError(f"{base.name}: None, though holding no model is always feasible (answer {{}} then)")
        CONTRACT.hold(answered.instance, answered.decided)
        held += sum(len(models) for models in answered.decided.values())
    return held


def _check_feasible(algorithm: OnloadingAlgorithm) -> str:
    instances = [*(_tiny(seed) for seed in range(8)), *(_tiny(seed, clients=6, servers=2) for seed in range(8, 12))]
    return f"{_held(algorithm, instances)} models on {len(instances)} random instances, all within memory"


def _check_batching(algorithm: OnloadingAlgorithm) -> str:
    instances = [_tiny(seed, clients=4, models=4, batching=True) for seed in range(20, 26)]
    return f"{_held(algorithm, instances)} models on {len(instances)} instances that offer batches"


def _check_backbones(algorithm: OnloadingAlgorithm) -> str:
    instances = [_sharing(seed) for seed in range(50, 56)]
    return f"{_held(algorithm, instances)} models on {len(instances)} instances, all within memory"


def _check_variants(algorithm: OnloadingAlgorithm) -> str:
    instances = [_varied(seed) for seed in range(60, 66)]
    return f"{_held(algorithm, instances)} models on {len(instances)} instances, no two variants of one at a place"


def _check_smallest(algorithm: OnloadingAlgorithm) -> str:
    return f"{_held(algorithm, [_tiny(1, clients=1, models=1)])} models with one client, one server, one model"


def _check_no_room(algorithm: OnloadingAlgorithm) -> str:
    fields = _fields(2, clients=3) | {"name": "no-room"}
    for location in (*fields["clients"], *fields["servers"]):
        location["memory_bytes"] = 1.0
    if _held(algorithm, [OnloadingInstance.parse(fields, "no-room")]):
        raise BrokenError("no-room: holds models that fit nowhere")
    return "nothing is held where nothing fits"


def _check_names(algorithm: OnloadingAlgorithm) -> str:
    fields = renamed(_fields(3), {"m0": "ViT-B.16@vision", "m1": "0", "c0": "m0", "s0": "Jetson_Nano-2"})
    return f"{_held(algorithm, [OnloadingInstance.parse(fields, 'names')])} models, all by their own names"


def _check_deterministic(algorithm: OnloadingAlgorithm) -> str:
    instances = [_tiny(seed, clients=3, batching=seed % 2 == 0) for seed in range(30, 34)]
    return deterministic(CONTRACT, algorithm, instances, differs="hold other models", same="decisions")


def _check_untouched(algorithm: OnloadingAlgorithm) -> str:
    return leaves_alone(CONTRACT, algorithm, [_tiny(seed, batching=seed % 2 == 0) for seed in range(40, 44)])


def _check_time_limit(algorithm: OnloadingAlgorithm) -> str:
    large = _tiny(5, clients=60, servers=6, models=20, batching=True)
    size = f"{len(large.clients)} clients, {len(large.servers)} servers and {len(large.models)} models"
    return keeps_time_limit(CONTRACT, algorithm, _tiny(6), large, size)


CHECKS: tuple[Check, ...] = (
    Check("known-names", "answers with the instance's own names, whatever they are", _check_names),
    Check("smallest", "handles one client, one server and one model", _check_smallest),
    Check("no-room", "holds nothing where nothing fits", _check_no_room),
    Check("feasible", "holds no more than memory allows", _check_feasible),
    Check("batching", "uses the batch sizes that are offered, and such that can fill", _check_batching),
    Check("backbones", "counts a backbone that models share as what it takes: once at each place", _check_backbones),
    Check("variants", "holds at most one variant of a model at each place", _check_variants),
    Check("deterministic", "answers the same for the same seed", _check_deterministic),
    Check("leaves-the-instance", "leaves the instance alone", _check_untouched),
    Check("time-limit", f"keeps its time limit, {SLACK_S:g} s aside", _check_time_limit),
)
"""All checks, the quickest first."""


def _tiny(seed: int, **shape: Any) -> OnloadingInstance:
    return OnloadingInstance.parse(_fields(seed, **shape), f"seed {seed}")


def _sharing(seed: int) -> OnloadingInstance:
    """An instance of four models, of which the last three share a backbone that takes more than they do."""
    fields = _fields(seed, clients=3, models=4)
    draw = random.Random(f"contract backbones {seed}")
    for model in fields["models"][1:]:
        model |= {"backbone": "b0", "memory_bytes": draw.choice([3.0, 6.0])}
    fields["backbones"] = [{"name": "b0", "memory_bytes": draw.choice([14.0, 25.0])}]
    return OnloadingInstance.parse(fields, f"seed {seed}")


def _varied(seed: int) -> OnloadingInstance:
    """An instance of four models, of which the last three are variants of one, small enough to stand together."""
    fields = _fields(seed, clients=3, models=4)
    draw = random.Random(f"contract variants {seed}")
    for model in fields["models"][1:]:
        model |= {"variant_of": "v", "memory_bytes": draw.choice([3.0, 6.0, 12.0])}
    return OnloadingInstance.parse(fields, f"seed {seed}")


def _fields(
    seed: int, *, clients: int = 2, servers: int = 1, models: int = 3, batching: bool = False
) -> dict[str, Any]:
    """Plain data of a seeded instance of two tasks, with memory, computing and links scarce."""
    draw = random.Random(f"contract {seed}")
    tasks = ["t0", "t1"]
    served = [tasks, *(draw.sample(tasks, draw.randint(1, 2)) for _ in range(models - 1))]
    slowness = {"client": 3.0, "edge": 1.0, "cloud": 0.5}
    return {
        "schema": "splitshare.onloading-instance/1",
        "name": f"contract-{seed}",
        "batches": [{"size": 1, "wait_s": 0.0}] + ([{"size": 4, "wait_s": 0.3}] if batching else []),
        "tasks": [{"name": task, "query_bytes": 400.0, "latency_limit_s": draw.choice([0.6, 1.0])} for task in tasks],
        "models": [
            {
                "name": f"m{j}",
                "memory_bytes": draw.choice([10.0, 20.0, 30.0]),
                "accuracy": {task: round(draw.uniform(0.3, 0.95), 3) for task in tasks_of_model},
                "compute": {
                    device: {
                        "start_s": round(draw.uniform(0, 0.02) * factor, 4),
                        "per_query_s": round(draw.uniform(0.005, 0.05) * factor, 4),
                    }
                    for device, factor in slowness.items()
                },
            }
            for j, tasks_of_model in enumerate(served)
        ],
        "cloud": {"device": "cloud", "compute_limit": 0.05 * clients},
        "servers": [
            {
                "name": f"s{s}",
                "device": "edge",
                "memory_bytes": draw.choice([30.0, 40.0]),
                "compute_limit": 0.5,
                "backhaul_bytes_per_s": 2000.0,
                "backhaul_latency_s": 0.02,
            }
            for s in range(servers)
        ],
        "clients": [
            {
                "name": f"c{c}",
                "server": f"s{c % servers}",
                "device": "client",
                "memory_bytes": draw.choice([10.0, 20.0, 30.0]),
                "compute_limit": 0.5,
                "uplink_bytes_per_s": draw.choice([2000.0, 5000.0]),
                "uplink_latency_s": 0.01,
                "demand_per_s": {task: draw.choice([1.0, 6.0, 10.0]) for task in tasks},
            }
            for c in range(clients)
        ],
    }
