"""Numbers of bytes and parameters as a person reads them."""

from __future__ import annotations


def bytes_in_words(size: float) -> str:
    """Three figures or so with a unit: ``4 B``, ``86.5 kB``, ``607.0 MB``, ``13.5 GB``."""
    return f"{_scaled(size, ('', 'k', 'M', 'G'))}B"


def count_in_words(count: float) -> str:
    """Likewise without a unit: ``1``, ``21.6 k``, ``303.5 M``, ``6.7 G``."""
    return _scaled(count, ("", "k", "M", "G")).rstrip()


def _scaled(value: float, prefixes: tuple[str, ...]) -> str:
    for power in range(len(prefixes) - 1, 0, -1):
        if value >= 1000**power:
            return f"{value / 1000**power:,.1f} {prefixes[power]}"
    return f"{value:,.0f} "
