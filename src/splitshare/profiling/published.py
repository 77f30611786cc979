"""Read the table of published figures for image towers, strictly."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal

from splitshare.errors import InputError, shown
from splitshare.files import csv_rows
from splitshare.records import nearest

Family = Literal["convolution", "transformer"]

LATENCY_COLUMNS = ("laptop_i7_12700h_fp32_batch1_ms", "desktop_i9_10940x_fp32_batch1_ms")
"""Milliseconds for one image, fp32, batch 1."""
THROUGHPUT_COLUMNS = ("rtx3090_amp_images_per_s",)
"""Images per second at a batch that saturates the GPU; says nothing of the latency at batch 1."""
_NUMBERS = ("img_size", "params_millions", "gmacs", *LATENCY_COLUMNS, *THROUGHPUT_COLUMNS, "rtx3090_batch")
COLUMNS = ("model", *_NUMBERS)
LEAST, MOST = 1e-9, 1e12
"""Range of every figure, whatever its unit."""


@dataclass(frozen=True)
class PublishedTower:
    """A row of the table: one image tower, its size and its figures by column."""

    model: str
    params_millions: float
    gmacs: float
    figures: dict[str, float]

    @property
    def flops(self) -> float:
        """Floating point operations for one image, a multiply-add counted as two."""
        return 2e9 * self.gmacs

    @property
    def family(self) -> Family:
        """Told by the name, as the table has only ResNets and vision transformers."""
        return "convolution" if self.model.startswith("resnet") else "transformer"


@dataclass(frozen=True)
class PublishedTable:
    """All rows, in file order."""

    path: Path
    towers: tuple[PublishedTower, ...]

    @cached_property
    def by_model(self) -> dict[str, PublishedTower]:
        """Rows by model name."""
        return {t.model: t for t in self.towers}

    def latency_s(self, model: str, column: str) -> float:
        """Seconds for one image of ``model`` at batch 1 as published in ``column``.

        Raises:
            InputError: the table has no such model.
            KeyError: ``column`` is not one of ``LATENCY_COLUMNS``.
        """
        if column not in LATENCY_COLUMNS:
            raise KeyError(column)
        # The table has 3 decimals of a millisecond: 9 of a second keep it exact without the division's noise.
        return round(self.tower(model).figures[column] / 1e3, 9)

    def tower(self, model: str) -> PublishedTower:
        """The row of ``model``.

        Raises:
            InputError: the table has no such model.
        """
        try:
            return self.by_model[model]
        except KeyError:
            raise InputError(
                self.path, "model", f"no row {shown(model)}; {nearest(model, list(self.by_model))}"
            ) from None


def read_published(path: Path) -> PublishedTable:
    """Read ``data/published/timm_image_towers.csv``.

    Raises:
        InputError: names the line and the column of what is missing, malformed, not positive or doubled.
    """
    rows = read_figures(path, COLUMNS)
    towers = (PublishedTower(model, row["params_millions"], row["gmacs"], row) for model, row in rows.items())
    return PublishedTable(path, tuple(towers))


def read_figures(path: Path, columns: Sequence[str]) -> dict[str, dict[str, float]]:
    """Read a table of published figures: a row a model, named in the first column, and positive numbers.

    Args:
        path: a CSV file.
        columns: its header.

    Returns:
        Figures by model and column, in file order.

    Raises:
        InputError: names the line and the column of what is missing, malformed, not positive or doubled.
    """
    lines = csv_rows(path)
    if not lines or lines[0] != list(columns):
        raise InputError(path, "line 1", f"the header must be {','.join(columns)}")
    rows: dict[str, dict[str, float]] = {}
    for number, cells in enumerate(lines[1:], start=2):
        where = f"line {number}"
        if len(cells) != len(columns):
            raise InputError(path, where, f"has {len(cells)} cells instead of {len(columns)}")
        model = cells[0]
        if not model or model in rows:
            raise InputError(path, f"{where}, model", f"{shown(model)} is empty or stands twice; one row a model")
        rows[model] = {
            column: _positive(path, f"{where}, {column}", cell)
            for column, cell in zip(columns[1:], cells[1:], strict=True)
        }
    if not rows:
        raise InputError(path, "", "has no rows")
    return rows


def _positive(path: Path, where: str, cell: str) -> float:
    try:
        value = float(cell)
    except ValueError:
        value = math.nan
    if not LEAST <= value <= MOST or "_" in cell:
        raise InputError(path, where, f"must be a number from {LEAST:g} to {MOST:g}, not {shown(cell)}")
    return value
