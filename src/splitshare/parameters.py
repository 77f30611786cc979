"""Ranges of algorithms' parameters, refused where an algorithm is made: once it runs it is too late."""

from __future__ import annotations

from splitshare.errors import shown

MOST = 1e15
"""Of whatever has no end of its own: whole numbers up to it are exact as floats, and fit into 64 bits."""
MOST_THREADS = 1024
"""As many as Gurobi takes."""


def check_within(least: float, most: float = MOST, /, **given: float) -> None:
    """Check that the parameters ``given`` are numbers from ``least`` to ``most``.

    Raises:
        ValueError: names the first that is not, and the range.
    """
    for name, value in given.items():
        if not least <= value <= most:
            raise ValueError(f"{name} must be from {least:g} to {most:g}, not {shown(value)}")


def check_between(low: float, high: float = MOST, /, **given: float) -> None:
    """Check that the parameters ``given`` are numbers above ``low`` and below ``high``.

    Raises:
        ValueError: names the first that is not, and the range.
    """
    for name, value in given.items():
        if not low < value < high:
            raise ValueError(f"{name} must be above {low:g} and below {high:g}, not {shown(value)}")
