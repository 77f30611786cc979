"""Seconds that placing all canonical instances takes: the greedy, its other readings, and the optimum by each solver.

Each method runs over all instances in one process, after one untimed instance, so that imports and compilation are left
out. ``inside`` is what the placements report (build and solve), ``in all`` what a caller waits for: transforming,
checking and scoring come on top. Times depend on the machine; read the ratios, and compare times of one run.
Run: ``python benchmarks/placement.py [INSTANCE.json ...]`` (default: ``results/canonical/instances``).
"""

import math
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from splitshare.placement.algorithms.optimum import Optimum
from splitshare.placement.algorithms.s2m3_greedy import S2M3Greedy
from splitshare.placement.contract import PlacementAlgorithm
from splitshare.placement.instance import PlacementInstance
from splitshare.placement.run import solve
from splitshare.stages.ablation import interpretations

DEFAULT = Path("results/canonical/instances")
GREEDY_LIMIT_S = 0.5
"""Seconds in all that the greedy may take for the 95 instances."""
OPTIMUM_LIMIT_S = 30.0
"""Seconds in all that a solver may take for the 95 instances."""


@dataclass(frozen=True)
class Timing:
    """What a method took for all instances, and its objectives."""

    total_s: float
    build_s: float
    solve_s: float
    objectives: list[float | None]

    @property
    def inside_s(self) -> float:
        """Seconds that the placements report."""
        return self.build_s + self.solve_s


def timed(instances: Sequence[PlacementInstance], algorithm: PlacementAlgorithm) -> Timing:
    """Place all instances, one after the other."""
    solve(instances[0], algorithm)
    begin = time.perf_counter()
    placements = [solve(instance, algorithm) for instance in instances]
    total_s = time.perf_counter() - begin
    return Timing(
        total_s=total_s,
        build_s=math.fsum(p.build_s for p in placements),
        solve_s=math.fsum(p.solve_s for p in placements),
        objectives=[p.objective for p in placements],
    )


def shown(name: str, timing: Timing, base: Timing, limit_s: float | None) -> str:
    """One line of the report."""
    limit = "" if limit_s is None else f"   limit {limit_s:g} s: {'held' if timing.total_s <= limit_s else 'EXCEEDED'}"
    return (
        f"{name:24s} inside {timing.inside_s:8.3f} s (build {timing.build_s:7.3f}, solve {timing.solve_s:7.3f})"
        f"   in all {timing.total_s:8.3f} s = {timing.total_s / base.total_s:7.1f} x the greedy{limit}"
    )


def main() -> None:
    """Print a line a method."""
    paths = [Path(argument) for argument in sys.argv[1:]] or sorted(DEFAULT.glob("*.json"))
    if not paths:
        raise SystemExit(f"no instances in {DEFAULT}; name some, or make them with `make instances`")
    instances = [PlacementInstance.read(path) for path in paths]
    print(f"{len(instances)} instances, up to {max(len(i.modules) for i in instances)} modules")
    greedy = timed(instances, S2M3Greedy())
    print(shown("s2m3-greedy", greedy, greedy, GREEDY_LIMIT_S))
    others = [timed(instances, reading) for reading in list(interpretations())[1:]]
    slowest = max(others, key=lambda timing: timing.total_s)
    print(shown(f"slowest of {len(others)} readings", slowest, greedy, None))
    optima = {}
    for solver in ("highs", "gurobi"):
        optima[solver] = timed(instances, Optimum(solver=solver))
        print(shown(f"optimum, {solver}", optima[solver], greedy, OPTIMUM_LIMIT_S))
    pairs = zip(*(timing.objectives for timing in optima.values()), strict=True)
    apart = max((abs(a / b - 1) for a, b in pairs if a and b), default=0.0)
    print(f"the solvers' optima are at most {apart:.1e} apart")


if __name__ == "__main__":
    main()
