"""How long an emulation takes to start, and what its processes take of memory, as devices grow.

Every device is linked with every other one; three encoders and a head lie on as many of them as the greedy takes.
Told are, from nothing: until all workers and links are there, until links are measured (those that the placement uses,
and ``all`` of them where devices are few), and until the first request is answered; then memory by proportional set
size, which counts shared pages once. Each line is a run of its own. What to read is how time and memory grow: ``times``
is the time to the first answer as a multiple of the first line's. Run: ``python benchmarks/emulator_startup.py [DEVICES
...]``.
"""

import itertools
import os
import statistics
import sys
import time

import numpy as np

import splitshare
from splitshare.placement.instance import PlacementInstance
from splitshare.placement.objective import evaluate
from splitshare.replay.emulator.emulate import EmulationOptions, measure, replay, used_directions
from splitshare.replay.emulator.memory_use import memory_use
from splitshare.replay.emulator.network import WorkerSetup, proxy_testbed
from splitshare.replay.emulator.program import build_program
from splitshare.replay.traces import RequestTrace

DEVICES = (2, 5, 10, 20, 50)
ALL_LINKS_UP_TO = 10
"""Devices; with more, measuring every link takes minutes."""


def mesh(count: int) -> PlacementInstance:
    """So many devices, each linked with each, and a request for three encoders and a head."""
    names = [f"d{i:02}" for i in range(count)]
    modules = [
        {
            "name": f"m{i}",
            "kind": "encoder",
            "memory_bytes": 1.0,
            "output_bytes": 1000,
            "compute_s": {name: 0.02 + 0.001 * ((i * 7 + j) % count) for j, name in enumerate(names)},
        }
        for i in range(4)
    ]
    fields = {
        "schema": "splitshare.placement-instance/1",
        "name": "mesh",
        "objective": "mean",
        "devices": [{"name": name, "memory_bytes": 2.0} for name in names],
        "links": [
            {"a": a, "b": b, "latency_s": 0.001, "bandwidth_bytes_per_s": 12.5e6}
            for a, b in itertools.combinations(names, 2)
        ],
        "modules": modules,
        "requests": [
            {
                "name": "triple",
                "task": "task",
                "model": "triple",
                "source": "d00",
                "encoders": [{"module": f"m{i}", "input_bytes": 20_000} for i in range(3)],
                "head": "m3",
                "result_bytes": 10,
                "rate_per_s": 1.0,
            }
        ],
    }
    return PlacementInstance.parse(fields, "mesh")


def one(count: int, *, all_links: bool) -> tuple[list[float], list[float], int]:
    """Seconds until ready, measured, answered; bytes of a worker, of links, of all; directions that were measured."""
    instance = mesh(count)
    assignment = splitshare.solve(instance, "s2m3-greedy").assignment
    assert assignment is not None
    program = build_program(instance, evaluate(instance, assignment).routes, assignment, epoch=1)
    first = RequestTrace(np.arange(1), np.zeros(1), ("triple",), np.zeros(1, dtype=np.int64), np.ones(1))
    said: list[str] = []
    begin = time.perf_counter()
    with proxy_testbed(instance, WorkerSetup(), "serial", said.append) as testbed:
        seconds = [time.perf_counter() - begin]
        used = None if all_links else used_directions(program)
        measured = measure(instance, testbed, said.append, any_links=True, used=used)
        seconds.append(time.perf_counter() - begin)
        answered = replay(instance, assignment, first, testbed, options=EmulationOptions())
        assert answered.counts["ok"] == 1, answered.reasons
        seconds.append(time.perf_counter() - begin)
        memory = memory_use(testbed)
    worker = statistics.median(memory.workers_bytes.values()) if memory.workers_bytes else float("nan")
    return seconds, [worker, memory.relays_bytes, memory.total_bytes], len(measured)


def main() -> None:
    """A line a number of devices."""
    counts = [int(word) for word in sys.argv[1:]] or DEVICES
    print(f"{len(os.sched_getaffinity(0))} cores")
    print("| devices | links measured | ready | measured | first answer | times | a worker | links | together |")
    print("|---|---|---|---|---|---|---|---|---|")
    base = None
    for count in counts:
        for all_links in (False, True) if count <= ALL_LINKS_UP_TO else (False,):
            seconds, sizes, directions = one(count, all_links=all_links)
            base = base or seconds[-1]
            told = [f"{directions}{' (all)' if all_links else ''}", *(f"{s:.1f} s" for s in seconds)]
            told += [f"{seconds[-1] / base:.1f}", *(f"{size / 1e6:.0f} MB" for size in sizes)]
            print(f"| {count} | {' | '.join(told)} |", flush=True)


if __name__ == "__main__":
    main()
