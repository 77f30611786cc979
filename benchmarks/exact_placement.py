"""The builtin branch and bound beside HiGHS and Gurobi on the same placements, build and solve apart, in one run.

First the 95 committed instances, then random ones of growing size with tight memory (all modules take 85 % of it). One
thread each; imports and compilation are left out. Times depend on the machine: read the ratios, and compare times of
one run.
Gurobi's free licence refuses programs of more than 2000 columns or rows: the line says so.
Run: ``python benchmarks/exact_placement.py [SECONDS]`` (limit of each run; default 30).
"""

from __future__ import annotations

import dataclasses
import math
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from splitshare.choices import ExactSolver
from splitshare.errors import WorkError
from splitshare.jsonl import read_lines
from splitshare.placement.algorithms.greedy_local_search import GreedyLocalSearch
from splitshare.placement.algorithms.optimum import Optimum
from splitshare.placement.instance import Placement, PlacementInstance
from splitshare.placement.random_instances import TINY, Shape, random_fields, random_instances
from splitshare.placement.run import solve
from splitshare.solvers.adapter import SizeLimitError

COMMITTED = Path(__file__).parents[1] / "data/baselines/instances/s2m3.jsonl"
SIZES = ((20, 5, 30), (50, 20, 40), (100, 30, 50), (200, 50, 60))
"""Modules, devices and requests."""
LOAD = 0.85
"""Share of all memory that the modules take."""
SOLVERS: tuple[ExactSolver, ...] = ("builtin", "highs", "gurobi")


def tight(modules: int, devices: int, requests: int, seed: int) -> PlacementInstance:
    """A random instance of that size whose modules nearly fill the devices."""
    shape = dataclasses.replace(
        TINY,
        devices=(devices, devices),
        modules=(modules, modules),
        requests=(requests, requests),
        heads=max(2, modules // 5),
        missing_compute=0.05,
        missing_links=0.0,
    )
    fields: dict[str, Any] = random_fields(seed, shape, objective="mean", replication=False, routing="parallel")
    wanted = sum(module["memory_bytes"] for module in fields["modules"]) / LOAD
    drawn = sum(device["memory_bytes"] for device in fields["devices"])
    for device in fields["devices"]:
        device["memory_bytes"] = round(device["memory_bytes"] / drawn * wanted)
    return PlacementInstance.parse(fields, f"seed {seed}")


def line(name: str, placements: Sequence[Placement]) -> str:
    """Seconds of a solver over instances, and its widest gap between placement and bound."""
    build_s, solve_s = (math.fsum(getattr(p, field) for p in placements) for field in ("build_s", "solve_s"))
    gaps = [
        math.inf if p.objective is None or p.bound is None else (p.objective - p.bound) / max(p.objective, 1e-12)
        for p in placements
        if p.status != "infeasible"
    ]
    proved = sum(p.status in ("optimal", "infeasible") for p in placements)
    worth = math.fsum(p.objective for p in placements if p.objective is not None)
    return (
        f"  {name:8s} build {build_s:8.3f} s   solve {solve_s:8.3f} s   proved {proved} of {len(placements)}"
        f"   widest gap {max(gaps, default=0.0):8.4%}   sum of objectives {worth:.6f}"
    )


def compare(title: str, instances: Sequence[PlacementInstance], limit_s: float) -> None:
    """Print a line a solver."""
    print(title, flush=True)
    found: dict[str, float] = {}
    for solver in SOLVERS:
        try:
            placements = [solve(i, Optimum(solver=solver), time_limit_s=limit_s) for i in instances]
        except SizeLimitError as error:
            print(f"  {solver:8s} not solved: {error}")
            continue
        except WorkError as error:
            print(f"  {solver:8s} failed: {error}")
            continue
        print(line(solver, placements), flush=True)
        found[solver] = math.fsum(p.build_s + p.solve_s for p in placements)
    ratios = [f"{name} takes {seconds / found['builtin']:.1f} times as long" for name, seconds in found.items()]
    print("  " + ", ".join(ratios[1:]))
    searched = [solve(i, GreedyLocalSearch()).objective for i in instances]
    print(f"  greedy-local-search: sum of objectives {math.fsum(s for s in searched if s is not None):.6f}")


def main() -> None:
    """Compare on every family."""
    limit_s = float(sys.argv[1]) if len(sys.argv) > 1 else 30.0
    for solver in SOLVERS:  # import and compile
        solve(random_instances([2], Shape())[0], Optimum(solver=solver))
    committed = read_lines(PlacementInstance, COMMITTED)
    compare(f"{len(committed)} committed instances", committed, limit_s)
    for modules, devices, requests in SIZES:
        seeds = range(3) if modules * devices <= 100 else range(1)
        instances = [tight(modules, devices, requests, seed) for seed in seeds]
        compare(f"{modules} modules x {devices} devices, {requests} requests, seeds {list(seeds)}", instances, limit_s)


if __name__ == "__main__":
    main()
