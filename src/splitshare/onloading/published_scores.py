"""Published scores of models by task and test set: ``data/published/multitask_zoo.csv``, read strictly."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

from splitshare.errors import InputError, shown
from splitshare.files import csv_rows

COLUMNS = (
    "model",
    "parameters",
    "giga_operations",
    "task",
    "test_set",
    "metric",
    "value",
    "source",
    "note",
)
MOST = 1e12


@dataclass(frozen=True)
class Score:
    """What a model reaches on one test set, as published."""

    model: str
    parameters: float | None
    """As published, where the source says."""
    giga_operations: float | None
    """Multiply-adds of one image in thousands of millions, where the source says."""
    task: str
    test_set: str
    metric: str
    value: float
    """In the metric's unit, which it names after a comma."""
    source: str


def read_scores(path: Path) -> tuple[Score, ...]:
    """Read the table.

    Raises:
        InputError: names the line and the column of what is missing, malformed or doubled.
    """
    lines = csv_rows(path)
    if not lines or lines[0] != list(COLUMNS):
        raise InputError(path, "line 1", f"the header must be {','.join(COLUMNS)}")
    scores: list[Score] = []
    seen: set[tuple[str, str, str, str]] = set()
    for number, cells in enumerate(lines[1:], start=2):
        where = f"line {number}"
        if len(cells) != len(COLUMNS):
            raise InputError(path, where, f"has {len(cells)} cells instead of {len(COLUMNS)}")
        said = dict(zip(COLUMNS, cells, strict=True))
        for column in ("model", "task", "test_set", "metric", "source"):
            if not said[column].strip():
                raise InputError(path, f"{where}, {column}", "is empty; say it")
        key = (said["model"], said["task"], said["test_set"], said["metric"])
        if key in seen:
            raise InputError(path, f"{where}, model", f"{shown(said['model'])} has this score already; keep one")
        seen.add(key)
        value = _number(path, f"{where}, value", said["value"])
        assert value is not None
        scores.append(
            Score(
                said["model"],
                _number(path, f"{where}, parameters", said["parameters"], may_lack=True),
                _number(path, f"{where}, giga_operations", said["giga_operations"], may_lack=True),
                said["task"],
                said["test_set"],
                said["metric"],
                value,
                said["source"],
            )
        )
    if not scores:
        raise InputError(path, "", "has no rows")
    return tuple(scores)


def _number(path: Path, where: str, cell: str, *, may_lack: bool = False) -> float | None:
    if may_lack and not cell:
        return None
    try:
        value = float(cell)
    except ValueError:
        value = math.nan
    if not 0 < value <= MOST or "_" in cell:
        raise InputError(path, where, f"must be a number above 0, at most {MOST:g}, not {shown(cell)}")
    return value
