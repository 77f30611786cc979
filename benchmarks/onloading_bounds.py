"""How near proved bounds come to the best decision known, on the suite: ours, J3O's, the relaxation's and solvers'.

`j3o-decomposed` is run here, the others are read from the record (30 s at most each). A gap is bound / best - 1.
Seconds of this process are set against what HiGHS took when it was recorded, on the machine that the record names:
compare them on that one only.
Run: `python benchmarks/onloading_bounds.py [--each]`.
"""

import argparse
import time
from pathlib import Path

import pandas as pd

from splitshare.jsonl import read_lines
from splitshare.onloading.contract import load
from splitshare.onloading.instance import OnloadingInstance
from splitshare.onloading.run import solve
from splitshare.results.onloading import INSTANCES, read_record

BASELINES = Path("data/baselines")
METHODS = ("j3o-decomposed", "j3o-batching", "lp-rounding", "optimum-highs", "optimum-gurobi")


def here(instances: list[OnloadingInstance]) -> pd.DataFrame:
    """Objective, bound and seconds of `j3o-decomposed`."""
    algorithm = load("j3o-decomposed")
    solve(instances[0], algorithm)
    rows = []
    for instance in instances:
        began = time.process_time()
        algorithm.onload(instance, seed=0, time_limit=None)
        seconds = time.process_time() - began
        decision = solve(instance, algorithm)
        rows.append((instance.name, decision.objective, decision.bound, seconds))
    return pd.DataFrame(rows, columns=["instance", "objective", "bound", "seconds"]).set_index("instance")


def main() -> None:
    """Print a table a size class, or a line an instance."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--each", action="store_true")
    options = parser.parse_args()
    instances = list(read_lines(OnloadingInstance, BASELINES / INSTANCES))
    record = read_record(BASELINES / "onloading.csv")
    first = record[record["seed"] == 0]
    first = first.assign(seconds=first["build_s"] + first["solve_s"])
    ours = here(instances)
    bounds, objectives = (
        first.pivot_table(index="instance", columns="method", values=values).assign(**{"j3o-decomposed": ours[values]})
        for values in ("bound", "objective")
    )
    best = objectives.max(axis=1)
    gaps = bounds[list(METHODS)].div(best, axis=0) - 1
    highs_s = first[first["method"] == "optimum-highs"].set_index("instance")["seconds"]
    facts = pd.DataFrame(
        {
            "size": {instance.name: instance.size_class for instance in instances},
            "batching": {instance.name: instance.batching for instance in instances},
        }
    )
    if (bounds["j3o-decomposed"] < best * (1 - 1e-9)).any():
        raise SystemExit("a bound lies below a decision")
    table = facts.join(100 * gaps).join((ours["seconds"] / highs_s).rename("seconds / HiGHS"))
    table["accuracy / best"] = objectives["j3o-decomposed"] / best
    table["J3O's / best"] = objectives["j3o-batching"] / best
    print("gaps of bounds in %")
    if options.each:
        print(table.drop(columns=["size", "batching"]).round(4).to_string())
    print(table.groupby(["size", "batching"]).mean().round(4).T.to_string())
    print(f"instances that the free licence of Gurobi is too small for: {int(gaps['optimum-gurobi'].isna().sum())}")
    long = highs_s[highs_s > 1].index
    print(
        f"seconds / HiGHS: {table.loc[long, 'seconds / HiGHS'].mean():.2%} in the mean over {len(long)} where "
        f"HiGHS took over a second, {table['seconds / HiGHS'].mean():.2%} over all {len(table)}"
    )


if __name__ == "__main__":
    main()
