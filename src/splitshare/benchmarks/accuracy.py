"""The accuracy record: what was measured of each model on each benchmark, whole, split and shared."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, Self

from pydantic import Field, model_validator

from splitshare.choices import Dtype
from splitshare.records import Count, Name, PositiveCount, Record

Arrangement = Literal["whole", "split", "shared"]
"""The model in one piece; as modules of its own; as modules that it shares with the other tasks' models."""
Metric = Literal["top-1", "top-5", "vqa-accuracy", "cider"]
Source = Literal["hub", "embedded"]
"""Where the benchmark comes from: a hub's data sets, or the package index, which every run can reach."""

ARRANGEMENTS: tuple[Arrangement, ...] = ("whole", "split", "shared")


class AccuracyRow(Record):
    """One metric of one model in one arrangement on one benchmark."""

    benchmark: Name
    source: Source
    task: Name
    model: Name
    arrangement: Arrangement
    metric: Metric
    value: float = Field(ge=0, le=10)
    """Mean over the samples: a share for accuracies, 0 to 10 for CIDEr."""
    ci_low: float = Field(ge=0, le=10)
    ci_high: float = Field(ge=0, le=10)
    """Ends of the 95 % interval over samples."""
    samples: PositiveCount
    differing_predictions: Count
    """Samples that this arrangement answers otherwise than the whole model; 0 for the whole model itself."""
    precision: Dtype | None = None
    """Type in which all of its modules were held and computed; ``None``: each module's own in the catalogue."""
    differing_from_own_precision: Count | None = None
    """Samples that it answers otherwise than in the catalogue's types; of every row with a precision, and of no other.
    """
    provenance: dict[str, str]
    """What the number comes from: weights, digests of the data, machine, versions, date."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if not self.ci_low <= self.value <= self.ci_high:
            raise ValueError(f"value: {self.value} lies outside its interval, {self.ci_low} to {self.ci_high}")
        if self.metric != "cider" and self.ci_high > 1:
            raise ValueError(f"ci_high: {self.ci_high} is more than 1, all of the samples")
        if self.differing_predictions > self.samples:
            raise ValueError(f"differing_predictions: {self.differing_predictions} of {self.samples} samples")
        if (self.precision is None) is not (self.differing_from_own_precision is None):
            raise ValueError("differing_from_own_precision: belongs to rows with a precision, and to all of them")
        if (self.differing_from_own_precision or 0) > self.samples:
            few = f"{self.differing_from_own_precision} of {self.samples} samples"
            raise ValueError(f"differing_from_own_precision: {few}")
        if self.arrangement == "whole" and self.differing_predictions:
            raise ValueError("differing_predictions: the whole model does not differ from itself; write 0")
        return self

    @property
    def key(self) -> tuple[str, str, str, str, str]:
        """What may stand once in a record."""
        return self.benchmark, self.model, self.arrangement, self.metric, self.precision or "own precision"

    @property
    def random_weights(self) -> bool:
        """Whether the model had seeded random weights, with which an accuracy says nothing but that the path works."""
        return "random, seed" in self.provenance.get("weights", "")


def beside_own_precision(row: AccuracyRow) -> str:
    """What a line about a row with a precision says more; nothing of others."""
    if row.precision is None:
        return ""
    return f"; in {row.precision}, {row.differing_from_own_precision} otherwise than in its own precision"


class AccuracyRecord(Record):
    """A file of accuracies, in any order of rows."""

    schema_: Literal["splitshare.accuracy/1"] = Field(alias="schema")
    rows: tuple[AccuracyRow, ...]

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        seen: dict[tuple[str, str, str, str, str], int] = {}
        for i, row in enumerate(self.rows):
            if row.key in seen:
                raise ValueError(f"rows[{i}]: {' / '.join(row.key)} stands in rows[{seen[row.key]}] too; keep one")
            seen[row.key] = i
        return self


def in_own_precision(rows: Iterable[AccuracyRow]) -> list[AccuracyRow]:
    """The rows of models as the catalogue has them, in their order."""
    return [row for row in rows if row.precision is None]


def merge(records: Iterable[AccuracyRecord]) -> AccuracyRecord:
    """All rows of ``records``, sorted by what they are of; of equal ones, the later record's row holds."""
    rows = {row.key: row for record in records for row in record.rows}

    def place(row: AccuracyRow) -> tuple[str, str, str, int, str]:
        return row.benchmark, row.model, row.precision or "", ARRANGEMENTS.index(row.arrangement), row.metric

    ordered = sorted(rows.values(), key=place)
    return AccuracyRecord(schema_="splitshare.accuracy/1", rows=tuple(ordered))
