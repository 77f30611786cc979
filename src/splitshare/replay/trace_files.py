"""Files of traces, block by block: CSV and JSON lines, plain or gzip, and Parquet; every column as an Arrow array."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from splitshare.errors import InputError
from splitshare.replay.tables import at_row

LINE_END = ord("\n")
BLOCK_BYTES = 1 << 24
"""Of a file that are held as text at a time."""
SUFFIXES = (".csv", ".csv.gz", ".jsonl", ".jsonl.gz", ".parquet")
_WRONG_ROW = re.compile(r"(?:Row #(\d+): )?Expected (\d+) columns, got (\d+)")
"""What Arrow says of a row of another length; its rows are counted with the header."""
Block = dict[str, pa.Array]
"""Columns of some rows by name."""


def blocks_of(path: Path) -> Iterator[Block]:
    """Columns of a file by name, a block of rows at a time; of CSV as text.

    Raises:
        InputError: the suffix is another one, or the file cannot be read; names the row where there is one.
    """
    if not path.name.endswith(SUFFIXES):
        raise InputError(path, "", f"the suffix must be one of {', '.join(SUFFIXES)}")
    if path.name.endswith(".parquet"):
        yield from _parquet_blocks(path)
    elif path.name.endswith((".jsonl", ".jsonl.gz")):
        yield from _json_blocks(path)
    else:
        yield from _csv_blocks(path)


def _opened(path: Path) -> pa.NativeFile:
    try:
        return pa.input_stream(str(path), compression="gzip" if path.name.endswith(".gz") else None)
    except OSError as error:
        raise InputError(path, "", f"cannot be read: {error.strerror or error}") from None


def _csv_header(path: Path) -> list[str]:
    with _opened(path) as stream:
        start = stream.read(1 << 20).decode("utf-8-sig", errors="replace")
    line = next(csv.reader(re.split(r"\r\n|\r|\n", start)[:1]), [])
    if not line:
        raise InputError(path, "", "is empty; expected a header and rows")
    for i, name in enumerate(line):
        if name in line[:i]:
            raise InputError(path, name, "the column stands twice; keep one")
    return line


def _csv_blocks(path: Path) -> Iterator[Block]:
    read = 0
    try:
        names = _csv_header(path)
        with _opened(path) as stream:
            batches = pa_csv.open_csv(
                stream,
                read_options=pa_csv.ReadOptions(block_size=BLOCK_BYTES, use_threads=False),
                convert_options=pa_csv.ConvertOptions(
                    strings_can_be_null=False, column_types=dict.fromkeys(names, pa.string())
                ),
            )
            if batches.schema.names != names:
                raise InputError(
                    path, "", "has a header that cannot be read; write the columns' names in its first line"
                )
            for batch in batches:
                _check_line_ends(path, batch, read)
                yield dict(zip(names, batch.columns, strict=True))
                read += batch.num_rows
    except pa.ArrowInvalid as error:
        if wrong := _WRONG_ROW.search(str(error)):
            at = f"row {int(wrong[1]) - 1}" if wrong[1] else f"a row after row {read}"
            problem = f"has {wrong[3]} fields where the header has {wrong[2]}"
            raise InputError(path, at, f"{problem}; does the file end in the middle of a line?") from None
        problem = "is empty; expected a header and rows" if "Empty CSV file" in str(error) else f"is no CSV: {error}"
        raise InputError(path, "", problem) from None
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise InputError(path, "", f"cannot be read after row {read}: {error}") from None


def _check_line_ends(path: Path, batch: pa.RecordBatch, read: int) -> None:
    """Refuse a field that holds a line end: rows between one stray quote and the next would be gone without a word."""
    for name, column in zip(batch.schema.names, batch.columns, strict=True):
        text = column.buffers()[2]
        if text is None or not (np.frombuffer(text, dtype=np.uint8) == LINE_END).any():
            continue
        rows = np.flatnonzero(pc.match_substring(column, "\n").to_numpy(zero_copy_only=False))
        if rows.size:
            problem = "holds a line end: is a quote not closed?"
            raise InputError(path, at_row(name, read + int(rows[0])), problem)


def _json_blocks(path: Path, rows: int = 100_000) -> Iterator[Block]:
    block: dict[str, list[Any]] = {}
    count = 0
    try:
        with _opened(path) as stream:
            for number, line in enumerate(_lines(stream), start=1):
                if not line.strip():
                    continue
                try:
                    entry = json.loads(line)
                except (ValueError, RecursionError):
                    problem = "is no JSON object; does the file end in the middle of a line?"
                    raise InputError(path, f"row {number}", problem) from None
                if not isinstance(entry, dict):
                    raise InputError(path, f"row {number}", "is no JSON object; write one a line")
                block = block or {name: [] for name in entry}
                if entry.keys() != block.keys():
                    name = sorted(entry.keys() ^ block.keys())[0]
                    raise InputError(
                        path, at_row(name, number - 1), "stands in some rows only; give every row the same"
                    )
                for name, values in block.items():
                    values.append(entry[name])
                count += 1
                if count % rows == 0:
                    yield _arrays(block)
                    block = {name: [] for name in block}
        if block and any(block.values()):
            yield _arrays(block)
    except (OSError, EOFError) as error:
        raise InputError(path, "", f"cannot be read after row {count}: {error}") from None
    except UnicodeEncodeError:
        raise InputError(path, "", "holds half of a character (a lone surrogate); write it whole") from None


def _arrays(block: dict[str, list[Any]]) -> Block:
    """Columns of JSON values; of several kinds in one column as text, lists as nothing."""
    found = {}
    for name, values in block.items():
        plain = [None if isinstance(value, list | dict) else value for value in values]
        try:
            found[name] = pa.array(plain)
        except (pa.ArrowException, OverflowError):
            found[name] = pa.array([str(value) for value in plain])
    return found


def _lines(stream: pa.NativeFile) -> Iterator[bytes]:
    kept = b""
    while chunk := stream.read(BLOCK_BYTES):
        *whole, kept = (kept + chunk).split(b"\n")
        yield from whole
    if kept:
        yield kept


def _parquet_blocks(path: Path) -> Iterator[Block]:
    try:
        with pq.ParquetFile(path) as file:
            names = file.schema_arrow.names
            for batch in file.iter_batches(batch_size=1_000_000):
                yield dict(zip(names, batch.columns, strict=True))
    except (OSError, pa.ArrowException) as error:
        raise InputError(path, "", f"is no Parquet file that can be read: {error}") from None
