"""The time of modules on a GPU that nobody measured, fitted on one that was (the rule is ours).

Seconds of a pass = launch x operations + max(FLOPs / (efficiency x peak), bytes moved / drawn bandwidth).

Small work is bound by handing operations to the GPU, one kernel after the other, and no data sheet tells how long that
takes: ``launch`` and ``efficiency`` are fitted on a measured GPU, the rest is the data sheet's. Convolutions at
float32 count against the TF32 peak, as torch computes them by default. A decoder is timed pass by pass: the prompt,
then one pass for each further token, each of which reads the weights again. The keys and values that it keeps, and
activations between layers, are not counted among the bytes.

The fit is the least sum of soft-L1 losses of log ratios (predicted over measured), so that a row twice as long as the
rule has it weighs as much as one half as long, and a few odd rows do not pull the values. All rows of an
architecture leave the fit together when its error is told, for its batches and weights are near copies of each other.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import least_squares

from splitshare.catalog.records import DeviceSpec, GpuSheet, MeasuredGpu, ModuleKind
from splitshare.errors import InputError
from splitshare.profiling.records import ModuleDescription, ModuleDescriptions, ModuleProfile, Work

_START = (1e-5, 0.5)
"""Seconds a launch and efficiency to begin with."""
_LOSS_SCALE = 0.1
"""Log ratio from which on a row's loss grows in proportion."""
_DIGITS = 3
"""Significant digits of the fitted values: more than they are worth, and the same on every machine."""


@dataclass(frozen=True)
class LaunchRule:
    """The fitted values."""

    launch_s: float
    """Seconds that handing one operation to the GPU takes."""
    efficiency: float
    """Share of its peak that a GPU reaches."""


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
    architecture: str
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


@dataclass(frozen=True)
class FittedLaunches:
    """The rule with what it was fitted on."""

    rule: LaunchRule
    device: str
    """The measured GPU."""
    rows: int
    error: float
    """How far the rule is off in the geometric mean, each architecture left out of its own fit."""


def fitted_on(descriptions: ModuleDescriptions, profile: ModuleProfile, device: DeviceSpec) -> FittedLaunches:
    """Fit the rule on a measured GPU.

    Args:
        descriptions: the modules that were measured.
        profile: their times on the GPU.
        device: the GPU, whose rule is ``measured``.

    Raises:
        InputError: the device is no GPU that was measured, or too few described modules have times on it.
    """
    if not isinstance(device.profile, MeasuredGpu):
        raise InputError(f"{device.name}.yaml", "profile.rule", "must be 'measured' for other devices to be derived from it")
    rows = measured_work(descriptions, profile)
    try:
        error = geometric_mean_ratio(leave_one_architecture_out(rows, device, device.profile))
        rule = fit_launches(rows, device, device.profile)
    except ValueError as failure:
        raise InputError(f"{profile.device.name}.json", "rows", str(failure)) from None
    return FittedLaunches(rule, device.name, len(rows), error)


def measured_work(descriptions: ModuleDescriptions, profile: ModuleProfile) -> list[MeasuredWork]:
    """The rows of a measured profile that have times and whose module is described as it was measured."""
    return [
        MeasuredWork(module, work, row.compute_median_s)
        for module in descriptions.modules
        for work in module.work
        if (row := profile.by_key.get((module.module, work.batch))) is not None
        and row.compute_median_s is not None
        and row.definition_sha256 == module.definition_sha256
    ]


def fit_launches(rows: Sequence[MeasuredWork], device: DeviceSpec, sheet: GpuSheet) -> LaunchRule:
    """Fit the rule on rows that were measured on ``device``.

    Raises:
        ValueError: there are fewer than two rows, or a row's operations were not counted.
    """
    if len(rows) < len(_START):
        raise ValueError(f"the rule has {len(_START)} values to fit, and {len(rows)} rows were measured")
    if any(row.work.operations == 0 for row in rows):
        raise ValueError("operations were not counted; describe the modules again")

    def residuals(logs: np.ndarray) -> np.ndarray:
        rule = LaunchRule(*np.exp(logs))
        return np.array([math.log(predicted_s(rule, device, sheet, r.module, r.work)[0] / r.seconds) for r in rows])

    fit = least_squares(residuals, np.log(_START), loss="soft_l1", f_scale=_LOSS_SCALE)
    if not fit.success:
        raise ValueError(f"the fit did not end: {fit.message}")
    return LaunchRule(*(float(f"{value:.{_DIGITS}g}") for value in np.exp(fit.x)))


def predicted_s(
    rule: LaunchRule, device: DeviceSpec, sheet: GpuSheet, module: ModuleDescription, work: Work, launch_factor: float = 1
) -> tuple[float, str]:
    """Seconds that the rule gives, and what the most of them are spent on: launches, compute or memory.

    Args:
        rule: the fitted values.
        device: the GPU; its memory bandwidth is read.
        sheet: the GPU's peaks.
        module: the module.
        work: what it does on one batch.
        launch_factor: how many times as long a launch takes.
    """
    bandwidth_bytes_per_s = device.memory_bandwidth_bytes_per_s * device.bandwidth_efficiency
    memory_s = module.moved_bytes(work) / bandwidth_bytes_per_s
    half = module.dtype != "float32"
    peak = sheet.peak_float16_flops_per_s if half else sheet.peak_float32_flops_per_s
    convolution_peak = sheet.peak_float16_flops_per_s if half else sheet.peak_tf32_flops_per_s
    first = work.flops if work.prefill_flops is None else work.prefill_flops
    further = work.weight_passes - 1
    first_s = ((first - work.convolution_flops) / peak + work.convolution_flops / convolution_peak) / rule.efficiency
    passes = [(1, first_s)]
    if further:
        passes.append((further, (work.flops - first) / further / peak / rule.efficiency))
    parts = {
        "launches": launch_factor * rule.launch_s * work.operations,
        "compute": sum(count * each_s for count, each_s in passes if each_s >= memory_s),
        "memory": sum(count * memory_s for count, each_s in passes if each_s < memory_s),
    }
    return math.fsum(parts.values()), max(parts, key=lambda part: parts[part])


def leave_one_architecture_out(
    rows: Sequence[MeasuredWork], device: DeviceSpec, sheet: GpuSheet
) -> list[Prediction]:
    """Every measured row as the rule predicts it that was fitted on the rows of all other architectures.

    Raises:
        ValueError: as ``fit_launches``.
    """
    rules = {
        left_out: fit_launches([r for r in rows if r.module.architecture != left_out], device, sheet)
        for left_out in {row.module.architecture for row in rows}
    }
    return [
        Prediction(
            module=row.module.module,
            architecture=row.module.architecture,
            kind=row.module.kind,
            batch=row.work.batch,
            operations=row.work.operations,
            measured_s=row.seconds,
            predicted_s=predicted_s(rules[row.module.architecture], device, sheet, row.module, row.work)[0],
        )
        for row in rows
    ]


def geometric_mean_ratio(predictions: Sequence[Prediction]) -> float:
    """How far the predictions are off in the geometric mean (1.3: by 30 % up or down).

    Raises:
        ValueError: there are none.
    """
    if not predictions:
        raise ValueError("no described module has times in it")
    return math.exp(math.fsum(math.log(p.ratio) for p in predictions) / len(predictions))
