"""The time of modules on a CPU of which the latencies of image towers are published (the rule is ours).

Seconds of a pass = launch x operations + max(B x law(FLOPs / B), bytes moved / drawn bandwidth), at batch B.

``law`` is the power law of seconds in FLOPs through the latencies of the CPU's own image towers at batch 1. Of four
candidates it has the least leave-one-out error on both published devices (``derivation_errors`` gives them all): a
constant rate is off by 1.07 and 1.27, the power law by 1.05 and 1.21, and fits by family do worse than the same fit
over all points. ``launch``, what handing an operation to the CPU's kernels takes, decides what is small, such as a
head. No published tower tells it, so it is fitted on a CPU on which every module was measured
(``profiling.predictions``). Of the towers it is in the law already, and a small part of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from splitshare.catalog.records import DeviceSpec, MeasuredCpu
from splitshare.errors import InputError
from splitshare.profiling.fit import Point, PowerLaw, power_law
from splitshare.profiling.passes import seconds_of_passes
from splitshare.profiling.predictions import (
    FittedOn,
    MeasuredWork,
    Prediction,
    fit_values,
    geometric_mean_ratio,
    leave_one_architecture_out,
)
from splitshare.profiling.published import Family
from splitshare.profiling.records import ModuleDescription, Work

_START = (1e-5,)
"""Seconds a launch to begin with."""


@dataclass(frozen=True)
class CpuRule:
    """The fitted values."""

    law: PowerLaw
    launch_s: float


@dataclass(frozen=True)
class FittedCpuLaunch:
    """Seconds that handing one operation to a CPU's kernels takes, with what it was fitted on."""

    launch_s: float
    on: FittedOn


def fit_cpu_launch(rows: Sequence[MeasuredWork], device: DeviceSpec) -> FittedCpuLaunch:
    """Fit the launch on a measured CPU.

    Args:
        rows: its times.
        device: the CPU, whose rule is ``measured-cpu``.

    Raises:
        InputError: the device is no CPU that was measured, or its image towers do not make a law.
    """
    error = geometric_mean_ratio(predicted_cpu(rows, device))
    return FittedCpuLaunch(_fit(rows, device).launch_s, FittedOn(device.name, len(rows), error))


def predicted_cpu(rows: Sequence[MeasuredWork], device: DeviceSpec) -> list[Prediction]:
    """A measured CPU's rows as the rule predicts them, each architecture left out of its own law and fit.

    Raises:
        InputError: as ``fit_cpu_launch``.
    """
    if not isinstance(device.profile, MeasuredCpu):
        raise InputError(
            f"{device.name}.yaml", "profile.rule", "must be 'measured-cpu' for other CPUs to be derived from the device"
        )
    return leave_one_architecture_out(
        rows, lambda others: _fit(others, device), lambda rule, row: cpu_seconds(rule, device, row.module, row.work)[0]
    )


def cpu_seconds(
    rule: CpuRule, device: DeviceSpec, module: ModuleDescription, work: Work, launch_factor: float = 1
) -> tuple[float, str]:
    """Seconds that the rule gives, and what the most of them are spent on: launches, compute or memory.

    Args:
        rule: the fitted values.
        device: the CPU; its memory bandwidth is read.
        module: the module.
        work: what it does on one batch.
        launch_factor: how many times as long a launch takes.
    """

    def compute_s(flops: float, convolution_flops: float) -> float:
        return work.batch * rule.law.seconds(flops / work.batch)

    launches_s = launch_factor * rule.launch_s * work.operations
    return seconds_of_passes(module, work, compute_s, device.drawn_bytes_per_s, launches_s)


def _fit(rows: Sequence[MeasuredWork], device: DeviceSpec) -> CpuRule:
    """The law through the image towers at batch 1, as the published ones are, and the launch through all rows."""
    towers = [row for row in rows if row.module.kind == "vision-encoder" and row.work.batch == 1]
    try:
        law = power_law([_point(row) for row in towers])
    except ValueError as error:
        raise InputError(f"{device.name}.json", "rows", f"image towers at batch 1: {error}") from None
    (launch_s,) = fit_values(
        rows, _START, lambda values, row: cpu_seconds(CpuRule(law, values[0]), device, row.module, row.work)[0]
    )
    return CpuRule(law, launch_s)


def _point(row: MeasuredWork) -> Point:
    family: Family = "convolution" if 2 * row.work.convolution_flops > row.work.flops else "transformer"
    return Point(row.module.module, family, row.work.flops, row.seconds)
