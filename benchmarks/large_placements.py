"""Ruin and recreate beside the other searches on instances of the families that are hard, in one run.

Told of each family and method: on how many instances it is best of all methods here, the mean and the worst gap to the
best, instances without a placement, and seconds of processor time as a multiple of those of ``ruin-and-recreate``.
Compilation is left out. Seeds from 1001 on are those to tune on; these here are others. Every method has the same limit
for an instance. Run: ``python benchmarks/large_placements.py [SECONDS [FAMILY ...]]`` (default 10, all families).
"""

from __future__ import annotations

import math
import sys
import time

from splitshare.placement.contract import load
from splitshare.placement.instance_families import FAMILIES, family_instance
from splitshare.placement.run import solve

METHODS = (
    "ruin-and-recreate",
    "optimum[solver=builtin]",
    "large-neighbourhood-search",
    "simulated-annealing",
    "genetic",
    "greedy-local-search",
    "s2m3-greedy",
)
SEEDS = range(2001, 2007)


def compare(family: str, limit_s: float) -> None:
    """Print a line a method."""
    objective_s: dict[str, list[float]] = {}
    seconds: dict[str, float] = {}
    for method in METHODS:
        algorithm = load(method)
        solve(family_instance(family, SEEDS[0] - 1), algorithm, time_limit_s=limit_s)
        objective_s[method], began = [], time.process_time()
        for seed in SEEDS:
            found = solve(family_instance(family, seed), algorithm, time_limit_s=limit_s).objective
            objective_s[method].append(math.inf if found is None else found)
        seconds[method] = time.process_time() - began
    best_s = [min(column) for column in zip(*objective_s.values(), strict=True)]
    for method, found_s in objective_s.items():
        gaps = [s / best - 1 for s, best in zip(found_s, best_s, strict=True) if s < math.inf]
        best = sum(gap <= 1e-6 for gap in gaps)
        mean, worst = (math.fsum(gaps) / len(gaps), max(gaps)) if gaps else (math.nan, math.nan)
        times = seconds[method] / seconds[METHODS[0]]
        none = len(SEEDS) - len(gaps)
        print(
            f"{family:20} {method:28} best {best} of {len(SEEDS)}  mean gap {mean:7.3%}  worst {worst:7.3%}"
            f"  none {none}  {times:7.2f} times the seconds",
            flush=True,
        )


def main() -> None:
    """Compare on the families that are asked for."""
    limit_s = float(sys.argv[1]) if len(sys.argv) > 1 else 10.0
    for family in sys.argv[2:] or FAMILIES:
        compare(family, limit_s)


if __name__ == "__main__":
    main()
