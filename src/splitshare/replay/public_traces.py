"""Traces that others have published, read by their true columns, block by block, plain or gzip.

A format is a record in ``FORMATS``: its columns, which of them is the time and in what clock, which are numbers and
which are labels. Whatever the clock, what is read are seconds since the first request.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from splitshare.errors import InputError, shown
from splitshare.ranges import MOST_SECONDS
from splitshare.records import nearest
from splitshare.replay.clocks import ClockReader, NumberClock, StampClock, as_numbers
from splitshare.replay.tables import at_row
from splitshare.replay.trace_files import Block, blocks_of

MOST_NUMBER = 1e18


@dataclass(frozen=True)
class TraceFormat:
    """How a public trace is laid out."""

    name: str
    title: str
    time: str
    """Column of the time."""
    clock: Literal["stamp", "seconds", "milliseconds"]
    numbers: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()
    """Columns that are there and are not looked at."""
    less: str | None = None
    """A number of seconds that is taken off the time: a duration, where the time is that of the end."""
    more: bool = False
    """Whether further columns may stand there: as numbers where all of a column are that is not empty, else as
    labels."""

    @property
    def columns(self) -> tuple[str, ...]:
        """All that it must have."""
        return (self.time, *self.numbers, *self.labels, *self.ignored)


FORMATS = (
    TraceFormat(
        "azure-llm",
        "Azure LLM inference 2023 and 2024 (Azure Public Dataset, Microsoft)",
        "TIMESTAMP",
        "stamp",
        ("ContextTokens", "GeneratedTokens"),
    ),
    TraceFormat(
        "azure-lmm-2025",
        "Azure multi-modal inference 2025 (Azure Public Dataset, Microsoft)",
        "TIMESTAMP",
        "stamp",
        ("NumImages", "ContextTokens", "GeneratedTokens"),
    ),
    TraceFormat(
        "azure-functions-2021",
        "Azure Functions invocations 2021 (Azure Public Dataset, Microsoft)",
        "end_timestamp",
        "seconds",
        ("duration",),
        ("app", "func"),
        less="duration",
    ),
    TraceFormat(
        "burstgpt",
        "BurstGPT (Wang et al. 2024)",
        "Timestamp",
        "seconds",
        ("Request tokens", "Response tokens", "Total tokens"),
        ("Model", "Log Type"),
    ),
    TraceFormat(
        "mooncake",
        "Mooncake (Qin et al. 2024), JSON lines",
        "timestamp",
        "milliseconds",
        ("input_length", "output_length"),
        ignored=("hash_ids",),
    ),
    TraceFormat("plain", "any table with arrival_s, seconds from 0 on", "arrival_s", "seconds", more=True),
    TraceFormat("plain-timestamp", "any table with timestamp, a date or seconds", "timestamp", "stamp", more=True),
)
"""Told apart by their columns; the first that fits."""


@dataclass(frozen=True)
class RecordedRequests:
    """What was recorded, in order of arrival."""

    format: TraceFormat
    arrival_s: NDArray[np.float64]
    """Since the first, ascending, shape (requests,)."""
    numbers: dict[str, NDArray[np.float64]]
    """By column, shape (requests,); NaN where the cell is empty."""
    labels: dict[str, tuple[NDArray[np.int64], tuple[str, ...]]]
    """By column: position of each row's text, shape (requests,), and the texts."""
    told: tuple[str, ...] = ()
    """What a reader should know of how it was read."""

    def __len__(self) -> int:
        return len(self.arrival_s)

    def select(self, rows: NDArray[Any]) -> RecordedRequests:
        """Some of the requests, times since the first of them."""
        arrival_s = self.arrival_s[rows]
        return RecordedRequests(
            self.format,
            arrival_s - arrival_s[0] if len(arrival_s) else arrival_s,
            {name: values[rows] for name, values in self.numbers.items()},
            {name: (codes[rows], names) for name, (codes, names) in self.labels.items()},
            self.told,
        )


@dataclass
class _Collected:
    """Blocks as they are read."""

    times: list[NDArray[np.float64]] = field(default_factory=list)
    numbers: dict[str, list[NDArray[np.float64]]] = field(default_factory=dict)
    codes: dict[str, list[NDArray[np.int64]]] = field(default_factory=dict)
    texts: dict[str, dict[str, int]] = field(default_factory=dict)


def read_public_trace(path: Path, *, sort: bool = False) -> RecordedRequests:
    """Read a public trace; its format is told from its columns.

    Args:
        path: CSV or JSON lines, plain or gzip, or Parquet.
        sort: whether rows may come in any order of time; where the format says when requests ended, they always may.

    Raises:
        InputError: names the row of the first mistake.
    """
    collected, chosen, clock, row = _Collected(), None, None, 0
    for block in blocks_of(path):
        if chosen is None:
            chosen = format_of(path, list(block))
            clock = ClockReader(
                path, chosen.time, StampClock() if chosen.clock == "stamp" else NumberClock(chosen.clock)
            )
        assert clock is not None
        _collect(path, chosen, clock, block, row, collected)
        row += len(next(iter(block.values())))
    if chosen is None or clock is None or not row:
        raise InputError(path, "", "has no rows; add at least one")
    return _joined(path, chosen, clock, collected, sort=sort)


