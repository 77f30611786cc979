"""What a regional tier is worth on the suite, and how near J3O comes to the optimum with one: ratios.

Regions by `splitshare onloading regions` as it stands, over every instance of the size. `optimum` is HiGHS within the
time limit; where it proved nothing better, J3O is held against its bound. "worth" is the best decision known with
regions over that without; it can be below 1, as every query to the cloud takes one transfer more.
Run: `python benchmarks/onloading_tiers.py [--size medium] [--limit-s 20]`.
"""

import argparse
from pathlib import Path

import pandas as pd

from splitshare.jsonl import read_lines
from splitshare.onloading.contract import load
from splitshare.onloading.instance import OnloadingInstance
from splitshare.onloading.regions import Regions, with_regions
from splitshare.onloading.run import solve
from splitshare.results.onloading import INSTANCES


def main() -> None:
    """Print a row an instance, and the means."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--size", default="small")
    parser.add_argument("--limit-s", type=float, default=20.0)
    options = parser.parse_args()
    rows = []
    for instance in read_lines(OnloadingInstance, Path("data/baselines") / INSTANCES):
        if instance.size_class != options.size:
            continue
        above = with_regions(instance, Regions())
        j3o, plain = solve(above, load("j3o-batching")), solve(instance, load("j3o-batching"))
        optimum = solve(above, load("optimum"), time_limit_s=options.limit_s)
        assert j3o.objective is not None
        assert j3o.bound is not None
        assert plain.objective is not None
        assert optimum.bound is not None
        best = max(j3o.objective, optimum.objective or 0.0)
        if min(j3o.bound, optimum.bound) < best * (1 - 1e-6):
            raise SystemExit(f"{instance.name}: a bound lies below a decision")
        rows.append(
            {
                "instance": instance.name,
                "J3O / proved": j3o.objective / optimum.bound,
                "J3O's bound / best": j3o.bound / best,
                "J3O's time / HiGHS'": (j3o.build_s + j3o.solve_s) / (optimum.build_s + optimum.solve_s),
                "worth": best / plain.objective,
                "proved": optimum.status == "optimal",
            }
        )
    table = pd.DataFrame(rows).set_index("instance")
    print(table.round(4).to_string())
    print(table.mean().round(4).to_string())


if __name__ == "__main__":
    main()
