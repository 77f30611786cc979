"""Request traces: who asks for what and when; the one reader and the one writer (contract ours)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from splitshare.errors import InputError, shown
from splitshare.parquet import read_parquet
from splitshare.placement.instance import PlacementInstance
from splitshare.records import nearest
from splitshare.replay.tables import (
    MOST_IDENTITY,
    at_row,
    categorical,
    check_columns,
    check_numbers,
    check_table_path,
    parse_counts,
    parse_floats,
    read_csv,
    write_table,
)

_REQUIRED = ("request_id", "arrival_s", "request")
_OPTIONAL = ("size",)
_KIND = "splitshare.trace_kind"
MOST_SIZE = 1e6
"""Greatest factor on a request's compute and bytes."""


@dataclass(frozen=True, eq=False)
class RequestTrace:
    """Requests in order of arrival; every array has the shape (requests,)."""

    request_id: NDArray[np.int64]
    """Distinct non-negative numbers."""
    arrival_s: NDArray[np.float64]
    """Non-decreasing, from 0 on."""
    classes: tuple[str, ...]
    """Names of request classes."""
    request_class: NDArray[np.int64]
    """Each request's position in ``classes``."""
    size: NDArray[np.float64]
    """Factor on the request's compute and bytes; 1 is the class's own."""
    kind: str | None = None
    """How it was made (``poisson``, ``bursty``, ``azure-llm-2023``), where that is known; Parquet keeps it."""

    def __post_init__(self) -> None:
        columns = (self.request_id, self.arrival_s, self.request_class, self.size)
        if not len(self) or any(column.shape != (len(self),) for column in columns):
            raise ValueError("the columns of a trace have one length, 1 or more")
        if self.arrival_s[0] < 0 or np.any(np.diff(self.arrival_s) < 0):
            raise ValueError("arrival_s must not be negative and must not decrease")

    def __len__(self) -> int:
        return len(self.arrival_s)

    @property
    def mean_rate_per_s(self) -> float:
        """Requests over the time of the last arrival; infinite if all arrive at 0."""
        last_s = float(self.arrival_s[-1])
        return len(self) / last_s if last_s > 0 else float("inf")

    def to_frame(self) -> pd.DataFrame:
        """The trace with the columns of the contract; ``size`` only where it says something."""
        frame = pd.DataFrame(
            {
                "request_id": self.request_id,
                "arrival_s": self.arrival_s,
                "request": categorical(self.request_class, self.classes),
            }
        )
        if np.any(self.size != 1.0):
            frame["size"] = self.size
        return frame


def write_trace(trace: RequestTrace, path: Path) -> None:
    """Write a trace as Parquet or CSV by suffix; the same trace gives the same bytes.

    Raises:
        InputError: another suffix.
    """
    write_table(trace.to_frame(), path, {} if trace.kind is None else {_KIND: trace.kind})


def read_trace(path: Path | str, instance: PlacementInstance | None = None) -> RequestTrace:
    """Read a request trace, Parquet or CSV by suffix.

    Args:
        path: a table with the columns ``request_id`` (distinct whole numbers), ``arrival_s`` (seconds from 0
            on, not decreasing), ``request`` (a class) and, if wanted, ``size`` (a factor, 0 or more).
        instance: where given, each ``request`` must be a class of it, and ``classes`` of the result are its
            classes in its order.

    Raises:
        InputError: names the file, the column and the row (data rows counted from 1) of the first mistake.
    """
    path = Path(path)
    check_table_path(path)
    request_id, arrival_s, codes, names, size, kind = _from_csv(path) if path.suffix == ".csv" else _from_parquet(path)
    late = np.flatnonzero(np.diff(arrival_s) < 0)
    if late.size:
        i = int(late[0]) + 1
        raise InputError(
            path,
            at_row("arrival_s", i),
            f"{arrival_s[i]:.9g} is before the row above, {arrival_s[i - 1]:.9g}; sort by arrival_s",
        )
    _refuse_repeated(path, request_id)
    used, first_row = np.unique(codes, return_index=True)
    in_order = [names[code] for code in used[np.argsort(first_row)]]
    classes = tuple(in_order) if instance is None else tuple(r.name for r in instance.requests)
    code_of = {name: i for i, name in enumerate(classes)}
    for row in np.sort(first_row).tolist():
        name = names[codes[row]]
        if not name:
            raise InputError(path, at_row("request", row), "is empty; name a request class")
        if name not in code_of:
            problem = f"unknown request class {shown(name)}; {nearest(name, list(classes))}"
            raise InputError(path, at_row("request", row), problem)
    position = np.array([code_of.get(name, -1) for name in names], dtype=np.int64)
    return RequestTrace(
        request_id=request_id,
        arrival_s=arrival_s,
        classes=classes,
        request_class=position[codes],
        size=size,
        kind=kind,
    )