def format_of(path: Path, columns: Sequence[str]) -> TraceFormat:
    """The format that has these columns.

    Raises:
        InputError: there is none, or a column stands twice.
    """
    for i, name in enumerate(columns):
        if name in columns[:i]:
            raise InputError(path, name, "the column stands twice; keep one")
    for known in FORMATS:
        missing = set(known.columns) - set(columns) - set(known.ignored)
        if not missing and (known.more or set(columns) <= set(known.columns)):
            return known
    closest = max(FORMATS, key=lambda known: len(set(known.columns) & set(columns)))
    found = ", ".join(columns[:8])
    if not set(closest.columns) & set(columns):
        known_times = ", ".join(dict.fromkeys(known.time for known in FORMATS))
        raise InputError(path, "", f"has no column of times among {shown(found)}; known are {known_times}")
    lacking = [name for name in closest.columns if name not in {*columns, *closest.ignored}]
    if lacking:
        problem = f"the column is missing; {closest.name} has {', '.join(closest.columns)}"
        raise InputError(path, lacking[0], problem)
    extra = next(name for name in columns if name not in closest.columns)
    raise InputError(path, extra, f"unknown column; {nearest(extra, list(closest.columns))}")


def _collect(path: Path, chosen: TraceFormat, clock: ClockReader, block: Block, row: int, into: _Collected) -> None:
    times = clock.read(block[chosen.time], row)
    for name in chosen.numbers:
        into.numbers.setdefault(name, []).append(_numbers(path, name, block[name], row))
    if chosen.less is not None:
        times = times - into.numbers[chosen.less][-1]
    into.times.append(times)
    labels = [*chosen.labels]
    if chosen.more:
        labels += [name for name in block if name not in chosen.columns]
    for name in labels:
        known = into.texts.setdefault(name, {})
        found = _texts(path, name, block[name]).dictionary_encode()
        number = np.array([known.setdefault(text, len(known)) for text in found.dictionary.to_pylist()])
        into.codes.setdefault(name, []).append(number[found.indices.to_numpy(zero_copy_only=False)].astype(np.int64))


def _joined(
    path: Path, chosen: TraceFormat, clock: ClockReader, collected: _Collected, *, sort: bool
) -> RecordedRequests:
    times = np.concatenate(collected.times)
    numbers = {name: np.concatenate(parts) for name, parts in collected.numbers.items()}
    labels = {name: (np.concatenate(parts), tuple(collected.texts[name])) for name, parts in collected.codes.items()}
    told = [f"read as {chosen.name}: {chosen.title}", *clock.told]
    for name in list(labels) if chosen.more else ():
        values = _values(labels[name][1])
        if values is None:
            continue
        codes, _ = labels.pop(name)
        numbers[name] = values[codes]
        if empty := int(np.isnan(numbers[name]).sum()):
            told.append(f"{name}: a column of numbers in which {empty} of {len(codes)} rows have none")
    backwards = np.flatnonzero(np.diff(times) < 0)
    if backwards.size:
        if not (sort or chosen.less):
            i = int(backwards[0]) + 1
            problem = "comes before the row above; sort the file by time, or allow any order with --sort"
            raise InputError(path, at_row(chosen.time, i), problem)
        order = np.argsort(times, kind="stable")
        times = times[order]
        numbers = {name: values[order] for name, values in numbers.items()}
        labels = {name: (codes[order], texts) for name, (codes, texts) in labels.items()}
        rows = "1 row" if len(backwards) == 1 else f"{len(backwards)} rows"
        told.append(f"{rows} came before the row above: sorted by time of arrival")
    arrival_s = times - times[0]
    if arrival_s[-1] > MOST_SECONDS:
        raise InputError(path, chosen.time, f"spans {arrival_s[-1]:.3g} s; {MOST_SECONDS:g} s is the most")
    return RecordedRequests(chosen, arrival_s, numbers, labels, tuple(told))


def _values(texts: Sequence[str]) -> NDArray[np.float64] | None:
    """The numbers that texts say, NaN for those that are empty; ``None`` where one says no number, or none does."""
    values: NDArray[np.float64] = pd.to_numeric(pd.Series(texts), errors="coerce").to_numpy(dtype=np.float64)
    said = np.array([text.strip() != "" for text in texts])
    if not said.any() or not np.isfinite(values[said]).all():
        return None
    return np.where(said, values, np.nan)


def _texts(path: Path, column: str, cells: pa.Array) -> pa.Array:
    """Cells as text; what is not there, NaN and lists as the empty text."""
    if pa.types.is_nested(cells.type):
        return pa.array([""] * len(cells))
    if pa.types.is_floating(cells.type):
        cells = pc.if_else(pc.is_nan(cells), pa.scalar(None, cells.type), cells)
    try:
        return cells.cast(pa.string()).fill_null("")
    except pa.ArrowException:
        raise InputError(path, column, f"cannot be read as text (it is {cells.type}); leave the column out") from None


def _numbers(path: Path, column: str, cells: pa.Array, row: int) -> NDArray[np.float64]:
    """Numbers of 0 or more.

    Raises:
        InputError: names the first row that is not one.
    """
    values = as_numbers(cells)
    wrong = np.flatnonzero(~(np.isfinite(values) & (values >= 0) & (values <= MOST_NUMBER)))
    if wrong.size:
        i = int(wrong[0])
        problem = f"must be a number from 0 to {MOST_NUMBER:.0e}, not {shown(str(cells[i].as_py()))}"
        raise InputError(path, at_row(column, row + i), problem)
    return values
