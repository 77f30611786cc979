"""Reading Parquet files that a person names: whatever is wrong with one is told in one line."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from splitshare.errors import InputError, WorkError


@contextmanager
def refusals(path: Path) -> Iterator[None]:
    """Turn what readers of tables raise into errors that name the file.

    Raises:
        InputError: it is missing or cannot be understood.
        WorkError: it does not fit into memory, or says so.
    """
    try:
        yield
    except FileNotFoundError:
        raise InputError(path, "", "no such file; check the path") from None
    except MemoryError:
        raise WorkError(f"{path}: does not fit into memory") from None
    except (pa.ArrowException, ArithmeticError, AttributeError, LookupError, OSError, TypeError, ValueError) as error:
        raise InputError(path, "", f"not a readable {path.suffix.removeprefix('.')} table: {error}") from None


def read_parquet(path: Path) -> pa.Table:
    """Read a Parquet file whole; see ``refusals``."""
    with refusals(path):
        table = pq.ParquetFile(path).read()
        table.validate(full=True)  # text that is no UTF-8, and whatever else Arrow would stumble over later
        return table


def read_frame(path: Path) -> pd.DataFrame:
    """Read a Parquet file as a data frame; see ``refusals``."""
    read_parquet(path)
    with refusals(path):
        return pd.read_parquet(path)


def check_types(path: Path, table: pd.DataFrame, numbers: Sequence[str], texts: Sequence[str]) -> None:
    """Refuse columns of another kind.

    Args:
        path: file that the table came from.
        table: the table.
        numbers: columns of finite numbers; some may be empty.
        texts: columns of text, in every row.

    Raises:
        InputError: names the first column that is not.
    """
    for column in numbers:
        values = table[column]
        if values.isna().all():
            continue
        if not pd.api.types.is_numeric_dtype(values) or pd.api.types.is_bool_dtype(values):
            raise InputError(path, column, f"must be a column of numbers, not {values.dtype}")
        if not values.dropna().astype(float).between(-1e100, 1e100).all():
            raise InputError(path, column, "holds a number beyond 1e100")
    for column in texts:
        if not table[column].map(lambda value: isinstance(value, str)).all():
            raise InputError(path, column, "must be a column of text, in every row")
