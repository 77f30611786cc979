"""J3O with fairness and limited energy, against HiGHS' proofs, on the instances of the suite of one size class.

Each instance gets energies (5, 30 and 250 W at clients, servers and cloud, 0.1 J a megabyte sent), and then, one at a
time: a third of the energy that J3O takes without limit; for every task 85, 90, 93 and 96 % of what its most accurate
model reaches; and 70 % of that with nine tenths served and a third of the energy. Told are how many of them each finds
a decision for, J3O's share of HiGHS' objective, and its seconds over those without limits.
Run: `python benchmarks/onloading_side_constraints.py [--size medium] [--time-limit-s 30]`.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from splitshare.jsonl import read_lines
from splitshare.onloading.contract import load
from splitshare.onloading.instance import OnloadingInstance
from splitshare.onloading.limiting import most_accuracy, with_limits, with_power
from splitshare.onloading.run import solve
from splitshare.onloading.worth import worth_of
from splitshare.results.onloading import INSTANCES

WATTS = {"client": 5.0, "edge": 30.0, "cloud": 250.0}
J_PER_BYTE = 1e-7
LEAST = (0.85, 0.9, 0.93, 0.96)
"""Of what the most accurate model of each task reaches."""


def limited(instance: OnloadingInstance, energy_j: float) -> Iterator[OnloadingInstance]:
    """The instance with each of the limits; ``energy_j`` is what a query takes without."""
    most = most_accuracy(instance)
    yield with_limits(instance, energy_limit_j=energy_j / 3)
    for share in LEAST:
        yield with_limits(instance, least_accuracy={task: share * reached for task, reached in most.items()})
    yield with_limits(
        instance,
        least_accuracy={task: 0.7 * reached for task, reached in most.items()},
        least_served=dict.fromkeys(most, 0.9),
        energy_limit_j=energy_j / 3,
    )


def main() -> None:
    """Print the counts and shares."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--size", default="small", choices=("small", "medium", "large"))
    parser.add_argument("--time-limit-s", type=float, default=30.0)
    options = parser.parse_args()
    j3o, optimum = load("j3o-batching"), load("optimum")
    shares, times = [], []
    counts = dict.fromkeys(("both", "neither, proved", "neither, time was up", "HiGHS only", "J3O only"), 0)
    for plain in read_lines(OnloadingInstance, Path("data/baselines") / INSTANCES):
        if plain.size_class != options.size:
            continue
        instance = with_power(plain, {name: WATTS[name] for m in plain.models for name in m.compute}, J_PER_BYTE)
        free = solve(instance, j3o)
        worth = worth_of(instance, free)
        assert worth is not None
        for asked in limited(instance, worth.energy_j or 0.0):
            proved = solve(asked, optimum, time_limit_s=options.time_limit_s)
            found = solve(asked, j3o)
            assert found.objective is None or proved.status != "infeasible", asked.name
            times.append(found.solve_s / free.solve_s)
            if proved.objective is not None and found.objective is not None:
                counts["both"] += 1
                shares.append(found.objective / proved.objective)
            elif proved.objective is None and found.objective is None:
                counts["neither, proved" if proved.status == "infeasible" else "neither, time was up"] += 1
            else:
                counts["J3O only" if proved.objective is None else "HiGHS only"] += 1
    print(", ".join(f"{name} {count}" for name, count in counts.items()))
    print(f"J3O / HiGHS: least {min(shares):.4f}, mean {np.mean(shares):.5f}")
    print(f"J3O's seconds over those without limits: median {np.median(times):.2f}, most {max(times):.2f}")


if __name__ == "__main__":
    main()