_Columns = tuple[NDArray[np.int64], NDArray[np.float64], NDArray[Any], list[str], NDArray[np.float64], str | None]
"""Numbers, times, positions of classes in the names that follow, sizes, and how it was made."""


def _from_csv(path: Path) -> _Columns:
    text = read_csv(path, _REQUIRED, _OPTIONAL)
    arrival_s = parse_floats(path, "arrival_s", text["arrival_s"])
    size = parse_floats(path, "size", text["size"], MOST_SIZE) if "size" in text else np.ones(len(arrival_s))
    known: dict[str, int] = {}
    codes = np.array([known.setdefault(name, len(known)) for name in text["request"]], dtype=np.int64)
    return parse_counts(path, "request_id", text["request_id"]), arrival_s, codes, list(known), size, None


def _from_parquet(path: Path) -> _Columns:
    table = read_parquet(path)
    check_columns(path, table.column_names, _REQUIRED, _OPTIONAL)
    if not table.num_rows:
        raise InputError(path, "", "has no rows; add at least one")
    identity = _parquet_numbers(path, table, "request_id", whole=True)
    check_numbers(path, "request_id", identity, identity, MOST_IDENTITY)
    identity = identity.astype(np.int64)
    arrival_s = _parquet_numbers(path, table, "arrival_s")
    check_numbers(path, "arrival_s", arrival_s, arrival_s)
    size = _parquet_numbers(path, table, "size") if "size" in table.column_names else np.ones(len(arrival_s))
    check_numbers(path, "size", size, size, MOST_SIZE)
    column = table.schema.field("request").type
    plain = column.value_type if pa.types.is_dictionary(column) else column
    if not (pa.types.is_string(plain) or pa.types.is_large_string(plain)):
        raise InputError(path, "request", f"must be a column of text, not {column}")
    _refuse_null(path, table, "request")
    kind = (table.schema.metadata or {}).get(_KIND.encode())
    names = table["request"].combine_chunks()
    coded = names if pa.types.is_dictionary(column) else names.dictionary_encode()
    # Of a file with several blocks the dictionaries may differ; `combine_chunks` has joined them.
    texts = coded.dictionary.to_pylist()
    return identity, arrival_s, coded.indices.to_numpy(), texts, size, kind and kind.decode(errors="replace")


def _parquet_numbers(path: Path, table: pa.Table, column: str, *, whole: bool = False) -> NDArray[Any]:
    kind = table.schema.field(column).type
    if not (pa.types.is_integer(kind) or (pa.types.is_floating(kind) and not whole)):
        raise InputError(path, column, f"must be a column of {'whole ' if whole else ''}numbers, not {kind}")
    _refuse_null(path, table, column)
    values: NDArray[Any] = table[column].to_numpy()
    return values if whole else values.astype(np.float64)


def _refuse_null(path: Path, table: pa.Table, column: str) -> None:
    if table[column].null_count:
        first = int(np.flatnonzero(table[column].is_null().to_numpy())[0])
        raise InputError(path, at_row(column, first), "is null; fill it in")


def _refuse_repeated(path: Path, request_id: NDArray[np.int64]) -> None:
    if np.all(np.diff(request_id) > 0):
        return
    _, first = np.unique(request_id, return_index=True)
    if len(first) < len(request_id):
        seen = np.ones(len(request_id), dtype=bool)
        seen[first] = False
        i = int(np.flatnonzero(seen)[0])
        raise InputError(
            path, at_row("request_id", i), f"{request_id[i]} stands in an earlier row too; number them apart"
        )
