"""Events per second of the compiled event loop, beside a plain heapq loop and SimPy (where it is installed).

All three run the same queues: the M/D/1-like path of one request class through link, device, link, device, link. They
are timed in one process, one after the other, compilation left out, and the ratios are what to read: the absolute
numbers depend on the machine. Run: ``python benchmarks/simulator.py``.
"""

import heapq
import importlib.util
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np

from splitshare.placement.instance import PlacementInstance
from splitshare.placement.objective import Route
from splitshare.replay.event_loop import run_events
from splitshare.replay.generators import poisson_trace
from splitshare.replay.link_changes import change_arrays
from splitshare.replay.plan import StagePlan, build_plan
from splitshare.replay.simulator import simulate, warm_up
from splitshare.replay.traces import RequestTrace

REQUESTS = 200_000
REPEATS = 5
RATE_PER_S = 4.0


def instance() -> PlacementInstance:
    """One encoder on one device, its head on another, the source on a third."""
    link = {"latency_s": 0.002, "bandwidth_bytes_per_s": 1e7}
    module = {"kind": "module", "memory_bytes": 1, "output_bytes": 1000}
    return PlacementInstance.parse(
        {
            "schema": "splitshare.placement-instance/1",
            "name": "benchmark",
            "objective": "mean",
            "devices": [{"name": name, "memory_bytes": 10.0} for name in "abc"],
            "links": [{"a": a, "b": b} | link for a, b in ("ab", "bc", "ac")],
            "modules": [
                module | {"name": "encoder", "compute_s": {"b": 0.2}},
                module | {"name": "head", "compute_s": {"c": 0.01}},
            ],
            "requests": [
                {
                    "name": "request",
                    "task": "task",
                    "model": "model",
                    "source": "a",
                    "rate_per_s": 1.0,
                    "encoders": [{"module": "encoder", "input_bytes": 600_000}],
                    "head": "head",
                    "result_bytes": 10,
                }
            ],
        },
        "benchmark",
    )


def compiled(plan: StagePlan, trace: RequestTrace) -> np.ndarray:
    """Finish times by the loop that the simulator uses."""
    stages = len(plan.kind)
    _, _, done = run_events(
        trace.arrival_s,
        trace.size,
        trace.request_class,
        np.arange(len(trace) + 1, dtype=np.int64) * stages,
        *plan.flat,
        plan.resources,
        *change_arrays(plan, None).flat,
    )
    return done[stages - 1 :: stages]


def plain(plan: StagePlan, trace: RequestTrace) -> np.ndarray:
    """The same with heapq and lists; the stages of the one class follow each other, so nothing ever joins."""
    resource, service_s, delay_s = plan.resource.tolist(), plan.service_s.tolist(), plan.delay_s.tolist()
    last = len(resource) - 1
    free = [0.0] * plan.resources
    finish = [0.0] * len(trace)
    arrivals = trace.arrival_s.tolist()
    events: list[tuple[float, int, int]] = []
    coming = 0
    while coming < len(arrivals) or events:
        if coming < len(arrivals) and (not events or arrivals[coming] < events[0][0]):
            heapq.heappush(events, (arrivals[coming], coming, 0))
            coming += 1
            continue
        now, request, stage = heapq.heappop(events)
        queue = resource[stage]
        freed = max(now, free[queue]) + service_s[stage]
        free[queue] = freed
        if stage == last:
            finish[request] = freed + delay_s[stage]
        else:
            heapq.heappush(events, (freed + delay_s[stage], request, stage + 1))
    return np.array(finish)


def simpy_processes(plan: StagePlan, trace: RequestTrace) -> np.ndarray:
    """The same as one SimPy process a request over SimPy resources."""
    import simpy

    environment = simpy.Environment()
    resources = [simpy.Resource(environment) for _ in range(plan.resources)]
    stages = list(zip(plan.resource.tolist(), plan.service_s.tolist(), plan.delay_s.tolist(), strict=True))
    finish = [0.0] * len(trace)

    def serve(request: int) -> Iterator[Any]:
        for resource, service_s, delay_s in stages:
            with resources[resource].request() as turn:
                yield turn
                yield environment.timeout(service_s)
            yield environment.timeout(delay_s)
        finish[request] = environment.now

    def arrive() -> Iterator[Any]:
        for request, arrival_s in enumerate(trace.arrival_s.tolist()):
            yield environment.timeout(max(0.0, arrival_s - environment.now))
            environment.process(serve(request))

    environment.process(arrive())
    environment.run()
    return np.array(finish)


def best_s(function: Callable[[], object], repeats: int) -> float:
    """Least time of a few runs, in seconds."""
    times = []
    for _ in range(repeats):
        begin = time.perf_counter()
        function()
        times.append(time.perf_counter() - begin)
    return min(times)


def main() -> None:
    """Print a line a loop."""
    problem = instance()
    routes = {"request": Route(("b",), "c")}
    trace = poisson_trace(problem, RATE_PER_S, requests=REQUESTS, seed=1)
    plan = build_plan(problem, routes, trace.classes, "serial")
    begin = time.perf_counter()
    warm_up()
    print(f"compiled or loaded from the cache in {time.perf_counter() - begin:.2f} s")

    loops = {"compiled": (compiled, REPEATS), "heapq": (plain, 2)}
    if importlib.util.find_spec("simpy"):
        loops["simpy"] = (simpy_processes, 1)
    expected = compiled(plan, trace)
    events = REQUESTS * len(plan.kind)
    base_s = 0.0
    for name, (loop, repeats) in loops.items():
        if not np.allclose(loop(plan, trace), expected, rtol=0, atol=1e-6):
            raise SystemExit(f"{name}: other finish times than the compiled loop")
        seconds = best_s(partial(loop, plan, trace), repeats)
        base_s = base_s or seconds
        print(f"{name:9s} {events / seconds / 1e6:8.2f} million events/s {seconds / base_s:8.1f} x the compiled time")
    whole_s = best_s(lambda: simulate(problem, routes, trace, link_model="serial"), REPEATS)
    print(f"{REQUESTS} requests, {events} events, tables included: {whole_s:.3f} s")


if __name__ == "__main__":
    main()
