"""Times in trace files: dates with and without zones, seconds, milliseconds, all as seconds in one clock."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from splitshare.errors import InputError, shown
from splitshare.replay.tables import at_row

_STAMP = r"\d{4}-\d{2}-\d{2}[ T]\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?"
_ZONE = r"(?:Z|[+-]\d{2}:?\d{2})"
_WITHOUT, _WITH = re.compile(_STAMP), re.compile(f"{_STAMP} ?{_ZONE}")
EPOCH_S, EPOCH_MS, EPOCH_US = 1e8, 1e11, 1e14
"""From where on a number is taken for seconds since 1970, milliseconds, microseconds: 1973 in each."""


def as_numbers(cells: pa.Array) -> NDArray[np.float64]:
    """Cells as numbers, NaN where one is none; shape (cells,)."""
    plain = cells.dictionary_decode() if pa.types.is_dictionary(cells.type) else cells
    if pa.types.is_boolean(plain.type) or pa.types.is_nested(plain.type) or pa.types.is_temporal(plain.type):
        return np.full(len(cells), np.nan)
    try:
        values: NDArray[np.float64] = plain.cast(pa.float64()).to_numpy(zero_copy_only=False)
        return values
    except pa.ArrowInvalid:
        slow: NDArray[np.float64] = pd.to_numeric(plain.to_pandas(), errors="coerce").to_numpy(dtype=np.float64)
        return slow


@dataclass(frozen=True)
class StampClock:
    """Dates such as ``2023-11-16 18:17:03.9799600`` or ``2024-10-15T12:00:00.269Z``, or numbers."""


@dataclass(frozen=True)
class NumberClock:
    """Numbers of a unit that the format states."""

    unit: str
    """``seconds`` or ``milliseconds``."""


@dataclass
class ClockReader:
    """Reads a column of times block by block; the first row says which clock it is, and all others must keep to it."""

    path: Path
    column: str
    clock: StampClock | NumberClock
    told: list[str] = field(default_factory=list)
    _zoned: bool | None = None
    _per_s: float | None = None
    """Of numbers: how many are a second."""
    _origin_ns: int | None = None

    def read(self, cells: pa.Array, row: int) -> NDArray[np.float64]:
        """Seconds in the file's own clock.

        Args:
            cells: as they stand in the file.
            row: number of data rows before these.

        Raises:
            InputError: names the first row that is no time, or that is of another clock than the first.
        """
        if self._zoned is None and self._per_s is None:
            self._choose(cells[:1], row)
        return self._numbers(cells, row) if self._per_s is not None else self._stamps(cells, row)

    def _choose(self, first: pa.Array, row: int) -> None:
        text = str(first[0].as_py()).strip()
        if isinstance(self.clock, NumberClock):
            self._per_s = 1000.0 if self.clock.unit == "milliseconds" else 1.0
            return
        number = as_numbers(first)[0]
        if np.isfinite(number):
            self._per_s = next((per for least, per in ((EPOCH_US, 1e6), (EPOCH_MS, 1e3)) if number >= least), 1.0)
            unit = {1e6: "microseconds since 1970", 1e3: "milliseconds since 1970"}.get(self._per_s)
            self.told.append(f"times are {unit or ('seconds since 1970' if number >= EPOCH_S else 'seconds')}")
            return
        if _WITH.fullmatch(text):
            self._zoned = True
            self.told.append(f"times have a zone ({text[19:].lstrip('.0123456789 ') or 'Z'} in the first row)")
        elif _WITHOUT.fullmatch(text):
            self._zoned = False
            self.told.append("times have no zone")
        else:
            raise InputError(self.path, at_row(self.column, row), self._expected(text))

    def _expected(self, text: str) -> str:
        if self._zoned is None:
            return f"must be a time such as 2024-10-15T12:00:00.269Z, or a number of seconds, not {shown(text)}"
        kind = "with a zone" if self._zoned else "without a zone"
        return f"must be a date and time {kind}, as in the first row, not {shown(text)}"

    def _numbers(self, cells: pa.Array, row: int) -> NDArray[np.float64]:
        assert self._per_s is not None
        values = as_numbers(cells)
        wrong = np.flatnonzero(~(np.isfinite(values) & (values >= 0) & (values < 1e18)))
        if wrong.size:
            i = int(wrong[0])
            problem = f"must be a number of 0 or more, not {shown(str(cells[i].as_py()))}"
            raise InputError(self.path, at_row(self.column, row + i), problem)
        return values / self._per_s

    def _stamps(self, cells: pa.Array, row: int) -> NDArray[np.float64]:
        texts = pd.Series(cells.to_pandas()).astype(str).str.strip()
        pattern = _WITH if self._zoned else _WITHOUT
        fits = texts.str.fullmatch(pattern.pattern)
        stamps = pd.to_datetime(texts.where(fits), format="ISO8601", errors="coerce", utc=True)
        wrong = np.flatnonzero(stamps.isna().to_numpy())
        if wrong.size:
            i = int(wrong[0])
            raise InputError(self.path, at_row(self.column, row + i), self._expected(texts.iloc[i]))
        nanoseconds = stamps.dt.as_unit("ns").to_numpy(dtype="datetime64[ns]").astype(np.int64)
        # From the first row on: a float of seconds since 1970 tells a quarter of a microsecond at best.
        if self._origin_ns is None:
            self._origin_ns = int(nanoseconds[0])
        result: NDArray[np.float64] = (nanoseconds - self._origin_ns) / 1e9
        return result
