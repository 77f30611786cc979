"""The price at which what is decided at it uses a shared limit up: a program of one shared limit, solved (ours)."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, TypeVar

_Given = TypeVar("_Given")

EXACT = 1e-9
"""Relative precision of the program's value, and how far above the limit counts as rounding."""
FIRST_WIDTH = 1.05
"""Factor by which the price is first moved."""
WIDEST = 4.0
"""Factor at which the price is set to 0."""
MOST = 60
"""Prices that are tried between the two sides."""


class Crossing(NamedTuple):
    """Where the limit is used up."""

    price: float
    value: float
    """What the program is worth."""
    low: float
    """Highest price tried at which more than the limit is used, or 0 where no price is needed."""
    high: float
    """Lowest price tried at which no more than the limit is used."""
    low_use: float
    high_use: float


def crossing_by(at: Callable[[_Given, float], tuple[float, float]]) -> Callable[[_Given, float, float, bool], Crossing]:
    """A function that finds the price, which may be compiled where ``at`` is.

    What is worth most at a price, less the price of what it uses, is a convex function of the price, each decision a
    line; so is that plus the price of the limit, whose least value is the program's. The next price is where the lines
    of both sides meet; it is the last where nothing is below their meeting point.

    Args:
        at: what is worth most at a price, less the price of what it uses; and what it uses. Its first argument is
            whatever it is told besides the price.

    Returns:
        A function of what ``at`` is told, the limit of what may be used, the price where to start, and whether that is
        only guessed: then it looks first whether any price is needed.
    """

    def crossing(given: _Given, limit: float, price: float, guessed: bool) -> Crossing:
        if guessed:
            worth, use = at(given, 0.0)
            if use <= limit * (1 + EXACT):
                return Crossing(0.0, worth, 0.0, 0.0, use, use)
        width = FIRST_WIDTH
        low = price / width
        low_worth, low_use = at(given, low)
        high, high_worth, high_use = low, low_worth, low_use
        while low_use <= limit and low > 0:
            high, high_worth, high_use = low, low_worth, low_use
            width *= width
            low = low / width if width < WIDEST else 0.0
            low_worth, low_use = at(given, low)
        if low_use <= limit * (1 + EXACT):
            return Crossing(0.0, low_worth, 0.0, 0.0, low_use, low_use)
        width = FIRST_WIDTH**2
        while high_use > limit:
            low, low_worth, low_use = high, high_worth, high_use
            high = max(high * width, 1e-9)
            width *= width
            high_worth, high_use = at(given, high)
        value, middle = high_worth + high * limit, high
        for _ in range(MOST):
            if low_use <= high_use:
                break
            # Lines: worth + price x limit, with slopes limit - use.
            middle = (low_worth - high_worth + low_use * low - high_use * high) / (low_use - high_use)
            meet = low_worth + low * limit + (limit - low_use) * (middle - low)
            if not low < middle < high:
                break
            worth, use = at(given, middle)
            value = worth + middle * limit
            if value <= meet * (1 + EXACT):
                break
            if use > limit:
                low, low_worth, low_use = middle, worth, use
            else:
                high, high_worth, high_use = middle, worth, use
        value = min(value, low_worth + low * limit, high_worth + high * limit)
        return Crossing(middle, value, low, high, low_use, high_use)

    return crossing
