"""The record of what known methods do over held-out families, and the best that is known of each instance.

``families.csv`` has a row a run; ``at_limit`` is 1 where it lasted as long as its time limit, so that its value may
hang on the machine. ``families_best.csv`` has a row an instance: the best value that any run found, the highest lower
bound that any run proved, and which method of which version did. The second is no summary of the first: longer runs
that are kept nowhere else may have lowered a value or raised a bound in it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from splitshare.errors import InputError
from splitshare.parquet import check_types, refusals
from splitshare.placement.held_out import held_out
from splitshare.placement.instance import PlacementInstance
from splitshare.results.baselines import check_digests
from splitshare.results.table import OPTIMALITY_TOLERANCE
from splitshare.results.write import write_csv

RESULTS, BEST = "families.csv", "families_best.csv"
"""The files, below ``data/baselines``."""
KEY = ("family", "instance", "method", "seed")
"""What makes a row of results one of a kind."""
COLUMNS = (
    *KEY,
    *("instance_sha256", "status", "objective_s", "bound_s", "time_limit_s", "at_limit", "build_s", "solve_s"),
    *("solver_version", "splitshare", "machine", "revision", "date"),
)
NUMBERS = ("seed", "objective_s", "bound_s", "time_limit_s", "at_limit", "build_s", "solve_s")
TEXTS = ("family", "instance", "method", "instance_sha256", "status")
BEST_COLUMNS = (
    *("family", "instance", "instance_sha256", "devices", "modules", "requests", "objective_s", "found_by"),
    *("found_version", "found_date", "bound_s", "proved_by", "proved_version", "proved_date", "optimal"),
)
BEST_NUMBERS = ("devices", "modules", "requests", "objective_s", "bound_s", "optimal")
BEST_TEXTS = ("family", "instance", "instance_sha256", "found_by", "found_version")
UNMEASURED = "unmeasured"
"""Status of a row that a solver's licence refused for its size."""
MEND = "delete it and record the families again with `make record-families`"


def read_results(path: Path) -> pd.DataFrame:
    """Read ``families.csv``; seconds of objectives, bounds and runs, ``at_limit`` 0 or 1.

    Raises:
        InputError: names the file, the column and the mend.
    """
    table = _read(path, COLUMNS, NUMBERS, TEXTS)
    twice = table.duplicated(list(KEY))
    if twice.any():
        row = table.loc[twice].iloc[0]
        raise InputError(path, row["instance"], f"has two rows of {row['method']!r}, seed {row['seed']}; keep one")
    return table


def read_best(path: Path) -> pd.DataFrame:
    """Read ``families_best.csv``: seconds of the best value and of the proved bound, ``optimal`` 0 or 1.

    Raises:
        InputError: names the file, the instance and the mend: a bound above a value, too.
    """
    table = _read(path, BEST_COLUMNS, BEST_NUMBERS, BEST_TEXTS)
    if table["instance"].duplicated().any():
        name = table.loc[table["instance"].duplicated(), "instance"].iloc[0]
        raise InputError(path, name, "is there twice; keep one row")
    for row in plain_rows(table):
        objective, bound = float(row["objective_s"]), float(row["bound_s"])
        if not 0 < objective < np.inf:
            raise InputError(path, row["instance"], f"objective_s must be above 0, not {objective!r}; {MEND}")
        if bound > objective:
            raise InputError(path, row["instance"], f"bound_s {bound!r} is above objective_s {objective!r}; {MEND}")
    return table


def _read(path: Path, columns: tuple[str, ...], numbers: tuple[str, ...], texts: tuple[str, ...]) -> pd.DataFrame:
    if not path.is_file():
        raise InputError(path, "", f"no record there; {MEND}")
    with refusals(path):
        table = pd.read_csv(path, low_memory=False)
    missing = [column for column in columns if column not in table]
    if missing:
        raise InputError(path, missing[0], f"column is missing; {MEND}")
    check_types(path, table, numbers, texts)
    others = [column for column in columns if column not in (*numbers, *texts)]
    return table[list(columns)].astype(dict.fromkeys(others, object)).fillna(dict.fromkeys(others, ""))


def plain_rows(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows as plain data by column."""
    return [{str(column): value for column, value in row.items()} for row in table.to_dict("records")]


def write_results(table: pd.DataFrame, path: Path) -> None:
    """Write rows of results, sorted, whole or not at all."""
    write_csv(table[list(COLUMNS)].sort_values(list(KEY), kind="stable"), path)


def write_best(table: pd.DataFrame, path: Path) -> None:
    """Write what is known best, sorted, whole or not at all; an instance that nothing has placed has no row."""
    placed = table.loc[table["objective_s"] < np.inf, list(BEST_COLUMNS)]
    write_csv(placed.sort_values(["family", "instance"], kind="stable"), path)


def check_best(results: pd.DataFrame, best: pd.DataFrame, digests: Mapping[str, str], path: Path) -> None:
    """Refuse a best value that a recorded run beats, one of another instance, and an instance without one.

    Args:
        results: recorded results.
        best: what is known best.
        digests: of the held-out instances, by name.
        path: file of ``best``, for the message.

    Raises:
        InputError: names the first such instance.
    """
    known = {row["instance"]: row for row in plain_rows(best)}
    least = results.groupby("instance")["objective_s"].min()
    for name, digest in digests.items():
        if name not in known:
            raise InputError(path, name, f"has no row; {MEND}")
        if known[name]["instance_sha256"] != digest:
            raise InputError(path, name, f"is another instance there, by its digest; {MEND}")
        value = float(known[name]["objective_s"])
        if least.get(name, np.inf) < value * (1 - OPTIMALITY_TOLERANCE):
            raise InputError(path, name, f"{value!r} s is not the best: a recorded run has {least[name]!r} s; {MEND}")


def recorded_families(
    names: Sequence[str], directory: Path
) -> tuple[dict[str, tuple[PlacementInstance, ...]], pd.DataFrame]:
    """Held-out instances of families, drawn anew, and what recorded methods made of them.

    Args:
        names: of ``placement.held_out.HELD_OUT``.
        directory: of all recorded baselines.

    Returns:
        Instances by family, and results with the objective as ``objective``, and ``workload`` (each instance is one),
        ``reference`` (the best known), ``proved_bound`` and ``found_by``.

    Raises:
        InputError: the record is missing, wrong, or of other instances than those that are drawn.
    """
    results, best = read_results(directory / RESULTS), read_best(directory / BEST)
    instances = {family: held_out(family) for family in names}
    for part in instances.values():
        digests = {i.name: i.sha256() for i in part}
        check_digests(results, digests, directory / RESULTS, every=True)
        check_best(results, best, digests, directory / BEST)
    known = best.set_index("instance")
    results = results[results["family"].isin(list(names))].rename(columns={"objective_s": "objective"})
    return instances, results.assign(
        workload=results["instance"],
        reference=results["instance"].map(known["objective_s"]),
        proved_bound=results["instance"].map(known["bound_s"]),
        found_by=results["instance"].map(known["found_by"] + ", " + known["found_version"]),
    ).reset_index(drop=True)
