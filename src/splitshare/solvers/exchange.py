"""Programs as files for any other solver, and such a solver's answer read back."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from splitshare.errors import InputError, WorkError
from splitshare.files import atomic_path, read_text
from splitshare.solvers.program import Floats, Program

PROGRAM, SOLUTION = ".mps", ".sol"
"""Suffixes of the two kinds of files."""


@dataclass(frozen=True)
class NamedProgram:
    """An instance's exact program, and what a solution of it says."""

    program: Program
    names: tuple[str, ...]
    """A name a column."""
    solved: Callable[[Floats], Any]
    """An algorithm that answers what a solution says, of shape (columns,)."""


def column_names(columns: int, meaning: dict[int, str]) -> tuple[str, ...]:
    """Names of columns: what they mean, where that is said, and their numbers."""
    return tuple(meaning.get(number, f"c{number}") for number in range(columns))


def write_program(named: NamedProgram, path: Path) -> None:
    """Write a program as free MPS, whole or not at all; written by HiGHS.

    Raises:
        InputError: another suffix.
        WorkError: it cannot be written, or has no columns.
    """
    from splitshare.solvers.highs import Highs

    if path.suffix != PROGRAM:
        raise InputError("--write-program", path.name, f"programs are written as {PROGRAM}; name the file so")
    if not named.names:
        raise WorkError(f"{path}: the program has no columns: nothing fits anywhere")
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_path(path) as temporary:
        Highs().write(named.program, str(temporary), list(named.names))


def read_solution(path: Path, names: Sequence[str]) -> Floats:
    """Read what a solver wrote of its solution.

    Lines with a column's name and its value count, as Gurobi, HiGHS, SCIP and CBC write them, whatever stands between
    them; columns that are not named are 0.

    Returns:
        A value a column.

    Raises:
        InputError: no column is named, or a value is no number.
    """
    number = {name: i for i, name in enumerate(names)}
    values: Floats = np.zeros(len(names))
    seen: set[str] = set()
    for count, line in enumerate(read_text(path).split("\n"), start=1):
        if line.startswith("# Dual"):  # HiGHS goes on with prices under the same names
            break
        words = line.split()
        at = next((i for i, word in enumerate(words[:-1]) if word in number), None)
        if at is None:
            continue
        try:
            value = float(words[at + 1])
        except ValueError:
            value = math.nan
        if not math.isfinite(value):
            raise InputError(path, f"line {count}", f"{words[at + 1]!r} is no number; write `{words[at]} 1`")
        values[number[words[at]]] = value
        seen.add(words[at])
    if not seen:
        raise InputError(
            path, "", f"names no column of this program, such as {names[0]}; solve what `solve --write-program` wrote"
        )
    return values
