"""What an answer says of its own worth, held against what the evaluator finds."""

from __future__ import annotations

from pathlib import Path

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
