"""Results that somebody computed elsewhere, as a file to be held against the recorded baselines (ours)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from splitshare.choices import Sense
from splitshare.errors import InputError, shown
from splitshare.files import csv_rows
from splitshare.parquet import read_frame
from splitshare.ranges import MOST_SEED
from splitshare.replay.tables import at_row, check_columns, parse_counts, parse_floats
from splitshare.results.baselines import check_digests
from splitshare.results.table import OPTIMALITY_TOLERANCE

OPTIONAL = ("method", "seed", "instance_sha256", "status", "solve_s")
NO_TIME = ("", "nan", "NaN")
"""How tables write that a time is not known. An objective is left empty: nan may be a computation gone wrong."""
ANSWERED = ("", "optimal", "feasible", "time_limit")
"""Values of a status (or none) of a row whose objective counts."""
RECALCULATED = ("family", "workload", "reason", "gap")
"""Columns of a comparison's own ``results.csv`` that may be there and are not read."""


def read_reported(
    path: Path, recorded: pd.DataFrame, *, objective: str, ignored: Sequence[str], sense: Sense
) -> tuple[str, pd.DataFrame]:
    """Read a table (CSV or Parquet) with a row for each instance and seed.

    Columns: ``instance`` and the objective's (empty where there is no answer), and where they are known ``method``
    (one for the whole file; else the file's name), ``seed``, ``instance_sha256``, ``status``, ``solve_s``. A row whose
    status is not among ``ANSWERED``, such as ``infeasible``, has no answer either, whatever its objective.

    Args:
        path: the file.
        recorded: the baselines that it is held against (``splitshare.problems.problem.Recorded``); where they have a
            ``proved_bound``, it goes before the reference, which may be bettered.
        objective: name of the objective's column.
        ignored: names of further columns that may be there and are not read, such as the reference's.
        sense: whether less or more is better.

    Returns:
        The method's name, and its results, the objective's column as ``objective``: NaN where there is no answer.

    Raises:
        InputError: names the file, the column or row, and the mend: an unknown instance or another digest, a missing
            column, a value that is no number, or one beyond what is proved, or a recorded method's name.
    """
    table = _read(path, objective, (*RECALCULATED, *ignored))
    methods = list(dict.fromkeys(table["method"])) if "method" in table else [path.stem]
    if len(methods) != 1 or not methods[0]:
        raise InputError(path, "method", f"holds {len(methods)} methods, or none; give a file for each")
    if methods[0] in set(recorded["method"]):  # their rows could not be told apart
        raise InputError(path, "method", taken_name(methods[0]))
    if "status" in table:
        table[objective] = table[objective].where(table["status"].isin(ANSWERED))
    known = dict(zip(recorded["instance"], _bounds(recorded), strict=True))
    for i, (instance, value) in enumerate(zip(table["instance"], table[objective], strict=True)):
        if instance not in known:
            raise InputError(path, at_row("instance", i), f"{shown(instance)} is not among the recorded ones")
        excess = value - known[instance] if sense == "min" else known[instance] - value
        if excess < -OPTIMALITY_TOLERANCE * abs(known[instance]):
            beyond = f"{'below' if sense == 'min' else 'above'} the proved bound"
            problem = (
                f"{value!r} is {beyond} of {instance}, {known[instance]!r}; its answer is "
                "infeasible, or was not scored by `splitshare evaluate`"
            )
            raise InputError(path, at_row(objective, i), problem)
    if "seed" not in table:
        table = table.assign(seed=0)
    twice = table.duplicated(["instance", "seed"])
    if twice.any():
        name, seed = table.loc[twice, ["instance", "seed"]].iloc[0]
        raise InputError(path, name, f"is there twice with seed {seed}; keep one row")
    if "instance_sha256" in table:
        check_digests(recorded, dict(zip(table["instance"], table["instance_sha256"], strict=True)), path)
    if "status" not in table:
        table = table.assign(status=np.where(table[objective].notna(), "feasible", "infeasible"))
    if "solve_s" not in table:
        table = table.assign(solve_s=np.nan)
    return str(methods[0]), table.rename(columns={objective: "objective"})


def _bounds(recorded: pd.DataFrame) -> pd.Series[Any]:
    """What no result is better than: the proved bound where it is told, else the reference."""
    if "proved_bound" not in recorded:
        return recorded["reference"]
    return recorded["proved_bound"].fillna(recorded["reference"])


def taken_name(name: str) -> str:
    """What is told of a new method that is called as a recorded one."""
    return f"the name {name!r} is a recorded method's; give it another"


def columns_of(path: Path) -> list[str]:
    """Names of a table's columns, whatever they are.

    Raises:
        InputError: the file is missing, or no table.
    """
    return _cells(path)[0]


def _cells(path: Path) -> tuple[list[str], list[list[str]]]:
    """Header, and cells as text, a list a column."""
    if path.suffix == ".parquet":
        table = read_frame(path)
        return [str(c) for c in table.columns], [[_text(v) for v in table[c]] for c in table.columns]
    header, *body = csv_rows(path) or [[]]
    for i, row in enumerate(body):
        if len(row) != len(header):
            raise InputError(path, f"row {i + 1}", f"has {len(row)} fields where the header has {len(header)}")
    return header, [[row[i] for row in body] for i in range(len(header))]


def _read(path: Path, objective: str, ignored: Sequence[str]) -> pd.DataFrame:
    """The columns that are read, each of its type."""
    header, cells = _cells(path)
    check_columns(path, header, ("instance", objective), (*OPTIONAL, *ignored))
    columns = dict(zip(header, cells, strict=True))
    if not columns["instance"]:
        raise InputError(path, "", "has no rows; add at least one")
    table: dict[str, Any] = {name: columns[name] for name in header if name not in ignored}
    table[objective] = _numbers(path, objective, table[objective], ("",))
    if "solve_s" in table:
        table["solve_s"] = _numbers(path, "solve_s", table["solve_s"], NO_TIME)
    if "seed" in table:
        table["seed"] = parse_counts(path, "seed", table["seed"], MOST_SEED)
    return pd.DataFrame(table)


def _text(value: object) -> str:
    """A cell of a Parquet table as it would stand in a CSV file."""
    if value is None or value is pd.NA or value is pd.NaT:
        return ""
    if isinstance(value, float):
        return "" if np.isnan(value) else f"{value:.0f}" if value.is_integer() and abs(value) < 1e15 else repr(value)
    return value if isinstance(value, str) else str(value)


def _numbers(path: Path, column: str, texts: Sequence[str], nothing: Sequence[str]) -> Any:
    """Numbers from 0, NaN where a text is among ``nothing``."""
    values = np.full(len(texts), np.nan)
    for i, text in enumerate(texts):
        if text in nothing:
            continue
        values[i : i + 1] = parse_floats(path, column, [text], first=i)
    return values
