"""Time and memory of a replay from reading the trace to the metrics, as requests grow, with and without stages.

Each size runs in a process of its own, so that its peak memory is its own. What to read are the ratios: requests a
second with stages and without in one run, and how time and memory grow. Run: ``python benchmarks/replay_scale.py
[MOST]``, where MOST is the largest power of ten (7).
"""

import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import splitshare
from splitshare.placement.objective import evaluate
from splitshare.replay.generators import poisson_trace
from splitshare.replay.metrics import request_metrics
from splitshare.replay.simulator import simulate, warm_up
from splitshare.replay.traces import read_trace, write_trace

WITH_STAGES_UP_TO = 10**6


def one(requests: int, stages: bool) -> None:
    """Print requests a second and peak memory of one replay."""
    instance = next(i for i in splitshare.instances("s2m3") if i.name == "four-tasks.laptop-two-jetsons")
    routes = evaluate(instance, splitshare.solve(instance, "s2m3-greedy").assignment).routes
    warm_up()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "trace.parquet"
        write_trace(poisson_trace(instance, 1.0, requests=requests, seed=1), path)
        start = time.perf_counter()
        result = simulate(instance, routes, read_trace(path, instance), keep_stages=stages)
        result.write(Path(folder) / "requests.parquet", Path(folder) / "stages.parquet" if stages else None)
        request_metrics(result.requests)
        seconds = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(f"{requests} {int(stages)} {seconds:.3f} {peak:.4g}")


def main() -> None:
    """A line a size."""
    most = int(sys.argv[1]) if len(sys.argv) > 1 else 7
    print(f"{'requests':>10} {'stages':>7} {'seconds':>8} {'per second':>11} {'peak memory':>12}")
    for power in range(4, most + 1):
        for stages in (False, True) if 10**power <= WITH_STAGES_UP_TO else (False,):
            command = [sys.executable, __file__, "--one", str(10**power), str(int(stages))]
            answer = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
            seconds, peak = float(answer[2]), float(answer[3])
            kept = "kept" if stages else "none"
            print(f"{10**power:>10} {kept:>7} {seconds:>8.2f} {10**power / seconds:>11.0f} {peak / 1e9:>9.2f} GB")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        one(int(sys.argv[2]), sys.argv[3] == "1")
    else:
        main()
