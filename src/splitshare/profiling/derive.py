"""Profiles of devices that nobody measured, from published figures and specification sheets (all rules ours).

The rules were chosen by how far they are off on published figures and on measured devices, never by a placement.

``published-cpu``. An image tower that the table has takes the published latency at batch 1 (``published``)
and B times it at batch B (``derived``: the device's published latencies are all at batch 1, so what a batch
saves is not known). Every other module takes what the law through these latencies gives, or what moving its bytes
takes, and the launches of a CPU that was measured (``profiling.cpu_rule``; ``derived``).

``launches``. What handing operations to a GPU takes, and the larger of FLOPs over a share of its peak and bytes moved
over the bandwidth's share, with two values fitted on a GPU that was measured (``profiling.gpu_rule``; ``assumed``:
what carrying them over to the device adds is not known, and how long its host takes for a launch is a guess).

``measured-cpu``, ``measured-gpu``. No rule: such a profile is recorded, not derived.

A decoder is timed pass by pass: the prompt in one pass, then one pass for each further token, and every pass is the
larger of its compute and its memory time. Half precision on a GPU computes at the rate of float16, bfloat16 too where
the GPU has none. On a CPU it halves the bytes and is taken to compute at the rate of float32 (``assumed``: torch's own
products are 50 to 150 times slower on a processor without instructions for it: ``benchmarks/half_precision.py``). The
keys and values that a decoder keeps are not counted among its bytes. Peak memory and load time are published nowhere
and stay null.
"""

from __future__ import annotations

from collections.abc import Mapping

from splitshare.catalog.records import DeviceSpec, Launches, MeasuredCpu, MeasuredGpu, PublishedCpu
from splitshare.errors import InputError
from splitshare.profiling.cpu_rule import CpuRule, FittedCpuLaunch, cpu_seconds
from splitshare.profiling.fit import FIT_RULES, FitError, FitRule, Point, leave_one_out, power_law
from splitshare.profiling.gpu_rule import FittedLaunches, gpu_seconds
from splitshare.profiling.predictions import FittedOn
from splitshare.profiling.published import LATENCY_COLUMNS, PublishedTable, PublishedTower
from splitshare.profiling.records import (
    ModuleDescription,
    ModuleDescriptions,
    ModuleProfile,
    ProfiledDevice,
    ProfileRow,
    Provenance,
    Work,
)
from splitshare.records import nearest

CHOSEN_RULE: FitRule = "power-law"
_TABLE_SOURCE = "timm benchmark results"
_PARAMETERS_TOLERANCE_MILLIONS = 0.01
_FLOPS_TOLERANCE = 0.1
"""Published operation counts lie 0.1 % (ViT-B/16) to 6 % (ResNet-50) above ours, which leave out all but products;
the next image size is at least 30 % away."""


def derive_profile(
    descriptions: ModuleDescriptions,
    device: DeviceSpec,
    table: PublishedTable,
    published_names: Mapping[str, str],
    fitted: FittedCpuLaunch | FittedLaunches,
) -> ModuleProfile:
    """The profile of every described module at every described batch, by the device's rule.

    Args:
        descriptions: what each module computes and moves.
        device: the device type; its ``profile.rule`` chooses the rule.
        table: published figures.
        published_names: the table's model by catalogue architecture, for the image towers that it has.
        fitted: what the device's rule takes from a device that was measured.

    Raises:
        InputError: an architecture is matched with a row of other size, a column is unknown, or the device was
            measured.
        TypeError: ``fitted`` is another rule's.
    """
    match device.profile, fitted:
        case PublishedCpu() as rule, FittedCpuLaunch() as launch:
            rows, notes = _published_cpu(descriptions, device, rule, table, published_names, launch)
        case Launches() as rule, FittedLaunches() as launches:
            rows, notes = _launches(descriptions, device, rule, launches)
        case ((MeasuredCpu() | MeasuredGpu()), _):
            raise was_measured(device)
        case rule, _:
            raise TypeError(f"{type(fitted).__name__} is nothing that {rule.rule!r} takes")
    return ModuleProfile(
        schema_="splitshare.module-profile/1",
        device=ProfiledDevice(name=device.name, cpu=device.cpu, gpu=device.gpu, memory_bytes=device.memory_bytes),
        notes=tuple(notes),
        rows=tuple(row.model_copy(update={"precision": descriptions.precision}) for row in rows),
    )


def was_measured(device: DeviceSpec) -> InputError:
    """The refusal to derive a device that was measured."""
    return InputError(
        f"{device.name}.yaml",
        "profile.rule",
        "the device was measured; its profile is recorded by `splitshare record-profile`, not derived",
    )


def published_points(table: PublishedTable, column: str) -> list[Point]:
    """The table's latencies in ``column`` as work and seconds for one image."""
    return [Point(t.model, t.family, t.flops, table.latency_s(t.model, column)) for t in table.towers]


def derivation_errors(table: PublishedTable, column: str) -> tuple[FitError, ...]:
    """Leave-one-out error of every candidate rule on the published figures of ``column``."""
    points = published_points(table, column)
    return tuple(leave_one_out(points, rule) for rule in FIT_RULES)


