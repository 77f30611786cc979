"""A mixed-integer linear program: written down column by column and row by row, read as arrays."""

from __future__ import annotations

from array import array
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Literal

import numpy as np
import numpy.typing as npt

from splitshare.errors import WorkError

Sense = Literal["<=", "=", ">="]
Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int32]

FEASIBILITY_TOLERANCE = 1e-6
"""Largest violation of a row (relative to its largest term), a bound or integrality that an answer may have."""


@dataclass(frozen=True, eq=False)
class Program:
    """The arrays of a program: its columns, and its rows as one sparse matrix, row after row."""

    cost: Floats
    lower: Floats
    upper: Floats
    integer: npt.NDArray[np.bool_]
    start: Ints
    """Where each row's terms begin, and at last where they end: shape (rows + 1,)."""
    index: Ints
    """Column of each term."""
    coefficient: Floats
    sense: npt.NDArray[np.str_]
    """``<``, ``=`` or ``>`` by row."""
    right: Floats

    @property
    def columns(self) -> int:
        """How many columns there are."""
        return len(self.cost)

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return len(self.right)

    @cached_property
    def row_of(self) -> Ints:
        """Row of each term."""
        return np.repeat(np.arange(self.rows, dtype=np.int32), np.diff(self.start))

    @property
    def bounded_below(self) -> bool:
        """Whether column bounds alone keep the objective finite, so that *unbounded* can be ruled out."""
        end = np.where(self.cost > 0, self.lower, self.upper)[self.cost != 0]
        return bool(np.isfinite(end).all())

    def with_columns(self, order: npt.NDArray[np.int64]) -> Program:
        """The same program with its columns in another order: those at the positions ``order``, of shape (columns,)."""
        place = np.empty(self.columns, dtype=np.int32)
        place[order] = np.arange(self.columns, dtype=np.int32)
        return replace(
            self,
            cost=self.cost[order],
            lower=self.lower[order],
            upper=self.upper[order],
            integer=self.integer[order],
            index=place[self.index],
        )

    def violation(self, left: Floats) -> Floats:
        """By how much each row does not hold where its terms come to ``left``; 0 or less where it does."""
        over = left - self.right
        return np.where(self.sense == "<", over, np.where(self.sense == ">", -over, np.abs(over)))

    def recheck(self, values: Floats, answered: str) -> float:
        """Recompute an answer in plain arithmetic.

        Args:
            values: a value a column.
            answered: who answered, for the error.

        Returns:
            The objective of ``values``.

        Raises:
            WorkError: a value is no number, or breaks a bound, integrality or a row by more than the tolerance.
        """
        if not np.isfinite(values).all():
            raise WorkError(f"{answered}: the answer has values that are not numbers")
        bound = float(np.max(np.maximum(self.lower - values, values - self.upper), initial=0.0))
        whole = float(np.max(np.abs(values - np.round(values))[self.integer], initial=0.0))
        if bound > FEASIBILITY_TOLERANCE or whole > FEASIBILITY_TOLERANCE:
            raise WorkError(f"{answered}: the answer breaks bounds by {bound:.1e} and integrality by {whole:.1e}")
        terms = self.coefficient * values[self.index]
        scale = np.maximum(1.0, np.abs(self.right))
        np.maximum.at(scale, self.row_of, np.abs(terms))
        broken = self.violation(np.bincount(self.row_of, terms, minlength=self.rows).astype(float))
        wrong = broken > FEASIBILITY_TOLERANCE * scale
        if wrong.any():
            raise WorkError(f"{answered}: the answer breaks a constraint by {broken[wrong][0]:.1e}")
        return float((self.cost * values).sum())


def _doubles() -> array[float]:
    return array("d")


def _ints() -> array[int]:
    return array("i")


@dataclass
class Milp:
    """A minimisation over columns with bounds, some of them integer, and linear rows, while it is written down.

    Columns are numbered in the order in which they are added, one by one or many alike at once; rows take
    ``{column: coefficient}``, or many rows their terms as arrays.
    """

    costs: array[float] = field(default_factory=_doubles)
    lower: array[float] = field(default_factory=_doubles)
    upper: array[float] = field(default_factory=_doubles)
    integer: bytearray = field(default_factory=bytearray)
    ends: array[int] = field(default_factory=_ints)
    """Where each row's terms end."""
    indices: array[int] = field(default_factory=_ints)
    coefficients: array[float] = field(default_factory=_doubles)
    senses: bytearray = field(default_factory=bytearray)
    """The first letter of each row's sense."""
    right: array[float] = field(default_factory=_doubles)

    def add_column(self, *, cost: float = 0.0, lower: float = 0.0, upper: float = np.inf, integer: bool = False) -> int:
        """Add a column and return its number."""
        self.costs.append(cost)
        self.lower.append(lower)
        self.upper.append(upper)
        self.integer.append(integer)
        return len(self.costs) - 1

    def add_columns(self, count: int, *, upper: float) -> Ints:
        """Add continuous columns without costs, from 0 to ``upper``, and return their numbers."""
        first = len(self.costs)
        self.costs.extend(array("d", bytes(8 * count)))
        self.lower.extend(array("d", bytes(8 * count)))
        self.upper.extend(array("d", [upper]) * count)
        self.integer.extend(bytes(count))
        return np.arange(first, first + count, dtype=np.int32)

    def add_row(self, terms: Mapping[int, float], sense: Sense, right: float) -> None:
        """Add a row ``sum(coefficient * column) sense right``."""
        self.indices.extend(terms)
        self.coefficients.extend(terms.values())
        self.ends.append(len(self.indices))
        self.senses.append(ord(sense[0]))
        self.right.append(right)

    def add_rows(self, row: Ints, index: Ints, coefficient: Floats, sense: Sense, right: float, *, count: int) -> None:
        """Add ``count`` rows of one sense and right side; each term has its row among them, its column and coefficient.

        Terms of a row keep their order.
        """
        order = np.argsort(row, kind="stable")
        ends = len(self.indices) + np.cumsum(np.bincount(row, minlength=count))
        self.indices.frombytes(index[order].astype(np.int32).tobytes())
        self.coefficients.frombytes(coefficient[order].astype(np.float64).tobytes())
        self.ends.frombytes(ends.astype(np.int32).tobytes())
        self.senses.extend(sense[0].encode() * count)
        self.right.extend(array("d", [right]) * count)

    def program(self) -> Program:
        """What is written down so far, as arrays."""
        return Program(
            cost=np.array(self.costs, dtype=float),
            lower=np.array(self.lower, dtype=float),
            upper=np.array(self.upper, dtype=float),
            integer=np.array(self.integer, dtype=bool),
            start=np.concatenate([[0], self.ends]).astype(np.int32),
            index=np.array(self.indices, dtype=np.int32),
            coefficient=np.array(self.coefficients, dtype=float),
            sense=np.array(self.senses, dtype=np.uint8).view("S1").astype("U1"),
            right=np.array(self.right, dtype=float),
        )
