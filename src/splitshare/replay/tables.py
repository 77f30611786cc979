"""Tables of the replay stage on disk: strict columns in, deterministic Parquet or CSV out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from splitshare.errors import InputError, shown
from splitshare.files import atomic_path, csv_rows
from splitshare.ranges import MOST_SECONDS
from splitshare.records import nearest

MOST_IDENTITY = 10**18
"""Greatest number that a request may have."""


def at_row(column: str, index: int) -> str:
    """Name a cell as a person counts: data rows from 1, the header not among them."""
    return f"{column}, row {index + 1}"


def check_columns(path: Path, found: Sequence[str], required: Sequence[str], optional: Sequence[str] = ()) -> None:
    """Refuse unknown, repeated and missing columns.

    Raises:
        InputError: names the first such column and the mend.
    """
    known = [*required, *optional]
    for i, name in enumerate(found):
        if name not in known and name.strip() in known:
            raise InputError(path, name.strip(), "stands with a blank before or behind it; take it away, in all rows")
        if name not in known and len(found) == 1 and ";" in name:
            raise InputError(path, "", "has fields separated by semicolons; separate them by commas")
        if name not in known:
            raise InputError(path, name, f"unknown column; {nearest(name, known)}")
        if name in found[:i]:
            raise InputError(path, name, "the column stands twice; keep one")
    for name in required:
        if name not in found:
            raise InputError(path, name, f"the column is missing; expected {', '.join(required)}")


def read_csv(path: Path, required: Sequence[str], optional: Sequence[str] = ()) -> dict[str, list[str]]:
    """Read a CSV file with a header into columns of text.

    A missing final newline, a byte-order mark and either kind of line end are fine.

    Raises:
        InputError: the file cannot be read, has other columns, a row of another length, or no row.
    """
    rows = csv_rows(path)
    if not rows:
        raise InputError(path, "", f"is empty; expected the columns {', '.join(required)}")
    header, body = rows[0], rows[1:]
    check_columns(path, header, required, optional)
    for i, row in enumerate(body):
        if len(row) != len(header):
            raise InputError(path, f"row {i + 1}", f"has {len(row)} fields where the header has {len(header)}")
    if not body:
        raise InputError(path, "", "has no rows; add at least one")
    return {name: list(values) for name, values in zip(header, zip(*body, strict=True), strict=True)}


def parse_floats(
    path: Path, column: str, texts: Sequence[str], most: float = MOST_SECONDS, *, first: int = 0
) -> NDArray[np.float64]:
    """Parse decimal numbers from 0 to ``most``.

    Raises:
        InputError: names the first row that is not one.
    """
    values = np.empty(len(texts))
    for i, text in enumerate(texts):
        try:
            values[i] = np.nan if "_" in text else float(text)
        except ValueError:
            values[i] = np.nan
    check_numbers(path, column, values, texts, most, first=first)
    return values


def parse_counts(path: Path, column: str, texts: Sequence[str], most: int = MOST_IDENTITY) -> NDArray[np.int64]:
    """Parse whole numbers from 0 to ``most``.

    Raises:
        InputError: names the first row that is not one.
    """
    values = np.empty(len(texts), dtype=np.int64)
    for i, text in enumerate(texts):
        if not (text.isascii() and text.isdigit() and len(text) <= 20 and int(text) <= most):
            problem = f"must be a whole number from 0 to {most:.0e}, not {shown(text)}"
            raise InputError(path, at_row(column, i), problem)
        values[i] = int(text)
    return values


def check_numbers(
    path: Path,
    column: str,
    values: NDArray[Any],
    cells: Sequence[object] | NDArray[Any],
    most: float = MOST_SECONDS,
    *,
    first: int = 0,
) -> None:
    """Refuse what is no number from 0 to ``most``.

    Args:
        path: file that the column came from.
        column: its name.
        values: the column, shape (rows,).
        cells: what stands in the file, for the message; shape (rows,).
        most: greatest that is taken.
        first: row of the first value, counted from 0.

    Raises:
        InputError: names the first such row.
    """
    wrong = np.flatnonzero(~((values >= 0) & (values <= most)))
    if wrong.size:
        i = int(wrong[0])
        raise InputError(
            path, at_row(column, first + i), f"must be a number from 0 to {most:g}, not {shown(str(cells[i]))}"
        )


def categorical(codes: NDArray[Any], names: Sequence[str]) -> pd.Categorical[str]:
    """A column of text held as positions in ``names``; -1 is null."""
    return pd.Categorical.from_codes(codes, categories=pd.Index(list(names), dtype="str"))


def check_table_path(path: Path) -> None:
    """Refuse a name whose suffix is neither ``.parquet`` nor ``.csv``, before any work is done for it.

    Raises:
        InputError: with the two suffixes that are known.
    """
    if path.suffix not in {".parquet", ".csv"}:
        raise InputError(path, "", "the suffix chooses the format; end the name in .parquet or .csv")


def write_table(frame: pd.DataFrame, path: Path, metadata: Mapping[str, str] = MappingProxyType({})) -> None:
    """Write a table as Parquet or CSV by suffix, whole or not at all, the same bytes for the same table.

    The index is left out, and so is pandas' own metadata, which would put library versions into the file.

    Args:
        frame: the table.
        path: where to.
        metadata: what a Parquet file says of itself; CSV has no place for it.

    Raises:
        InputError: the suffix is neither ``.parquet`` nor ``.csv``.
    """
    check_table_path(path)
    with atomic_path(path) as temporary:
        if path.suffix == ".csv":
            frame.to_csv(temporary, index=False, lineterminator="\n")
        else:
            table = pa.Table.from_pandas(frame, preserve_index=False).replace_schema_metadata(dict(metadata) or None)
            pq.write_table(table, temporary, compression="zstd")
