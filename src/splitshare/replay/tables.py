"""Tables of the replay stage on disk: strict columns in, deterministic Parquet or CSV out."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from splitshare.errors import InputError
from splitshare.files import atomic_path, read_text
from splitshare.records import nearest


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
    lines = read_text(path).removeprefix("\ufeff").splitlines()
    if not lines:
        raise InputError(path, "", f"is empty; expected the columns {', '.join(required)}")
    try:
        rows = list(csv.reader(lines, strict=True))
    except csv.Error as error:
        raise InputError(path, "", f"not valid CSV: {error}") from None
    header, body = rows[0], rows[1:]
    check_columns(path, header, required, optional)
    for i, row in enumerate(body):
        if len(row) != len(header):
            raise InputError(path, f"row {i + 1}", f"has {len(row)} fields where the header has {len(header)}")
    if not body:
        raise InputError(path, "", "has no rows; add at least one")
    return {name: list(values) for name, values in zip(header, zip(*body, strict=True), strict=True)}


def parse_floats(path: Path, column: str, texts: Sequence[str]) -> NDArray[np.float64]:
    """Parse finite, non-negative decimal numbers.

    Raises:
        InputError: names the first row that is not one.
    """
    values = np.empty(len(texts))
    for i, text in enumerate(texts):
        try:
            values[i] = np.nan if "_" in text else float(text)
        except ValueError:
            values[i] = np.nan
    check_numbers(path, column, values, texts)
    return values


def parse_counts(path: Path, column: str, texts: Sequence[str]) -> NDArray[np.int64]:
    """Parse non-negative whole numbers below 10^18.

    Raises:
        InputError: names the first row that is not one.
    """
    values = np.empty(len(texts), dtype=np.int64)
    for i, text in enumerate(texts):
        if not (text.isascii() and text.isdigit() and len(text) <= 18):
            raise InputError(path, at_row(column, i), f"must be a whole number, 0 or more, not {text!r}")
        values[i] = int(text)
    return values


def check_numbers(path: Path, column: str, values: NDArray[np.float64], shown: Sequence[object]) -> None:
    """Refuse what is not finite or negative.

    Args:
        path: file that the column came from.
        column: its name.
        values: the column, shape (rows,).
        shown: what stands in the file, for the message; shape (rows,).

    Raises:
        InputError: names the first such row.
    """
    wrong = np.flatnonzero(~(np.isfinite(values) & (values >= 0)))
    if wrong.size:
        i = int(wrong[0])
        raise InputError(path, at_row(column, i), f"must be a finite number, 0 or more, not {shown[i]!r}")


def categorical(codes: NDArray[np.int64], names: Sequence[str]) -> pd.Categorical[str]:
    """A column of text held as positions in ``names``; -1 is null."""
    return pd.Categorical.from_codes(codes, categories=pd.Index(list(names), dtype="str"))


def check_table_path(path: Path) -> None:
    """Refuse a name whose suffix is neither ``.parquet`` nor ``.csv``, before any work is done for it.

    Raises:
        InputError: with the two suffixes that are known.
    """
    if path.suffix not in {".parquet", ".csv"}:
        raise InputError(path, "", "the suffix chooses the format; end the name in .parquet or .csv")


def write_table(frame: pd.DataFrame, path: Path) -> None:
    """Write a table as Parquet or CSV by suffix, whole or not at all, the same bytes for the same table.

    The index is left out, and so is pandas' own metadata, which would put library versions into the file.

    Raises:
        InputError: the suffix is neither ``.parquet`` nor ``.csv``.
    """
    check_table_path(path)
    with atomic_path(path) as temporary:
        if path.suffix == ".csv":
            frame.to_csv(temporary, index=False, lineterminator="\n")
        else:
            table = pa.Table.from_pandas(frame, preserve_index=False).replace_schema_metadata(None)
            pq.write_table(table, temporary, compression="zstd")
