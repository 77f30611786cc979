"""Differences that are rounding: of worths that are told and found, and of shares that are 0 but for it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from splitshare.errors import InputError

OBJECTIVE_TOLERANCE = 1e-6
"""Largest relative difference between an objective that is told (by a solver, in a file) and the evaluator's."""
_LEAST = 1e-12
"""Differences below are rounding, whatever the value."""


def check_stated(source: Path | str, field: str, stated: float | None, found: float) -> None:
    """Refuse a value that a file states of an answer and that is not the evaluator's; ``None``: it states none.

    Raises:
        InputError: the two differ by more than rounding.
    """
    if stated is not None and abs(stated - found) > OBJECTIVE_TOLERANCE * abs(found) + _LEAST:
        raise InputError(source, field, f"is {stated!r}, where the evaluator finds {found!r}; write that, or null")


def without_rounding(values: ArrayLike) -> NDArray[np.float64]:
    """Relative differences (gaps, prices, regrets) for a table: those within rounding of 0 are 0, not 2e-16 or -2e-16.

    The rest, NaN too, stay as they are. Any shape.
    """
    found = np.asarray(values, dtype=float)
    return np.where(np.abs(found) <= OBJECTIVE_TOLERANCE, 0.0, found)
