"""Tables as files: whole or not at all, and with no more digits than mean something."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from splitshare.files import atomic_path

SIGNIFICANT_DIGITS = 9
"""Digits of the numbers in canonical tables: enough for every claim, few enough to hide rounding noise."""


def write_csv(table: pd.DataFrame, path: Path) -> None:
    """Write a table as CSV, numbers to ``SIGNIFICANT_DIGITS``, whole or not at all."""
    with atomic_path(path) as temporary:
        table.to_csv(temporary, index=False, float_format=f"%.{SIGNIFICANT_DIGITS}g", lineterminator="\n")


def write_parquet(table: pd.DataFrame, path: Path) -> None:
    """Write a table as Parquet, whole or not at all."""
    with atomic_path(path) as temporary:
        table.to_parquet(temporary, index=False)
