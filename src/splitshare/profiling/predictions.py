"""What a rule for devices that nobody measured makes of one that was, beside its measured times."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from scipy.optimize import least_squares

from splitshare.catalog.records import ModuleKind
from splitshare.errors import InputError
from splitshare.profiling.records import ModuleDescription, ModuleDescriptions, ModuleProfile, Work

_LOSS_SCALE = 0.1
"""Log ratio from which on a row's loss grows in proportion."""
_DIGITS = 3
"""Significant digits of the fitted values: more than they are worth, and the same on every machine."""


@dataclass(frozen=True)
class MeasuredWork:
    """A row of the measured profile and what the module does in it."""

    module: ModuleDescription
    work: Work
    seconds: float


@dataclass(frozen=True)
class Prediction:
    """A measured row beside what the rule makes of it, fitted without the row's architecture."""

    module: str
    kind: ModuleKind
    batch: int
    operations: int
    measured_s: float
    predicted_s: float

    @property
    def ratio(self) -> float:
        """How far it is off: the larger of predicted over measured and its inverse."""
        ratio = self.predicted_s / self.measured_s
        return max(ratio, 1 / ratio)


Rule = TypeVar("Rule")


@dataclass(frozen=True)
class FittedOn:
    """The measured device that a rule's values are fitted on, and how far the rule is off there."""

    device: str
    rows: int
    error: float
    """In the geometric mean, each architecture left out of its own fit."""


def measured_work(descriptions: ModuleDescriptions, profile: ModuleProfile) -> list[MeasuredWork]:
    """The rows of a measured profile that have times and whose module is described as it was measured.

    Raises:
        InputError: there are none, or a row's operations were not counted.
    """
    rows = [
        MeasuredWork(module, work, row.compute_median_s)
        for module in descriptions.modules
        for work in module.work
        if (row := profile.by_key.get((module.module, work.batch, descriptions.precision))) is not None
        and row.compute_median_s is not None
        and row.definition_sha256 == module.definition_sha256
    ]
    source = f"{profile.device.name}.json"
    if not rows:
        raise InputError(source, "rows", "none is of a described module; measure the device again")
    for measured in rows:
        if not measured.work.operations:
            module = measured.module.module
            raise InputError(source, "rows", f"operations of {module} were not counted; describe it again")
    return rows


def fit_values(
    rows: Collection[MeasuredWork],
    start: Sequence[float],
    predicted_s: Callable[[Sequence[float], MeasuredWork], float],
) -> tuple[float, ...]:
    """The positive values of a rule whose predictions have the least sum of soft-L1 losses of log ratios.

    So a row that is twice as long as the rule has it weighs as much as one half as long, and a few odd rows do not
    pull the values.

    Args:
        rows: what was measured.
        start: values to begin with.
        predicted_s: seconds that the rule gives a row by its values.
    """

    def residuals(logs: np.ndarray) -> np.ndarray:
        values = tuple(np.exp(logs))
        return np.array([math.log(predicted_s(values, row) / row.seconds) for row in rows])

    fit = least_squares(residuals, np.log(start), loss="soft_l1", f_scale=_LOSS_SCALE)
    return tuple(float(f"{value:.{_DIGITS}g}") for value in np.exp(fit.x))


def leave_one_architecture_out(
    rows: Sequence[MeasuredWork],
    fit: Callable[[Sequence[MeasuredWork]], Rule],
    predicted_s: Callable[[Rule, MeasuredWork], float],
) -> list[Prediction]:
    """Every row as the rule predicts it that was fitted on the rows of all other architectures.

    An architecture's rows leave together, for its batches and weights are near copies of each other.
    """
    rules = {
        left_out: fit([row for row in rows if row.module.architecture != left_out])
        for left_out in {row.module.architecture for row in rows}
    }
    return [
        Prediction(
            module=row.module.module,
            kind=row.module.kind,
            batch=row.work.batch,
            operations=row.work.operations,
            measured_s=row.seconds,
            predicted_s=predicted_s(rules[row.module.architecture], row),
        )
        for row in rows
    ]


def geometric_mean_ratio(predictions: Sequence[Prediction]) -> float:
    """How far predictions are off in the geometric mean (1.3: by 30 % up or down)."""
    return math.exp(math.fsum(math.log(p.ratio) for p in predictions) / len(predictions))
