"""Seeded random placement instances, small enough for brute force."""

import itertools
import random
from typing import Any

from splitshare.errors import InputError
from splitshare.placement.instance import PlacementInstance


def random_fields(seed: int, **fixed: Any) -> dict[str, Any]:
    """Plain data of an instance with 1-3 devices and 2-5 modules; tight memory, missing links, overrides."""
    draw = random.Random(seed)
    devices = [f"d{i}" for i in range(draw.randint(1, 3))]
    modules = [f"m{i}" for i in range(draw.randint(2, 5))]

    def compute(missing: float) -> dict[str, float | None]:
        return {d: None if draw.random() < missing else draw.random() for d in devices}

    def encoder(module: str) -> dict[str, Any]:
        use: dict[str, Any] = {"module": module, "input_bytes": draw.choice([0, 10, 100])}
        if draw.random() < 0.3:
            use["compute_s"] = compute(0.0)
        if draw.random() < 0.3:
            use["output_bytes"] = 5
        return use

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
            if draw.random() < 0.9
        ],
        "modules": [
            {
                "name": m,
                "kind": "encoder",
                "memory_bytes": draw.choice([10, 50, 80]),
                "output_bytes": draw.choice([0, 10, 100]),
                "compute_s": compute(0.1),
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
                "encoders": [encoder(m) for m in draw.sample(modules[1:], draw.randint(1, min(3, len(modules) - 1)))],
                "head": modules[0],
                "result_bytes": draw.choice([0, 10]),
            }
            for i in range(draw.randint(1, 3))
        ],
    }
    return fields | fixed


def random_instances(seeds: range, **fixed: Any) -> list[PlacementInstance]:
    """The instances of ``seeds``, without those whose sources are cut off (refused on reading)."""
    found = []
    for seed in seeds:
        try:
            found.append(PlacementInstance.parse(random_fields(seed, **fixed), f"seed {seed}"))
        except InputError as error:
            assert "link" in str(error)
    return found
