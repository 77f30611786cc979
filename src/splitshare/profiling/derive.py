"""Profiles of devices that nobody measured, from published figures and specification sheets (all rules ours).

The rules were fixed before any placement was computed.

``published-cpu``. An image tower that the table has takes the published latency at batch 1 (``published``)
and B times it at batch B (``derived``: the device's published latencies are all at batch 1, so what a batch
saves is not known). Every other module takes the larger of a compute and a memory time (``derived``).
Compute: the power law of seconds in FLOPs through all published points of the same device, at the FLOPs of
one input, times the batch. Of four candidates it has the least leave-one-out error on both devices
(``derivation_errors`` gives them all): a constant rate is off by 1.07 and 1.27, the power law by 1.05 and
1.21, and fits by family do worse than the same fit over all points. Memory: bytes moved over the share of
the bandwidth that can be drawn.

``launches``. What handing operations to a GPU takes, and the larger of FLOPs over a share of its peak and bytes moved
over the bandwidth's share, with two values fitted on a GPU that was measured (``profiling.launches``; ``assumed``:
what carrying them over to the device adds is not known, and how long its host takes for a launch is a guess).

``measured``. No rule: such a profile is recorded, not derived.

A decoder is timed pass by pass: the prompt in one pass, then one pass for each further token, and every pass is the
larger of its compute and its memory time. bfloat16 on a CPU halves the bytes and is taken to compute at the rate of
float32, and on a GPU without it at that of float16. The keys and values that a decoder keeps are not counted among its
bytes. On a CPU calls cost nothing, so the microseconds of a head are lower bounds there. Peak memory and load time are
published nowhere and stay null.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from splitshare.catalog.records import DeviceSpec, Launches, MeasuredGpu, PublishedCpu
from splitshare.errors import InputError
from splitshare.profiling.fit import FIT_RULES, FitError, FitRule, Point, PowerLaw, leave_one_out, power_law
from splitshare.profiling.launches import FittedLaunches, predicted_s
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
    fitted: FittedLaunches | None = None,
) -> ModuleProfile:
    """The profile of every described module at every described batch, by the device's rule.

    Args:
        descriptions: what each module computes and moves.
        device: the device type; its ``profile.rule`` chooses the rule.
        table: published figures.
        published_names: the table's model by catalogue architecture, for the image towers that it has.
        fitted: what the rule ``launches`` is fitted to; no other rule needs it.

    Raises:
        InputError: an architecture is matched with a row of other size, a column is unknown, or the device was
            measured.
        ValueError: the rule is ``launches`` and nothing was fitted.
    """
    match device.profile:
        case PublishedCpu() as rule:
            rows, notes = _published_cpu(descriptions, device, rule, table, published_names)
        case Launches() as rule:
            if fitted is None:
                raise ValueError(f"{device.name}: the rule 'launches' needs what it is fitted to")
            rows, notes = _launches(descriptions, device, rule, fitted)
        case MeasuredGpu():
            raise InputError(
                f"{device.name}.yaml",
                "profile.rule",
                "the device was measured; its profile is recorded by `splitshare record-profile`, not derived",
            )
    return ModuleProfile(
        schema_="splitshare.module-profile/1",
        device=ProfiledDevice(name=device.name, cpu=device.cpu, gpu=device.gpu, memory_bytes=device.memory_bytes),
        notes=tuple(notes),
        rows=tuple(rows),
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
) -> tuple[list[ProfileRow], list[str]]:
    _require_column(device, "profile.column", rule.column, LATENCY_COLUMNS)
    law = power_law(published_points(table, rule.column))
    bandwidth = device.memory_bandwidth_bytes_per_s * device.bandwidth_efficiency
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
            seconds, bound = _pass_by_pass(module, work, partial(_law_s, law, work.batch), bandwidth)
            source = (
                f"power law in FLOPs through the published latencies, {rule.column}"
                if bound == "compute"
                else "bytes moved over the drawn bandwidth"
            )
            rows.append(_row(module, work, "derived", source, _rounded(seconds)))
    notes = [
        f"derived: seconds of one input = exp({law.log_scale:.6g}) x FLOPs ** {law.exponent:.6g}, but not "
        f"below bytes moved over {device.bandwidth_efficiency:g} of the memory bandwidth; a batch takes that "
        "many times as long",
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
            seconds, most = predicted_s(fitted.rule, device, rule, module, work, rule.launch_factor)
            source = f"rule fitted on {fitted.device} and the data sheet, mostly {most}"
            rows.append(_row(module, work, "assumed", source, _rounded(seconds)))
    launch_us = fitted.rule.launch_s * 1e6
    notes = [
        f"assumed: seconds = {rule.launch_factor:g} x {launch_us:g} microseconds x operations + max(FLOPs / "
        f"({fitted.rule.efficiency:g} x peak), bytes moved / ({device.bandwidth_efficiency:g} x bandwidth)), pass by "
        "pass; nothing was measured on this device",
        f"{launch_us:g} microseconds and {fitted.rule.efficiency:g}: fitted on {fitted.rows} measured rows of "
        f"{fitted.device}; {rule.launch_factor:g}: assumed",
        f"each architecture of {fitted.device} left out of its own fit: off by {fitted.error:.3f} in the geometric "
        "mean; what carrying the values over to this device adds is not known",
    ]
    return rows, notes


def _matched_tower(
    module: ModuleDescription, table: PublishedTable, published_names: Mapping[str, str]
) -> PublishedTower | None:
    """The published row of a module's architecture, after checking that it is the same work."""
    if module.architecture not in published_names:
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


def _law_s(law: PowerLaw, batch: int, flops: float) -> float:
    return batch * law.seconds(flops / batch)


def _pass_by_pass(
    module: ModuleDescription, work: Work, compute_s: Callable[[float], float], bandwidth_bytes_per_s: float
) -> tuple[float, str]:
    """Seconds of all passes over the weights, and what bounds the longer part of them.

    Args:
        module: the module.
        work: what it does on one batch.
        compute_s: seconds that so many FLOPs take.
        bandwidth_bytes_per_s: what can be drawn.
    """
    memory_s = module.moved_bytes(work) / bandwidth_bytes_per_s
    first = work.flops if work.prefill_flops is None else work.prefill_flops
    passes = [(1, compute_s(first))]
    if work.weight_passes > 1:
        further = work.weight_passes - 1
        passes.append((further, compute_s((work.flops - first) / further)))
    seconds = sum(count * max(each_s, memory_s) for count, each_s in passes)
    bound_s = sum(count * each_s for count, each_s in passes if each_s >= memory_s)
    return seconds, "compute" if 2 * bound_s >= seconds else "memory"


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