def _published_cpu(
    descriptions: ModuleDescriptions,
    device: DeviceSpec,
    rule: PublishedCpu,
    table: PublishedTable,
    published_names: Mapping[str, str],
    fitted: FittedCpuLaunch,
) -> tuple[list[ProfileRow], list[str]]:
    _require_column(device, "profile.column", rule.column, LATENCY_COLUMNS)
    law = power_law(published_points(table, rule.column))
    rows = []
    for module in descriptions.modules:
        tower = _matched_tower(module, table, published_names)
        for work in module.work:
            if tower is not None:
                once_s = table.latency_s(tower.model, rule.column)
                source = f"{_TABLE_SOURCE}, {tower.model}, {rule.column}"
                if work.batch > 1:
                    source = f"{work.batch} times the published latency at batch 1: {source}"
                seconds = round(work.batch * once_s, 9)
                provenance: Provenance = "published" if work.batch == 1 else "derived"
                rows.append(_row(module, work, provenance, source, seconds))
                continue
            seconds, most = cpu_seconds(CpuRule(law, fitted.launch_s), device, module, work, rule.launch_factor)
            source = f"rule fitted on {rule.column} and {fitted.on.device}, mostly {most}"
            firm: Provenance = "derived" if module.dtype == "float32" else "assumed"
            rows.append(_row(module, work, firm, source, _rounded(seconds)))
    notes = [
        f"derived: seconds = {_launch(fitted.launch_s, rule.launch_factor)} x operations + "
        f"max(B x exp({law.log_scale:.6g}) x (FLOPs / B) ** {law.exponent:.6g}, "
        f"bytes moved / ({device.bandwidth_efficiency:g} x bandwidth)) at batch B, pass by pass",
        _fitted_on(fitted.on),
        *(
            f"leave-one-out error of {e.rule}{' (used)' if e.rule == CHOSEN_RULE else ''} on {e.points} "
            f"published points: {_shown(e)}"
            for e in derivation_errors(table, rule.column)
        ),
    ]
    return rows, notes


def _launches(
    descriptions: ModuleDescriptions, device: DeviceSpec, rule: Launches, fitted: FittedLaunches
) -> tuple[list[ProfileRow], list[str]]:
    rows = []
    for module in descriptions.modules:
        for work in module.work:
            seconds, most = gpu_seconds(fitted.rule, device, rule, module, work, rule.launch_factor)
            source = f"rule fitted on {fitted.on.device} and the data sheet, mostly {most}"
            rows.append(_row(module, work, "assumed", source, _rounded(seconds)))
    notes = [
        f"assumed: seconds = {_launch(fitted.rule.launch_s, rule.launch_factor)} x operations + max(FLOPs / "
        f"({fitted.rule.efficiency:g} x peak), bytes moved / ({device.bandwidth_efficiency:g} x bandwidth)), pass by "
        "pass; nothing was measured on this device",
        _fitted_on(fitted.on),
    ]
    return rows, notes


def _launch(seconds: float, factor: float) -> str:
    return f"{factor:g} (assumed) x {seconds * 1e6:g} microseconds"


def _fitted_on(on: FittedOn) -> str:
    return (
        f"fitted on {on.rows} measured rows of {on.device}, where each architecture, left out of its own fit, is off "
        f"by {on.error:.3f} in the geometric mean; what carrying the values over to this device adds is not known"
    )


def _matched_tower(
    module: ModuleDescription, table: PublishedTable, published_names: Mapping[str, str]
) -> PublishedTower | None:
    """The published row of a module's architecture, after checking that it is the same work."""
    if module.architecture not in published_names or module.dtype != "float32":  # in which the figures were taken
        return None
    tower = table.tower(published_names[module.architecture])
    field = f"architectures.{module.architecture}.published"
    if abs(module.parameters / 1e6 - tower.params_millions) > _PARAMETERS_TOLERANCE_MILLIONS:
        raise InputError(
            "architectures.yaml",
            field,
            f"{tower.model!r} has {tower.params_millions} M parameters and the module "
            f"{module.parameters / 1e6:.3f} M; name the same tower or none",
        )
    for work in module.work:
        if abs(work.flops / work.batch / tower.flops - 1) > _FLOPS_TOLERANCE:
            raise InputError(
                "architectures.yaml",
                field,
                f"{tower.model!r} has {tower.gmacs} GMACs and the module "
                f"{work.flops / work.batch / 2e9:.2f}; name the tower of the same image size or none",
            )
    return tower


def _require_column(device: DeviceSpec, field: str, column: str, known: tuple[str, ...]) -> None:
    if column not in known:
        raise InputError(f"{device.name}.yaml", field, f"unknown column {column!r}; {nearest(column, list(known))}")


def _shown(error: FitError) -> str:
    return f"geometric mean ratio {error.geometric_mean_ratio:.3f}, worst {error.worst_ratio:.3f} ({error.worst_model})"


def _rounded(seconds: float) -> float:
    """Six significant digits: more than the rules are worth, and the same on every machine."""
    return float(f"{seconds:.6g}")


def _row(module: ModuleDescription, work: Work, provenance: Provenance, source: str, seconds: float) -> ProfileRow:
    return ProfileRow(
        module=module.module,
        batch=work.batch,
        provenance=provenance,
        source=source,
        definition_sha256=module.definition_sha256,
        compute_median_s=seconds,
        parameter_bytes=module.parameter_bytes,
        output_bytes=work.output_bytes,
    )
