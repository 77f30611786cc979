"""The record of how claims fare with times that are off (``make record-robustness``)."""

from __future__ import annotations

import pandas as pd

ROBUSTNESS = "robustness.csv"
"""The record, below ``data/baselines``."""
RANKING = "ranking"
"""What rows on the order of methods are called, in the place of a claim."""
ASSUMED = "assumed"
"""Draws in which only assumed times are off."""


def hangs_on_assumed(record: pd.DataFrame) -> pd.Series[bool]:
    """Of every row, whether its claim and reading fails in a draw in which only assumed times are off."""
    worst = record[record["times"] == ASSUMED].groupby(["claim", "reading"])["holds"].min()
    keys = pd.MultiIndex.from_frame(record[["claim", "reading"]])
    return pd.Series(worst.reindex(keys).to_numpy() < 1, index=record.index)
