"""The table of a search for worst cases: a row an algorithm and what it was held against (ours)."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from splitshare.errors import InputError
from splitshare.parquet import check_types, refusals

RECORD = "adversarial.csv"
"""The file, below ``data/baselines``."""
TEXTS = ("of", "against", "start")
NUMBERS = ("ratio", "objective_s", "reference_s", "start_ratio", "dead_ends", "starts", "steps", "reach", "seed")
COLUMNS = (
    *("of", "against", "ratio", "objective_s", "reference_s", "start", "start_ratio", "dead_ends", "starts", "steps"),
    *("reach", "seed", "file"),
)
"""``ratio``: largest of the algorithm's objective over the reference's, NaN where no instance had one; ``start``: where
that search began; ``dead_ends``: instances that only the reference places; ``file``: the instance's, or nothing."""


def read_worst_cases(path: Path) -> pd.DataFrame:
    """Read such a table.

    Raises:
        InputError: names the file, the column or the row, and the mend.
    """
    with refusals(path):
        table = pd.read_csv(path)
    missing = [column for column in COLUMNS if column not in table]
    if missing:
        raise InputError(path, missing[0], "column is missing; search again with `splitshare adversarial`")
    check_types(path, table, NUMBERS, TEXTS)
    if table.empty:
        raise InputError(path, "", "has no row; search again with `splitshare adversarial`")
    twice = table.duplicated(["of", "against"])
    if twice.any():
        row = table.loc[twice].iloc[0]
        raise InputError(path, str(row["of"]), f"is held twice against {row['against']!r}; keep one row")
    return table[list(COLUMNS)]


def matrix_of(table: pd.DataFrame) -> pd.DataFrame:
    """Largest ratios, a row an algorithm, a column a reference, in the order of the rows; NaN where there is none."""
    of, against = (list(dict.fromkeys(table[column])) for column in ("of", "against"))
    # References in the order of the algorithms, others after them.
    columns = [name for name in of if name in against] + [name for name in against if name not in of]
    # A pivot_table would leave algorithms out that have no ratio.
    matrix = table.pivot(index="of", columns="against", values="ratio")  # noqa: PD010
    return matrix.reindex(index=of, columns=columns)
