"""The time of modules on a GPU that nobody measured, fitted on one that was (the rule is ours).

Seconds of a pass = launch x operations + max(FLOPs / (efficiency x peak), bytes moved / drawn bandwidth).

Small work is bound by handing operations to the GPU, one kernel after the other, and no data sheet tells how long that
takes: ``launch`` and ``efficiency`` are fitted on a measured GPU (``profiling.predictions``), the rest is the data
sheet's. Convolutions at float32 count against the TF32 peak, as torch computes them by default. A decoder is timed pass
by pass: the prompt, then one pass for each further token, each of which reads the weights again. The keys and values
that it keeps, and activations between layers, are not counted among the bytes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from splitshare.catalog.records import DeviceSpec, GpuSheet, MeasuredGpu
from splitshare.errors import InputError
from splitshare.profiling.passes import seconds_of_passes
from splitshare.profiling.predictions import (
    FittedOn,
    MeasuredWork,
    Prediction,
    fit_values,
    geometric_mean_ratio,
    leave_one_architecture_out,
)
from splitshare.profiling.records import ModuleDescription, Work

_START = (1e-5, 0.5)
"""Seconds a launch and efficiency to begin with."""


@dataclass(frozen=True)
class LaunchRule:
    """The fitted values."""

    launch_s: float
    """Seconds that handing one operation to the GPU takes."""
    efficiency: float
    """Share of its peak that a GPU reaches."""


@dataclass(frozen=True)
class FittedLaunches:
    """The rule for GPUs with what it was fitted on."""

    rule: LaunchRule
    on: FittedOn


def fit_launches(rows: Sequence[MeasuredWork], device: DeviceSpec) -> FittedLaunches:
    """Fit the rule on a measured GPU.

    Args:
        rows: its times.
        device: the GPU, whose rule is ``measured-gpu``.

    Raises:
        InputError: the device is no GPU that was measured.
    """
    sheet = _sheet(device)
    error = geometric_mean_ratio(predicted_launches(rows, device))
    return FittedLaunches(_fit(rows, device, sheet), FittedOn(device.name, len(rows), error))


def predicted_launches(rows: Sequence[MeasuredWork], device: DeviceSpec) -> list[Prediction]:
    """A measured GPU's rows as the rule predicts them, each architecture left out of its own fit.

    Raises:
        InputError: as ``fit_launches``.
    """
    sheet = _sheet(device)
    return leave_one_architecture_out(
        rows,
        lambda others: _fit(others, device, sheet),
        lambda rule, row: gpu_seconds(rule, device, sheet, row.module, row.work)[0],
    )


def gpu_seconds(
    rule: LaunchRule,
    device: DeviceSpec,
    sheet: GpuSheet,
    module: ModuleDescription,
    work: Work,
    launch_factor: float = 1,
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
    half = module.dtype != "float32"
    peak = sheet.peak_float16_flops_per_s if half else sheet.peak_float32_flops_per_s
    convolution_peak = sheet.peak_float16_flops_per_s if half else sheet.peak_tf32_flops_per_s

    def compute_s(flops: float, convolution_flops: float) -> float:
        return ((flops - convolution_flops) / peak + convolution_flops / convolution_peak) / rule.efficiency

    launches_s = launch_factor * rule.launch_s * work.operations
    return seconds_of_passes(module, work, compute_s, device.drawn_bytes_per_s, launches_s)


def _fit(rows: Sequence[MeasuredWork], device: DeviceSpec, sheet: GpuSheet) -> LaunchRule:
    def predicted_s(values: Sequence[float], row: MeasuredWork) -> float:
        return gpu_seconds(LaunchRule(*values), device, sheet, row.module, row.work)[0]

    return LaunchRule(*fit_values(rows, _START, predicted_s))


def _sheet(device: DeviceSpec) -> MeasuredGpu:
    if isinstance(device.profile, MeasuredGpu):
        return device.profile
    raise InputError(
        f"{device.name}.yaml", "profile.rule", "must be 'measured-gpu' for other GPUs to be derived from the device"
    )
