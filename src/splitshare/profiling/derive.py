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

``roofline``. The larger of FLOPs over efficiency times peak and bytes moved over the bandwidth's share
(``assumed``). The efficiency is the geometric mean, over the published towers, of the share of its peak
that a *saturated* reference GPU reaches; an image is work enough to saturate a small one. One factor serves
all modules. By family it would fit the reference better (1.14 instead of 1.25), but that gap need not carry
over to a device with 9 to 18 FLOPs per byte of bandwidth instead of 76, and text towers, audio towers and
heads have no figure.

A decoder is timed pass by pass: the prompt in one pass, then one pass for each further token, and every pass is the
larger of its compute and its memory time. bfloat16 on a CPU halves the bytes and is taken to compute at the rate of
float32, and on a GPU without it at that of float16. On a large GPU launching the kernels of a pass comes on top
(``pass_overhead_s``): batch 1 does not saturate it, and its published throughput says nothing about that. The keys and
values that a decoder keeps are not counted among its bytes.

Bytes moved are parameters, input and output once each, without the token embedding, of which a look-up
reads a few rows: a lower bound, since activations between layers are left out. Calls cost nothing, so the
microseconds of a head are lower bounds too. Peak memory and load time are published nowhere and stay null.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from splitshare.catalog.records import DeviceSpec, Dtype, EfficiencyFit, PublishedCpu, Roofline
from splitshare.errors import InputError
from splitshare.profiling.fit import FIT_RULES, FitError, FitRule, Point, PowerLaw, leave_one_out, power_law
from splitshare.profiling.published import (
    LATENCY_COLUMNS,
    THROUGHPUT_COLUMNS,
    PublishedTable,
    PublishedTower,
)
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
_ITEM_BYTES: dict[Dtype, int] = {"float32": 4, "bfloat16": 2}
_PARAMETERS_TOLERANCE_MILLIONS = 0.01
_FLOPS_TOLERANCE = 0.1
"""Published operation counts lie 0.1 % (ViT-B/16) to 6 % (ResNet-50) above ours, which leave out all but products;
the next image size is at least 30 % away."""


@dataclass(frozen=True)
class Efficiency:
    """Share of its peak that the reference GPU reaches on the published towers."""

    geometric_mean: float
    least: float
    greatest: float
    points: int


def derive_profile(
    descriptions: ModuleDescriptions,
    device: DeviceSpec,
    table: PublishedTable,
    published_names: Mapping[str, str],
) -> ModuleProfile:
    """The profile of every described module at every described batch, by the device's rule.

    Args:
        descriptions: what each module computes and moves.
        device: the device type; its ``profile.rule`` chooses the rule.
        table: published figures.
        published_names: the table's model by catalogue architecture, for the image towers that it has.

    Raises:
        InputError: an architecture is matched with a row of other size, or a column is unknown.
    """
    match device.profile:
        case PublishedCpu() as rule:
            rows, notes = _published_cpu(descriptions, device, rule, table, published_names)
        case Roofline() as rule:
            rows, notes = _roofline(descriptions, device, rule, table)
    return ModuleProfile(
        schema_="splitshare.module-profile/1",
        device=ProfiledDevice(name=device.name, cpu=device.cpu, gpu=device.gpu, memory_bytes=device.memory_bytes),
        notes=tuple(notes),
        rows=tuple(rows),
    )


def published_points(table: PublishedTable, column: str) -> list[Point]:
    """The table's latencies or throughputs in ``column`` as work and seconds for one image."""
    if column in LATENCY_COLUMNS:
        return [Point(t.model, t.family, t.flops, table.latency_s(t.model, column)) for t in table.towers]
    return [Point(t.model, t.family, t.flops, 1 / t.figures[column]) for t in table.towers]


def derivation_errors(table: PublishedTable, column: str) -> tuple[FitError, ...]:
    """Leave-one-out error of every candidate rule on the published figures of ``column``."""
    points = published_points(table, column)
    return tuple(leave_one_out(points, rule) for rule in FIT_RULES)


def fit_efficiency(table: PublishedTable, reference: EfficiencyFit) -> Efficiency:
    """Published throughput times work over the reference GPU's peak: geometric mean and range."""
    shares = [t.flops * t.figures[reference.column] / reference.peak_flops_per_s for t in table.towers]
    mean = math.exp(math.fsum(math.log(s) for s in shares) / len(shares))
    return Efficiency(mean, min(shares), max(shares), len(shares))


def bytes_moved(description: ModuleDescription, work: Work) -> int:
    """Parameters, input and output read or written once; a lower bound (see the module's docstring)."""
    embedding = description.embedding_parameters * _ITEM_BYTES[description.dtype]
    return description.parameter_bytes - embedding + work.input_bytes + work.output_bytes


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


def _roofline(
    descriptions: ModuleDescriptions, device: DeviceSpec, rule: Roofline, table: PublishedTable
) -> tuple[list[ProfileRow], list[str]]:
    _require_column(device, "profile.efficiency.column", rule.efficiency.column, THROUGHPUT_COLUMNS)
    efficiency = fit_efficiency(table, rule.efficiency)
    peaks: dict[Dtype, float] = {
        "float32": rule.peak_float32_flops_per_s,
        "bfloat16": rule.peak_float16_flops_per_s,
    }
    bandwidth = device.memory_bandwidth_bytes_per_s * device.bandwidth_efficiency
    rows = []
    for module in descriptions.modules:
        rate_per_s = efficiency.geometric_mean * peaks[module.dtype]
        overhead_s = 0.0 if module.kind == "head" else rule.pass_overhead_s
        for work in module.work:
            seconds, bound = _pass_by_pass(module, work, partial(_rate_s, rate_per_s), bandwidth)
            seconds += overhead_s * work.weight_passes
            source = f"roofline from the specification sheet, bound by {bound}"
            rows.append(_row(module, work, "assumed", source, _rounded(seconds)))
    error = {e.rule: e for e in derivation_errors(table, rule.efficiency.column)}["constant-rate"]
    notes = [
        f"assumed: seconds = max(FLOPs / ({efficiency.geometric_mean:.3f} x peak), bytes moved / "
        f"({device.bandwidth_efficiency:g} x bandwidth)); nothing was measured on this device",
        f"efficiency {efficiency.geometric_mean:.3f}: geometric mean over {efficiency.points} towers of "
        f"{rule.efficiency.column} against {rule.efficiency.peak_flops_per_s:.4g} FLOP/s; the towers spread "
        f"from {efficiency.least:.3f} to {efficiency.greatest:.3f}",
        f"leave-one-out error of one efficiency on the reference GPU itself: {_shown(error)}; what carrying "
        "it over to this device adds is not known",
    ]
    if rule.pass_overhead_s:
        notes.append(f"{rule.pass_overhead_s:g} s are added for launching the kernels of each pass; heads: none")
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


def _rate_s(flops_per_s: float, flops: float) -> float:
    return flops / flops_per_s


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
    memory_s = bytes_moved(module, work) / bandwidth_bytes_per_s
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
