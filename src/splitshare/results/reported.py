"""Results that somebody computed elsewhere, as a file to be held against the recorded baselines (ours)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from splitshare.errors import InputError, shown
from splitshare.files import csv_rows
from splitshare.parquet import read_frame
from splitshare.ranges import MOST_SEED
from splitshare.replay.tables import at_row, check_columns, parse_counts, parse_floats
from splitshare.results.baselines import check_digests
from splitshare.results.table import OPTIMALITY_TOLERANCE

REQUIRED = ("instance", "objective_s")
OPTIONAL = ("method", "seed", "instance_sha256", "status", "solve_s")
NOTHING = ("", "nan", "NaN")
"""How tables write that there is no number."""
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
    methods = list(dict.fromkeys(table["method"])) if "method" in table else [path.stem]
    if len(methods) != 1 or not methods[0]:
        raise InputError(path, "method", f"holds {len(methods)} methods, or none; give a file for each")
    optima = recorded[recorded["method"] == "optimum"].set_index("instance")["objective_s"].to_dict()
    for i, (instance, objective_s) in enumerate(zip(table["instance"], table["objective_s"], strict=True)):
        if instance not in optima:
            raise InputError(path, at_row("instance", i), f"{shown(instance)} is not among the recorded ones")
        if objective_s < optima[instance] * (1 - OPTIMALITY_TOLERANCE):
            problem = (
                f"{objective_s!r} is below the proved optimum of {instance}, {optima[instance]!r}; its placement is "
                "infeasible, or was not scored by `splitshare evaluate`"
            )
            raise InputError(path, at_row("objective_s", i), problem)
    if "seed" not in table:
        table = table.assign(seed=0)
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
    """The columns that are read, each of its type."""
    if path.suffix == ".parquet":
        table = read_frame(path)
        header, cells = [str(c) for c in table.columns], [[_text(v) for v in table[c]] for c in table.columns]
    else:
        header, *body = csv_rows(path) or [[]]
        for i, row in enumerate(body):
            if len(row) != len(header):
                raise InputError(path, f"row {i + 1}", f"has {len(row)} fields where the header has {len(header)}")
        cells = [[row[i] for row in body] for i in range(len(header))]
    check_columns(path, header, REQUIRED, (*OPTIONAL, *RECALCULATED))
    columns = dict(zip(header, cells, strict=True))
    if not columns["instance"]:
        raise InputError(path, "", "has no rows; add at least one")
    read: dict[str, Any] = {name: columns[name] for name in header if name not in RECALCULATED}
    for name in ("objective_s", "solve_s"):
        if name in read:
            read[name] = _seconds(path, name, read[name])
    if "seed" in read:
        read["seed"] = parse_counts(path, "seed", read["seed"], MOST_SEED)
    return pd.DataFrame(read)


def _text(value: object) -> str:
    """A cell of a Parquet table as it would stand in a CSV file."""
    if value is None or value is pd.NA or value is pd.NaT:
        return ""
    if isinstance(value, float):
        return "" if np.isnan(value) else f"{value:.0f}" if value.is_integer() and abs(value) < 1e15 else repr(value)
    return value if isinstance(value, str) else str(value)


def _seconds(path: Path, column: str, texts: Sequence[str]) -> Any:
    """Seconds, NaN where there is nothing."""
    values = np.full(len(texts), np.nan)
    for i, text in enumerate(texts):
        if text in NOTHING:
            continue
        values[i : i + 1] = parse_floats(path, column, [text], first=i)
    return values
