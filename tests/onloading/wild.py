"""Tiny random instances with whatever a file may hold: nothing asked, no computing, limits that nobody keeps."""

import random
from typing import Any

from splitshare.onloading.instance import OnloadingInstance


def wild(seed: int) -> OnloadingInstance:
    """One to four clients, one or two servers, one to four models, one to three tasks; every second one may batch."""
    return OnloadingInstance.parse(_fields(seed), f"wild {seed}")


def wild_limited(seed: int) -> OnloadingInstance:
    """The instance of ``wild`` with side constraints, whether they can be kept or not."""
    draw = random.Random(f"wild limits {seed}")
    said = _fields(seed)
    for model in said["models"]:
        for compute in model["compute"].values():
            compute |= {"start_j": draw.choice([0.0, 0.5]), "per_query_j": draw.choice([0.0, 1e-3, 0.4, 7.0])}
    for client in said["clients"]:
        client["uplink_j_per_byte"] = draw.choice([0.0, 1e-6, 1e-4])
    for task in said["tasks"]:
        for field in ("least_accuracy", "least_served"):
            if draw.random() < 0.5:
                task[field] = draw.choice([0.0, 0.02, 0.2, 0.5, 1.0, round(draw.random(), 3)])
    if draw.random() < 0.6:
        said["energy_limit_j"] = draw.choice([1e-9, 1e-3, 0.1, 1.0, 100.0])
    return OnloadingInstance.parse(said, f"wild {seed}, limited")


def _fields(seed: int) -> dict[str, Any]:
    draw = random.Random(f"wild {seed}")
    tasks = [f"t{i}" for i in range(draw.randint(1, 3))]
    models = [f"m{i}" for i in range(draw.randint(1, 4))]
    served = {m: draw.sample(tasks, draw.randint(1, len(tasks))) for m in models}
    served["m0"] = tasks
    servers = [f"s{i}" for i in range(draw.randint(1, 2))]
    clients = [f"c{i}" for i in range(draw.randint(1, 4))]
    further = random.Random(f"wild variants {seed}")  # of its own: what else is drawn does not hang on it
    together = dict.fromkeys(models if further.random() < 0.3 and len(models) > 1 else [], "v")
    if len(together) > 2 and further.random() < 0.5:
        together.pop(models[-1])
    hopeless = draw.random() < 0.05  # no latency limit that anybody keeps

    def compute():
        whole = draw.choice([1e-6, 0.02, 0.1, 0.4])
        return {
            device: {"start_s": whole * start, "per_query_s": whole * each}
            for device, start, each in (("small", 0.5, 1.0), ("big", 0.1, 0.05))
        }

    demand = {c: {t: float(draw.choice([0, 0, 1, 3, 5, 20])) for t in tasks} for c in clients}
    demand["c0"][tasks[0]] = draw.choice([1e-3, 1, 3, 20])
    return {
        "schema": "splitshare.onloading-instance/1",
        "name": f"wild-{seed}",
        "batches": [{"size": 1, "wait_s": 0}] + ([{"size": 4, "wait_s": 0.3}] if seed % 2 else []),
        "tasks": [
            {
                "name": t,
                "query_bytes": draw.choice([1.0, 10_000.0, 200_000.0]),
                "latency_limit_s": 1e-9 if hopeless else draw.choice([0.05, 0.2, 0.6, 2.0]),
            }
            for t in tasks
        ],
        "models": [
            {
                "name": m,
                "memory_bytes": draw.choice([1.0, 2.0, 3.0, 9.0]),
                "accuracy": {t: draw.choice([0.0, 1.0, round(draw.uniform(0.4, 0.95), 3)]) for t in served[m]},
                "compute": compute(),
                "variant_of": together.get(m),
            }
            for m in models
        ],
        "cloud": {"device": "big", "compute_limit": draw.choice([0, 0, 0.02, 2.0])},
        "servers": [
            {
                "name": s,
                "device": draw.choice(["big", "big", "small"]),
                "memory_bytes": draw.choice([0.5, 3.0, 4.0, 6.0]),
                "compute_limit": draw.choice([1e-3, 0.3, 1.2]),
                "backhaul_bytes_per_s": draw.choice([20_000.0, 1e6, 1e7]),
                "backhaul_latency_s": draw.choice([0, 0.02, 0.1]),
            }
            for s in servers
        ],
        "clients": [
            {
                "name": c,
                "server": draw.choice(servers),
                "device": "small",
                "memory_bytes": draw.choice([0.5, 1.0, 3.0, 9.0]),
                "compute_limit": draw.choice([1e-3, 0.3, 0.9]),
                "uplink_bytes_per_s": draw.choice([20_000.0, 1e6, 1e7]),
                "uplink_latency_s": draw.choice([0, 0.005, 0.05]),
                "demand_per_s": demand[c],
            }
            for c in clients
        ],
    }
