"""Tiny instances: small enough to try everything."""

import random

from splitshare.onloading.instance import OnloadingInstance


def fields(seed=0, *, clients=2, servers=1, models=3, batching=False):
    """Plain data of a random instance with everything scarce."""
    draw = random.Random(seed)
    tasks = ["t0", "t1"]

    def compute(scale):
        return {
            "start_s": round(draw.uniform(0, 0.02) * scale, 4),
            "per_query_s": round(draw.uniform(0.005, 0.05) * scale, 4),
        }

    served = [draw.sample(tasks, draw.randint(1, 2)) for _ in range(models)]
    served[0] = tasks
    return {
        "schema": "splitshare.onloading-instance/1",
        "name": f"tiny-{seed}",
        "batches": [{"size": 1, "wait_s": 0.0}] + ([{"size": 4, "wait_s": 0.3}] if batching else []),
        "tasks": [
            {"name": t, "query_bytes": draw.choice([100, 400]), "latency_limit_s": draw.choice([0.6, 1.0])}
            for t in tasks
        ],
        "models": [
            {
                "name": f"m{j}",
                "memory_bytes": draw.choice([10, 20, 30]),
                "accuracy": {t: round(draw.uniform(0.3, 0.95), 3) for t in served[j]},
                "compute": {"client": compute(3), "edge": compute(1), "cloud": compute(0.5)},
            }
            for j in range(models)
        ],
        "cloud": {"device": "cloud", "compute_limit": 0.05},
        "servers": [
            {
                "name": f"s{s}",
                "device": "edge",
                "memory_bytes": draw.choice([30, 40]),
                "compute_limit": 0.5,
                "backhaul_bytes_per_s": 2000,
                "backhaul_latency_s": 0.02,
            }
            for s in range(servers)
        ],
        "clients": [
            {
                "name": f"c{c}",
                "server": f"s{c % servers}",
                "device": "client",
                "memory_bytes": draw.choice([10, 20, 30]),
                "compute_limit": 0.5,
                "uplink_bytes_per_s": draw.choice([2000, 5000]),
                "uplink_latency_s": 0.01,
                "demand_per_s": {t: draw.choice([0, 5, 9, 14]) + 1 for t in tasks},
            }
            for c in range(clients)
        ],
    }


def sharing(seed=0, **shape):
    """An instance of ``fields`` whose models but the first share backbones: one, or two where there are enough."""
    draw = random.Random(f"sharing {seed}")
    said = fields(seed, **shape)
    users = said["models"][1:]
    for j, model in enumerate(users):
        model |= {"backbone": f"b{j // 2 % 2}", "memory_bytes": draw.choice([2, 4, 8])}
    said["backbones"] = [
        {"name": name, "memory_bytes": draw.choice([8, 15, 20])} for name in sorted({m["backbone"] for m in users})
    ]
    return OnloadingInstance.parse(said, f"seed {seed}")


def limited(seed=0, **shape):
    """An instance of ``fields`` with energies, and some of its limits: least accuracy and share served, energy."""
    draw = random.Random(f"limited {seed}")
    said = fields(seed, **shape)
    return OnloadingInstance.parse(with_limits(said, draw), f"seed {seed}")


def with_limits(said, draw):
    """``said`` with energies and with at least one limit, mostly such as can be kept."""
    for model in said["models"]:
        for compute in model["compute"].values():
            compute |= {"start_j": round(draw.uniform(0, 1), 3), "per_query_j": round(draw.uniform(0.1, 3), 3)}
    for client in said["clients"]:
        client["uplink_j_per_byte"] = draw.choice([0.0, 0.001])
    kinds = [kind for kind in ("accuracy", "served", "energy") if draw.random() < 0.6] or ["served"]
    for task in said["tasks"]:
        if "accuracy" in kinds and draw.random() < 0.7:
            task["least_accuracy"] = round(draw.uniform(0.1, 0.6), 3)
        if "served" in kinds and draw.random() < 0.7:
            task["least_served"] = round(draw.uniform(0.2, 1.0), 3)
    if "energy" in kinds:
        said["energy_limit_j"] = round(draw.uniform(0.3, 2.0), 3)
    return said


def tiered(seed=0, *, levels=1, **shape):
    """An instance of ``fields`` with servers above its servers: one above the first ones, and so on upwards.

    The last server's way stays as it is where there are several, and the last client of several is attached to the
    first server above.
    """
    draw = random.Random(f"tiered {seed}")
    said = fields(seed, **shape)
    below = said["servers"][:-1] or list(said["servers"])
    for level in range(levels):
        for server in below:
            server["upstream"] = f"r{level}"
        below = [
            {
                "name": f"r{level}",
                "device": draw.choice(["edge", "cloud"]),
                "memory_bytes": draw.choice([10, 30, 50]),
                "compute_limit": draw.choice([0.1, 0.3]),
                "backhaul_bytes_per_s": draw.choice([1000, 3000]),
                "backhaul_latency_s": draw.choice([0.0, 0.1]),
            }
        ]
        # Servers may stand in a file in any order.
        said["servers"].insert(draw.randint(0, len(said["servers"])), below[0])
    if len(said["clients"]) > 1:
        said["clients"][-1]["server"] = "r0"
    return OnloadingInstance.parse(said, f"seed {seed}")


def varied(seed=0, *, backbones=False, **shape):
    """An instance of ``fields`` whose models are variants of two groups, but for the last where there are five or more.

    With ``backbones``, every second model shares one, within its group and across.
    """
    draw = random.Random(f"varied {seed}")
    said = fields(seed, **shape)
    for j, model in enumerate(said["models"][:4]):
        model |= {
            "variant_of": f"v{j // 2 if len(said['models']) > 3 else 0}",
            "memory_bytes": draw.choice([5, 10, 20]),
        }
        if backbones and j % 2:
            model |= {"backbone": "b", "memory_bytes": draw.choice([2, 4, 8])}
    if backbones:
        said["backbones"] = [{"name": "b", "memory_bytes": draw.choice([5, 12])}]
    return OnloadingInstance.parse(said, f"seed {seed}")


def tiny(seed=0, **shape):
    """The instance of ``fields``."""
    return OnloadingInstance.parse(fields(seed, **shape), f"seed {seed}")
