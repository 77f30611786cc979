"""Seconds of batches of one module or model, and the straight line ``alpha + beta B`` through them (ours)."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from pydantic import Field, model_validator

from splitshare.profiling.records import Provenance
from splitshare.records import Name, PositiveCount, PositiveSeconds, Record

if TYPE_CHECKING:
    from typing import Self  # not in Python 3.10, which workers run on


class BatchCurve(Record):
    """Seconds that one device takes for whole batches of one model's queries."""

    device: Name
    batches: tuple[PositiveCount, ...] = Field(min_length=1)
    """Batch sizes, ascending."""
    seconds: tuple[PositiveSeconds, ...] = Field(min_length=1)
    """Seconds for each of ``batches`` (a median, where measured)."""
    provenance: Provenance
    source: str
    """How they came about: the measuring method, the published source, or the rule."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if len(self.batches) != len(self.seconds):
            raise ValueError(f"seconds: has {len(self.seconds)} values for {len(self.batches)} batches; give one each")
        if any(b <= a for a, b in itertools.pairwise(self.batches)):
            raise ValueError("batches: must ascend, each size once")
        return self

    def at(self, batch: int) -> float:
        """Seconds at a batch size of the curve; raises ``KeyError`` where it was not taken."""
        for size, seconds in zip(self.batches, self.seconds, strict=True):
            if size == batch:
                return seconds
        raise KeyError(batch)


@dataclass(frozen=True)
class BatchFit:
    """A line through a batch curve."""

    start_s: float
    """alpha: seconds that every batch takes."""
    per_query_s: float
    """beta: seconds that each query adds."""
    mean_error: float
    """Mean relative distance of the line from the curve's points."""
    worst_error: float
    points: int

    def batch_s(self, size: int) -> float:
        """Seconds for a batch of ``size`` queries."""
        return self.start_s + self.per_query_s * size


def fit(curve: BatchCurve) -> BatchFit:
    """Least squares of the relative error, neither coefficient negative.

    A curve of one point says nothing of its slope: its device takes queries one by one, all of the time is a
    query's.
    """
    size, seconds = np.array(curve.batches, dtype=float), np.array(curve.seconds)
    if len(size) == 1:
        alpha, beta = 0.0, float(seconds[0] / size[0])
    else:
        alpha, beta = _line(size, seconds)
    error = np.abs(alpha + beta * size - seconds) / seconds
    return BatchFit(alpha, beta, float(error.mean()), float(error.max()), len(size))


def _line(size: np.ndarray, seconds: np.ndarray) -> tuple[float, float]:
    columns = np.stack([1 / seconds, size / seconds], axis=1)
    (alpha, beta), *_ = np.linalg.lstsq(columns, np.ones(len(size)), rcond=None)
    if alpha < 0:  # the best line through the origin
        return 0.0, float(columns[:, 1].sum() / (columns[:, 1] ** 2).sum())
    if beta <= 0:
        raise ValueError("batches of more queries take no more time: no line with a positive slope")
    return float(alpha), float(beta)
