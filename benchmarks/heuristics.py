"""How near heuristics come to proved optima on the recorded random instances, and what that takes.

Told of each: instances placed, optimal ones, mean and worst gap over those placed, and seconds as a multiple of those
of S2M3's greedy. Every heuristic first places one instance untimed, so that compilation is left out; random ones run
with one seed. The instances are those to tune on, so that the others stay unseen. Searches use one device a module
where an instance allows several: gaps that all of them have come from that. Run: ``python benchmarks/heuristics.py
[ALGORITHM ...]``.
"""

import math
import sys
import time
from pathlib import Path

import splitshare
from splitshare.placement.contract import load, shipped
from splitshare.placement.run import solve
from splitshare.results.baselines import read_baselines

BASELINES = Path(__file__).parents[1] / "data/baselines/placements.parquet"
FAMILY = "random-tuning"
GREEDY = "s2m3-greedy"
NOT_ASKED = {"optimum", "cloud", "local", "no-sharing", "sequential-routing", "whole-models"}
"""Exact, or of another problem than the instance's."""


def main(names: list[str]) -> None:
    """Print a line an algorithm."""
    instances = splitshare.instances(FAMILY)
    optimum_s = read_baselines(BASELINES).groupby("instance")["optimum_s"].min()
    base_s = math.nan
    print(f"{'':28} placed optimal  mean gap  worst  times the greedy")
    for name in (GREEDY, *(names or [n for n in shipped() if n not in {*NOT_ASKED, GREEDY}])):
        algorithm = load(name)
        solve(instances[0], algorithm)
        started = time.perf_counter()
        found = [(solve(instance, algorithm).objective, optimum_s[instance.name]) for instance in instances]
        seconds = time.perf_counter() - started
        base_s = seconds if math.isnan(base_s) else base_s
        gaps = [objective / best - 1 for objective, best in found if objective is not None]
        optimal = sum(gap <= 1e-6 for gap in gaps)
        mean, worst = (math.fsum(gaps) / len(gaps), max(gaps)) if gaps else (math.nan, math.nan)
        print(f"{name:28} {len(gaps):6} {optimal:7} {mean:8.1%} {worst:7.0%} {seconds / base_s:8.1f}")


if __name__ == "__main__":
    main(sys.argv[1:])
