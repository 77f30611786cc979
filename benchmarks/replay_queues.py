"""What queues that can be looked into cost: a replay by each rule of serving against first come, first served.

What to read are the ratios of one run: seconds of the same trace with the table of stages, whose plain replay is the
unit. Run: ``python benchmarks/replay_queues.py [REQUESTS]`` (200000).
"""

import sys
import time

import splitshare
from splitshare.placement.objective import evaluate
from splitshare.replay.generators import poisson_trace
from splitshare.replay.serving.rules import Serving, Swapping
from splitshare.replay.simulator import simulate


def main() -> None:
    """A line a rule."""
    requests = int(sys.argv[1]) if len(sys.argv) > 1 else 200_000
    found = next(i for i in splitshare.instances("s2m3") if i.name == "four-tasks.laptop-two-jetsons")
    instance = found.model_copy(update={"replication": True})
    devices = [device.name for device in instance.devices]
    hosts = {m.name: tuple(d for d in devices if m.compute_s.get(d) is not None) for m in instance.modules}
    routes = evaluate(found, splitshare.solve(found, "s2m3-greedy").assignment).routes
    placed = splitshare.solve(found, "s2m3-greedy").assignment
    trace = poisson_trace(instance, 1.0, requests=requests, seed=1)
    names = [request.name for request in instance.requests]
    load_s = {(d, m.name): m.memory_bytes / 1e9 for d in devices for m in instance.modules}
    rules = {
        "plain": Serving(),
        "deadlines that nobody meets": Serving(deadline_s=dict.fromkeys(names, 1e8)),
        "processor sharing": Serving(queues=dict.fromkeys(devices, "ps")),
        "priority": Serving(
            queues=dict.fromkeys(devices, "priority"), priority=dict(zip(names, range(9), strict=False))
        ),
        "swapping": Serving(hosts=placed, swapping=Swapping(load_s, {"laptop": 5e8})),
        "shortest queue": Serving(routing="shortest-queue", hosts=hosts),
        "least completion": Serving(routing="least-completion", hosts=hosts),
    }
    few = poisson_trace(instance, 1.0, requests=100, seed=1)
    unit_s = 0.0
    print(f"{'rule':<30} {'of the plain replay':>20}")
    for name, serving in rules.items():
        simulate(instance, routes, few, serving=serving)  # compiled before it is timed
        start = time.perf_counter()
        simulate(instance, routes, trace, serving=serving)
        seconds = time.perf_counter() - start
        unit_s = unit_s or seconds
        print(f"{name:<30} {seconds / unit_s:>20.2f}")


if __name__ == "__main__":
    main()
