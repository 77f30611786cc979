"""An independent judge: latency by simulating a request step by step, the optimum by trying everything.

Written from the definition of the problem, sharing nothing with the evaluator but the instance's fields.
"""

import itertools
import math
from collections.abc import Iterator

from splitshare.placement.instance import PlacementInstance, Request


def comm(instance: PlacementInstance, a: str, b: str, size: float) -> float:
    if a == b:
        return 0.0
    for link in instance.links:
        if {link.a, link.b} == {a, b}:
            return link.latency_s + size / link.bandwidth_bytes_per_s
    return math.inf


def latency(instance: PlacementInstance, request: Request, hosts: tuple[str, ...], head: str) -> float:
    modules = {m.name: m for m in instance.modules}

    def seconds(module: str, override: dict[str, float | None] | None, device: str) -> float:
        table = dict(modules[module].compute_s)
        table.update(override or {})
        value = table.get(device)
        return math.inf if value is None else value

    waiting = [
        (comm(instance, request.source, host, use.input_bytes), position)
        for position, (use, host) in enumerate(zip(request.encoders, hosts, strict=True))
    ]
    clock = dict.fromkeys((d.name for d in instance.devices), 0.0)
    previous, done = 0.0, {}
    if instance.routing == "parallel":
        waiting.sort()
    for arrival, position in waiting:
        use, host = request.encoders[position], hosts[position]
        begin = max(arrival, previous if instance.routing == "sequential" else clock[host])
        previous = clock[host] = done[position] = begin + seconds(use.module, use.compute_s, host)
    ready = 0.0
    for position, use in enumerate(request.encoders):
        size = modules[use.module].output_bytes if use.output_bytes is None else use.output_bytes
        ready = max(ready, done[position] + comm(instance, hosts[position], head, size))
    finish = ready + seconds(request.head, request.head_compute_s, head)
    return finish + comm(instance, head, request.source, request.result_bytes)


def assignments(instance: PlacementInstance) -> Iterator[dict[str, tuple[str, ...]]]:
    """Every assignment that keeps within memory."""
    devices = [d.name for d in instance.devices]
    largest = len(devices) if instance.replication else 1
    hosts = [c for size in range(1, largest + 1) for c in itertools.combinations(devices, size)]
    for choice in itertools.product(hosts, repeat=len(instance.modules)):
        used = dict.fromkeys(devices, 0.0)
        for module, chosen in zip(instance.modules, choice, strict=True):
            for device in chosen:
                used[device] += (module.memory_bytes_on or {}).get(device, module.memory_bytes)
        if all(used[d.name] <= d.memory_bytes for d in instance.devices):
            yield {m.name: chosen for m, chosen in zip(instance.modules, choice, strict=True)}


def worth(instance: PlacementInstance, assignment: dict[str, tuple[str, ...]]) -> float:
    latencies = []
    for request in instance.requests:
        combinations = itertools.product(*(assignment[e.module] for e in request.encoders))
        latencies.append(
            min(latency(instance, request, hosts, head) for hosts in combinations for head in assignment[request.head])
        )
    if instance.objective == "max":
        return max(latencies)
    rates = [r.rate_per_s for r in instance.requests]
    return sum(r * t for r, t in zip(rates, latencies, strict=True)) / sum(rates)


def optimum(instance: PlacementInstance) -> float | None:
    """Least worth over all assignments; ``None`` if none is feasible."""
    best = min((worth(instance, a) for a in assignments(instance)), default=math.inf)
    return None if math.isinf(best) else best
