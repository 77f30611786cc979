"""Run time of J3O against the solver that proves the optimum (claim J2)."""

from __future__ import annotations

import pandas as pd

from splitshare.results.onloading import UNMEASURED

J3O, SOLVER, LICENSED = "j3o-batching", "optimum-highs", "optimum-gurobi"
OURS = "j3o-decomposed"
"""Ours, beside the paper's."""
WORK_S = 1.0
"""Seconds of the solver from which on a ratio of run times says something."""


def time_table(record: pd.DataFrame) -> pd.DataFrame:
    """A row an instance: seconds of building and solving by each, their ratio, and whether the solver got to its proof.

    Where time was up before (``proved`` false) the ratio is an upper bound. ``ours_s`` is of ``j3o-decomposed``, empty
    where nothing of it is recorded. ``gurobi_s`` is empty, and
    ``gurobi_status`` ``unmeasured``, where the instance is larger than the size-limited licence takes.
    """
    seconds = record.assign(seconds=record["build_s"] + record["solve_s"])
    wide = seconds.pivot_table(index="instance", columns="method", values="seconds", sort=False)
    status = record.pivot_table(index="instance", columns="method", values="status", aggfunc="first", sort=False)
    facts = record.drop_duplicates("instance").set_index("instance")
    table = facts[["zoo", "size", "batching", "clients", "servers", "tasks", "models"]].copy()
    table["j3o_s"], table["highs_s"] = wide[J3O], wide[SOLVER]
    table["proved"] = status[SOLVER] == "optimal"
    table["ratio"] = table["j3o_s"] / table["highs_s"]
    table["ours_s"] = wide.get(OURS)
    table["gurobi_s"] = wide.get(LICENSED)
    table["gurobi_status"] = status.get(LICENSED, UNMEASURED)
    return table.reset_index()


def summary(table: pd.DataFrame) -> pd.DataFrame:
    """A row a size, and one for all instances on which the solver works for more than a second."""
    parts = [(size, part) for size, part in table.groupby("size", sort=False)]
    parts.append((f"solver above {WORK_S:g} s", table[table["highs_s"] > WORK_S]))
    return pd.DataFrame(
        [
            {
                "instances_of": name,
                "instances": len(part),
                "proved": int(part["proved"].sum()),
                "j3o_median_s": part["j3o_s"].median(),
                "j3o_worst_s": part["j3o_s"].max(),
                "highs_median_s": part["highs_s"].median(),
                "mean_ratio": part["ratio"].mean(),
                "median_ratio": part["ratio"].median(),
                "worst_ratio": part["ratio"].max(),
                "total_ratio": part["j3o_s"].sum() / part["highs_s"].sum(),
            }
            for name, part in parts
            if len(part)
        ]
    )
