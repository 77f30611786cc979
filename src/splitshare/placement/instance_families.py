"""Families of seeded random placement instances by stated rules, each hard in a way of its own (ours).

All are drawn alike, with other numbers (``FAMILIES``):

- A module has work, 0.05 to 2 s on a device of speed 1; a device has speed 1 to 10; the seconds of a module on a device
  are work over speed times 0.6 to 1.4, drawn for each pair, so that devices are unlike and not only faster or slower.
- Every two devices are linked, by 1 to 20 ms and a bandwidth of 1, 3 or 10 units. The unit is such that the mean
  transfer of an encoder's input takes ``communication`` times the mean compute time. Inputs and outputs are 0.2 to 1.8
  times their means; an output's mean is a tenth of an input's, a result's a hundredth.
- Each request class has its source, its encoders (of the modules that are none's head, without repetition) and a head;
  rates are 1 to 5 a second. Every encoder is used if there are requests enough.
- Memory is drawn around a placement: modules of 10 to 100 MB are put on devices at random, and a device's memory is
  what it then holds, and ``slack`` times the mean of that over devices. So there is a feasible placement.

Drawn by sums and products of Python's generator, so that a seed is the same instance on every machine.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal

from splitshare.placement.instance import PlacementInstance


@dataclass(frozen=True)
class Rules:
    """The numbers of a family; ranges are inclusive."""

    devices: tuple[int, int]
    encoders: tuple[int, int]
    heads: tuple[int, int]
    requests: tuple[int, int]
    most_used: int = 3
    """Encoders of a request at most."""
    slack: float = 0.5
    communication: float = 0.5
    replication: bool = False
    objective: Literal["mean", "max"] = "mean"


FAMILIES: Mapping[str, Rules] = MappingProxyType(
    {
        "large": Rules(devices=(20, 50), encoders=(60, 140), heads=(20, 60), requests=(60, 100)),
        "memory-tight": Rules(devices=(4, 8), encoders=(8, 16), heads=(4, 8), requests=(6, 12), slack=0.02),
        "communication-bound": Rules(
            devices=(4, 8), encoders=(8, 16), heads=(4, 8), requests=(6, 12), communication=10.0
        ),
        "heavy-sharing": Rules(devices=(4, 8), encoders=(3, 5), heads=(8, 16), requests=(24, 40)),
        "replicated": Rules(
            devices=(3, 5), encoders=(4, 8), heads=(2, 4), requests=(6, 12), slack=1.5, replication=True
        ),
        "min-max": Rules(devices=(4, 8), encoders=(8, 16), heads=(4, 8), requests=(6, 12), objective="max"),
    }
)
"""By name; ``tests/placement/test_instance_families.py`` holds the rules."""
MEAN_INPUT_BYTES = 1e5


def family_instance(family: str, seed: int, *, name: str | None = None) -> PlacementInstance:
    """The instance of ``seed`` of a family of ``FAMILIES``, called ``<family>-<seed>`` where no name is given."""
    return drawn_by(FAMILIES[family], family, seed, name=name)


def drawn_by(rules: Rules, family: str, seed: int, *, name: str | None = None) -> PlacementInstance:
    """The instance of ``seed`` by rules of one's own, which are called ``family``."""
    fields = _fields(rules, random.Random(f"{family} {seed}"))
    return PlacementInstance.parse({**fields, "name": name or f"{family}-{seed}"}, f"{family}, seed {seed}")


# Long: one field of the instance after the other; the order of the draws is part of what a seed means.
def _fields(rules: Rules, draw: random.Random) -> dict[str, Any]:
    devices = [f"d{i}" for i in range(draw.randint(*rules.devices))]
    encoders = [f"e{i}" for i in range(draw.randint(*rules.encoders))]
    heads = [f"h{i}" for i in range(draw.randint(*rules.heads))]
    speed = {d: draw.uniform(1, 10) for d in devices}
    compute_s = {
        m: {d: work / speed[d] * draw.uniform(0.6, 1.4) for d in devices}
        for m, work in ((m, draw.uniform(0.05, 2)) for m in (*encoders, *heads))
    }
    size = {m: float(draw.randint(10_000_000, 100_000_000)) for m in compute_s}
    held = dict.fromkeys(devices, 0.0)
    for module in draw.sample(list(size), len(size)):
        held[draw.choice(devices)] += size[module]
    spare = rules.slack * sum(held.values()) / len(devices)
    mean_compute_s = sum(s for row in compute_s.values() for s in row.values()) / (len(compute_s) * len(devices))
    # The mean of 1/1, 1/3 and 1/10, which bandwidths of 1, 3 and 10 units have.
    unit = MEAN_INPUT_BYTES * (1 + 1 / 3 + 1 / 10) / 3 / (rules.communication * mean_compute_s)

    def near(mean_bytes: float) -> float:
        return mean_bytes * draw.uniform(0.2, 1.8)

    count = draw.randint(*rules.requests)
    first = itertools.cycle(draw.sample(encoders, len(encoders)))
    requests = []
    for i in range(count):
        lead = next(first)
        others = draw.sample(
            [e for e in encoders if e != lead], draw.randint(0, min(rules.most_used, len(encoders)) - 1)
        )
        requests.append(
            {
                "name": f"k{i}",
                "task": "task",
                "model": f"k{i}",
                "source": draw.choice(devices),
                "rate_per_s": draw.uniform(1, 5),
                "encoders": [{"module": e, "input_bytes": near(MEAN_INPUT_BYTES)} for e in (lead, *others)],
                "head": heads[i % len(heads)],
                "result_bytes": near(MEAN_INPUT_BYTES / 100),
            }
        )
    return {
        "schema": "splitshare.placement-instance/1",
        "objective": rules.objective,
        "replication": rules.replication,
        "routing": "parallel",
        "devices": [{"name": d, "tier": "edge", "memory_bytes": held[d] + spare} for d in devices],
        "links": [
            {
                "a": a,
                "b": b,
                "latency_s": draw.uniform(0.001, 0.02),
                "bandwidth_bytes_per_s": unit * draw.choice([1, 3, 10]),
            }
            for a, b in itertools.combinations(devices, 2)
        ],
        "modules": [
            {
                "name": m,
                "kind": "head" if m in heads else "encoder",
                "memory_bytes": size[m],
                "output_bytes": near(MEAN_INPUT_BYTES / 10),
                "compute_s": compute_s[m],
            }
            for m in compute_s
        ],
        "requests": requests,
    }
