"""Seeded random placement instances, for tests, contract checks and trials beyond the catalogue (ours).

Times are of the order of a second and sizes of a hundred bytes; nothing in them is measured. Memory is tight, links
and compute times are missing here and there, so that some instances have no feasible placement.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from splitshare.errors import InputError
from splitshare.placement.instance import PlacementInstance


@dataclass(frozen=True)
class Shape:
    """How large random instances are and how much is missing; ranges are inclusive."""

    devices: tuple[int, int] = (1, 3)
    modules: tuple[int, int] = (2, 5)
    requests: tuple[int, int] = (1, 3)
    heads: int = 1
    """How many of the modules are heads; fewer than the fewest modules."""
    most_encoders: int = 3
    missing_compute: float = 0.1
    """Probability that a module cannot run on a device."""
    missing_links: float = 0.1
    """Probability that two devices have no link."""
    half_precision: float = 0.0
    """Probability that a device holds modules in half their memory."""


TINY = Shape()
"""Small enough to try every placement."""

STUDY = Shape(
    devices=(4, 6), modules=(8, 14), requests=(4, 8), heads=4, most_encoders=3, missing_compute=0.05, missing_links=0.05
)
"""As large as the catalogue's instances, with more choice: greedy answers are rarely optimal."""


# Long: one field of the instance after the other; the order of the draws is part of what a seed means.
def random_fields(seed: int, shape: Shape = TINY, **fixed: Any) -> dict[str, Any]:
    """Plain data of the instance of ``seed``, the same on every machine; ``fixed`` replaces whole fields."""
    draw = random.Random(seed)
    devices = [f"d{i}" for i in range(draw.randint(*shape.devices))]
    modules = [f"m{i}" for i in range(draw.randint(*shape.modules))]

    def compute(missing: float) -> dict[str, float | None]:
        return {d: None if draw.random() < missing else draw.random() for d in devices}

    def encoder(module: str) -> dict[str, Any]:
        use: dict[str, Any] = {"module": module, "input_bytes": draw.choice([0, 10, 100])}
        if draw.random() < 0.3:
            use["compute_s"] = compute(0.0)
        if draw.random() < 0.3:
            use["output_bytes"] = 5
        return use

    def encoders() -> list[dict[str, Any]]:
        towers = modules[shape.heads :]
        return [encoder(m) for m in draw.sample(towers, draw.randint(1, min(shape.most_encoders, len(towers))))]

    fields: dict[str, Any] = {
        "schema": "splitshare.placement-instance/1",
        "name": f"random-{seed}",
        "objective": draw.choice(["mean", "max"]),
        "replication": draw.random() < 0.3,
        "routing": draw.choice(["parallel", "parallel", "sequential"]),
        "devices": [{"name": d, "tier": "edge", "memory_bytes": draw.choice([100, 200, 400])} for d in devices],
        "links": [
            {
                "a": a,
                "b": b,
                "latency_s": draw.random() * 0.1,
                "bandwidth_bytes_per_s": draw.choice([1e2, 1e3]),
            }
            for a, b in itertools.combinations(devices, 2)
            if draw.random() < 1 - shape.missing_links
        ],
        "modules": [
            {
                "name": m,
                "kind": "encoder",
                "memory_bytes": draw.choice([10, 50, 80]),
                "output_bytes": draw.choice([0, 10, 100]),
                "compute_s": compute(shape.missing_compute),
            }
            for m in modules
        ],
        "requests": [
            {
                "name": f"k{i}",
                "task": "task",
                "model": "model",
                "source": draw.choice(devices),
                "rate_per_s": draw.choice([1, 2.5]),
                "encoders": encoders(),
                "head": modules[i % shape.heads],
                "result_bytes": draw.choice([0, 10]),
            }
            for i in range(draw.randint(*shape.requests))
        ],
    }
    halved = random.Random(f"precision {seed}")  # of its own, so that what a seed means without it stays
    half = [d for d in devices if halved.random() < shape.half_precision]
    for module in fields["modules"] if half else []:
        module["memory_bytes_on"] = dict.fromkeys(half, module["memory_bytes"] / 2)
    return fields | fixed


def random_instances(seeds: Iterable[int], shape: Shape = TINY, **fixed: Any) -> list[PlacementInstance]:
    """The instances of ``seeds``, without those whose sources are cut off for want of a link."""
    instances: list[PlacementInstance] = []
    for seed in seeds:
        try:
            instances.append(PlacementInstance.parse(random_fields(seed, shape, **fixed), f"seed {seed}"))
        except InputError as error:
            if "link" not in error.problem:
                raise
    return instances
