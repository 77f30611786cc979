"""Results that somebody computed elsewhere, as a file to be held against the recorded baselines (ours)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from splitshare.errors import InputError
from splitshare.results.baselines import check_digests
from splitshare.results.table import OPTIMALITY_TOLERANCE

REQUIRED = ("instance", "objective_s")
OPTIONAL = ("method", "seed", "instance_sha256", "status", "solve_s")
TEXT = {"instance": str, "method": str, "instance_sha256": str}
RECALCULATED = ("family", "workload", "reason", "optimum_s", "gap")
"""Columns of a comparison's own ``results.csv`` that may be there and are not read."""


def read_reported(path: Path, recorded: pd.DataFrame) -> tuple[str, pd.DataFrame]:
    """Read a table (CSV or Parquet) with a row for each instance and seed.

    Columns: ``instance`` and ``objective_s`` (empty where there is no placement), and where they are known ``method``
    (one for the whole file; else the file's name), ``seed``, ``instance_sha256``, ``status``, ``solve_s``.

    Args:
        path: the file.
        recorded: the baselines that it is held against.

    Returns:
        The method's name, and its results.

    Raises:
        InputError: names the file, the column or row, and the mend: an unknown instance or another digest, a missing
            column, a value that is no time, or one below the proved optimum.
    """
    table = _read(path)
    unknown = [c for c in table.columns if c not in (*REQUIRED, *OPTIONAL, *RECALCULATED)]
    for column in REQUIRED:
        if column not in table:
            raise InputError(path, column, "column is missing; a row needs an instance and its objective_s")
    if unknown:
        raise InputError(path, unknown[0], f"unknown column; known are {', '.join((*REQUIRED, *OPTIONAL))}")
    methods = list(dict.fromkeys(table["method"])) if "method" in table else [path.stem]
    if len(methods) != 1:
        raise InputError(path, "method", f"holds {len(methods)} methods; give a file for each")
    optima = recorded[recorded["method"] == "optimum"].set_index("instance")["objective_s"]
    for number, row in enumerate(table.itertuples(index=False), start=1):
        _check_row(path, number, str(row.instance), row.objective_s, optima)
    table = table.assign(seed=table.get("seed", 0))
    twice = table.duplicated(["instance", "seed"])
    if twice.any():
        name, seed = table.loc[twice, ["instance", "seed"]].iloc[0]
        raise InputError(path, name, f"is there twice with seed {seed}; keep one row")
    if "instance_sha256" in table:
        check_digests(recorded, dict(zip(table["instance"], table["instance_sha256"], strict=True)), path)
    if "status" not in table:
        table = table.assign(status=np.where(table["objective_s"].notna(), "feasible", "infeasible"))
    if "solve_s" not in table:
        table = table.assign(solve_s=np.nan)
    return str(methods[0]), table


def _read(path: Path) -> pd.DataFrame:
    if not path.is_file():
        raise InputError(path, "", "does not exist; give a CSV or Parquet file")
    try:
        table = pd.read_parquet(path) if path.suffix == ".parquet" else pd.read_csv(path, dtype=TEXT)
    except (OSError, ValueError) as error:
        raise InputError(path, "", f"is no table: {str(error).splitlines()[0]}") from None
    if table.empty:
        raise InputError(path, "", "holds no rows")
    return table


def _check_row(path: Path, number: int, instance: str, objective: object, optima: pd.Series[float]) -> None:
    field = f"row {number}: objective_s"
    if instance not in optima.index:
        raise InputError(path, f"row {number}: instance", f"{instance!r} is not among the recorded ones")
    if not isinstance(objective, int | float):
        raise InputError(path, field, f"{objective!r} is not a number of seconds")
    if np.isnan(objective):
        return
    if np.isinf(objective) or objective < 0:
        raise InputError(path, field, f"{objective!r} is no time; leave it empty where there is no placement")
    if objective < optima[instance] * (1 - OPTIMALITY_TOLERANCE):
        raise InputError(
            path,
            field,
            f"{objective!r} is below the proved optimum of {instance}, {optima[instance]!r}; its placement is "
            "infeasible, or was not scored by `splitshare evaluate`",
        )
