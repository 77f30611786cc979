"""Time, memory and proved gap of `j3o-decomposed` against size, over the family of large instances.

Seconds are of this process' processors, so that other work on the machine does not count; read how they grow. `solve`
is the algorithm, `score` what a caller waits for on top (offloading, evaluation). J3O is timed beside it up to
`--most-j3o` clients.
Run: `python benchmarks/onloading_size.py [--zoo ZOO.json] [--most-clients N] [--most-j3o N] [--threads N]`.
"""

import argparse
import resource
import time
from pathlib import Path

from splitshare.onloading.contract import OnloadingAlgorithm, load
from splitshare.onloading.generate import roles_of
from splitshare.onloading.huge import huge
from splitshare.onloading.instance import OnloadingInstance
from splitshare.onloading.run import solve
from splitshare.onloading.zoo import Zoo


def line(instance: OnloadingInstance, algorithm: OnloadingAlgorithm) -> str:
    """What one algorithm does on one instance."""
    began, cpu = time.perf_counter(), time.process_time()
    decision = solve(instance, algorithm)
    wall_s, cpu_s = time.perf_counter() - began, time.process_time() - cpu
    inside = (decision.build_s + decision.solve_s) / wall_s
    memory_bytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    gap = "no bound" if decision.bound is None or not decision.objective else (decision.bound / decision.objective - 1)
    clients, servers = len(instance.clients), len(instance.servers)
    return (
        f"{instance.name:22s} {algorithm.name:15s} {clients:6d} x {servers:4d}   solve {inside * cpu_s:7.2f} s   "
        f"score {(1 - inside) * cpu_s:6.2f} s   {1e3 * cpu_s / clients:6.2f} ms a client   "
        f"gap {gap if isinstance(gap, str) else f'{gap:8.3%}'}   peak so far {memory_bytes / 1e9:.2f} GB"
    )


def main() -> None:
    """Print a line an instance and algorithm."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--zoo", type=Path, default=Path("data/zoos/published.json"))
    parser.add_argument("--most-clients", type=int, default=2000)
    parser.add_argument("--most-j3o", type=int, default=200)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    zoo = Zoo.read(options.zoo)
    decomposed, j3o = load("j3o-decomposed", threads=options.threads), load("j3o-batching")
    for instance in huge(zoo, roles_of(zoo, options.zoo), most_clients=options.most_clients):
        print(line(instance, decomposed), flush=True)
        if len(instance.clients) <= options.most_j3o:
            print(line(instance, j3o), flush=True)


if __name__ == "__main__":
    main()
