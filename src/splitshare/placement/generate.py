"""Build placement instances from the catalogue, a testbed and its devices' profiles (construction ours).

Rates are equal at 1/s and every request comes from the testbed's source. A module's resident bytes are its
weights: what activations need is kept back by the testbed's memory for models.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping
from typing import Literal

from splitshare.catalog.loader import Catalog
from splitshare.catalog.records import Model, Testbed, TestbedDevice, Workload
from splitshare.catalog.testbeds import check_testbed, models_memory_bytes
from splitshare.choices import Dtype
from splitshare.errors import InputError
from splitshare.placement.instance import Device, EncoderUse, Link, Module, Origin, PlacementInstance, Request
from splitshare.profiling.records import ModuleDescription, ModuleDescriptions, ModuleProfile, ProfileRow, Work
from splitshare.records import Bytes

Profiles = Mapping[str, ModuleProfile]
"""Profiles by device type."""


class StaleProfileWarning(UserWarning):
    """A profile was made of a module whose definition has changed since."""


# Long: one record, a field after the other.
def build_instance(
    catalog: Catalog,
    workload: Workload,
    testbed: Testbed,
    profiles: Profiles,
    descriptions: ModuleDescriptions,
    objective: Literal["mean", "max"] = "mean",
    cached_prompts: bool = False,
) -> PlacementInstance:
    """The instance ``<workload>.<testbed>``: the workload's models asked from the testbed's source.

    A module's own compute seconds and output bytes are those of one input; a request that encodes several
    overrides them where they differ. Modules stand in the order of first use, a model's encoders before its
    head.

    Args:
        catalog: the catalogue that the workload's models are in.
        workload: the models, each a request class of rate 1/s.
        testbed: devices and links.
        profiles: a profile for each device type of the testbed.
        descriptions: sizes of all modules.
        objective: mean or largest latency.
        cached_prompts: class prompts were encoded beforehand and lie at the head, for nothing: requests come without
            the encoders that take one input a class.

    Raises:
        InputError: a module is not described or not profiled; names the command that mends it.

    Warns:
        StaleProfileWarning: a profile speaks of an earlier definition of a module.
    """
    if descriptions.precision is not None:
        raise InputError(
            "module descriptions",
            "precision",
            f"is {descriptions.precision}, and sizes of what is sent are those of the catalogue as it is; describe it "
            "without --precision, and give the devices of the testbed a precision",
        )
    check_testbed(testbed, {name: p.device.memory_bytes for name, p in profiles.items()}, f"{testbed.name}.yaml")
    for line in stale_rows(catalog, [workload], [testbed], profiles, descriptions):
        warnings.warn(line, StaleProfileWarning, stacklevel=2)
    models = [catalog.model(name) for name in workload.models]
    if cached_prompts:
        models = [_without_class_prompts(model) for model in models]
    used = {ref.module for model in models for ref in (*model.encoders, model.head)}
    return PlacementInstance(
        schema_="splitshare.placement-instance/1",
        name=f"{workload.name}.{testbed.name}",
        origin=Origin(workload=workload.name, testbed=testbed.name),
        objective=objective,
        devices=tuple(
            Device(
                name=d.name,
                tier=d.tier,
                memory_bytes=models_memory_bytes(d, profiles[d.device_type].device.memory_bytes),
                precision=d.precision,
            )
            for d in testbed.devices
        ),
        links=tuple(Link.model_validate(link.model_dump()) for link in testbed.links),
        modules=tuple(
            _module(_described(descriptions, name), testbed, profiles)
            for name in catalog.modules(workload.models)
            if name in used
        ),
        requests=tuple(_request(catalog, model, testbed, profiles, descriptions) for model in models),
    )


def stale_rows(
    catalog: Catalog,
    workloads: Iterable[Workload],
    testbeds: Iterable[Testbed],
    profiles: Profiles,
    descriptions: ModuleDescriptions,
) -> list[str]:
    """One line for each device type and module whose profile has another definition than the description."""
    models = dict.fromkeys(name for workload in workloads for name in workload.models)
    types = dict.fromkeys((d.device_type, d.precision) for testbed in testbeds for d in testbed.devices)
    lines = []
    for device, precision in types:
        profiled = {(row.module, row.definition_sha256) for row in profiles[device].at_precision(precision)}
        for module in catalog.modules(models):
            digest = _described(descriptions, module).definition_sha256
            if any(name == module and other != digest for name, other in profiled):
                lines.append(
                    f"{_profile_file(device)}: {module} has changed since this profile was made; "
                    f"{_mend(device, profiles[device], precision)}"
                )
    return lines


def _without_class_prompts(model: Model) -> Model:
    others = tuple(encoder for encoder in model.encoders if encoder.items != "classes")
    return model.model_copy(update={"encoders": others or model.encoders})


def _module(description: ModuleDescription, testbed: Testbed, profiles: Profiles) -> Module:
    memory_bytes, memory_bytes_on = _memory_bytes(description, testbed, profiles)
    return Module(
        name=description.module,
        kind=description.kind,
        memory_bytes=memory_bytes,
        memory_bytes_on=memory_bytes_on,
        output_bytes=_work(description, 1).output_bytes,
        compute_s=_compute_s(description, 1, testbed, profiles),
        energy_j=_energy_j(description, 1, testbed, profiles),
    )


def _memory_bytes(
    description: ModuleDescription, testbed: Testbed, profiles: Profiles
) -> tuple[float, dict[str, Bytes] | None]:
    """A module's bytes, and those of the devices where they are others: on all devices the same, there are none."""
    own = float(description.parameter_bytes)
    sizes = {
        d.name: own if d.precision is None else float(_row(description.module, 1, d, profiles).parameter_bytes)
        for d in testbed.devices
    }
    if len(set(sizes.values())) == 1:
        return next(iter(sizes.values())), None
    return own, {name: size for name, size in sizes.items() if size != own}


def _request(
    catalog: Catalog, model: Model, testbed: Testbed, profiles: Profiles, descriptions: ModuleDescriptions
) -> Request:
    uses = []
    for encoder in model.encoders:
        description = _described(descriptions, encoder.module)
        items = catalog.items(model, encoder)
        work = _work(description, items)
        compute_s = _compute_s(description, items, testbed, profiles)
        own_compute_s = _compute_s(description, 1, testbed, profiles)
        energy_j = _energy_j(description, items, testbed, profiles)
        same = (compute_s, energy_j) == (own_compute_s, _energy_j(description, 1, testbed, profiles))
        sent_bytes = work.sent_bytes(encoder.output)
        uses.append(
            EncoderUse(
                module=encoder.module,
                input_bytes=work.input_bytes,
                output_bytes=None if sent_bytes == _work(description, 1).output_bytes else sent_bytes,
                compute_s=None if compute_s == own_compute_s else compute_s,
                energy_j=None if same else energy_j,
            )
        )
    return Request(
        name=model.name,
        task=model.task,
        model=model.name,
        source=testbed.source,
        rate_per_s=1.0,
        encoders=tuple(uses),
        head=model.head.module,
        result_bytes=model.result_bytes,
    )


def _compute_s(
    description: ModuleDescription, batch: int, testbed: Testbed, profiles: Profiles
) -> dict[str, float | None]:
    """Seconds by device of a testbed, nine significant digits; null where the module cannot run."""
    return {device.name: _seconds(description.module, batch, device, profiles) for device in testbed.devices}


def _energy_j(
    description: ModuleDescription, batch: int, testbed: Testbed, profiles: Profiles
) -> dict[str, float] | None:
    """Joules by device of a testbed, of those whose profile has them; ``None`` where none does."""
    rows = {
        d.name: profiles[d.device_type].by_key.get((description.module, batch, d.precision)) for d in testbed.devices
    }
    known = {
        name: float(f"{row.energy_j:.9g}") for name, row in rows.items() if row is not None and row.energy_j is not None
    }
    return known or None


def _row(module: str, batch: int, device: TestbedDevice, profiles: Profiles) -> ProfileRow:
    profile = profiles[device.device_type]
    row = profile.by_key.get((module, batch, device.precision))
    if row is None:
        there = "" if device.precision is None else f" in {device.precision}"
        raise InputError(
            _profile_file(device.device_type),
            "rows",
            f"no row of {module} at batch {batch}{there}; {_mend(device.device_type, profile, device.precision)}",
        )
    return row


def _seconds(module: str, batch: int, device: TestbedDevice, profiles: Profiles) -> float | None:
    row = _row(module, batch, device, profiles)
    if not row.runnable:
        return None
    if row.compute_median_s is None:
        raise InputError(
            _profile_file(device.device_type),
            "rows",
            f"{module} at batch {batch} is runnable but has no compute_median_s; "
            f"{_mend(device.device_type, profiles[device.device_type], device.precision)}",
        )
    return float(f"{row.compute_median_s:.9g}")


def _profile_file(device: str) -> str:
    return f"profiles/{device}.json"


def _mend(device: str, profile: ModuleProfile, precision: Dtype | None) -> str:
    measured = any(row.provenance == "measured" for row in profile.rows)
    if precision is None:
        return (
            "remeasure it with `splitshare profile`"
            if measured
            else f"derive it anew with `splitshare derive data/devices/{device}.yaml`"
        )
    way = (
        f"measure them with `splitshare profile --precision {precision}`"
        if measured
        else f"derive them from `splitshare describe --precision {precision}`"
    )
    return f"{way} and join both with `splitshare merge-profiles`"


def with_precision(testbed: Testbed, precision: Dtype | None) -> Testbed:
    """The testbed with all of its devices at one precision, called ``<testbed>-<precision>``; ``None``: as it is."""
    if precision is None:
        return testbed
    devices = tuple(device.model_copy(update={"precision": precision}) for device in testbed.devices)
    return testbed.model_copy(update={"name": f"{testbed.name}-{precision}", "devices": devices})


def _described(descriptions: ModuleDescriptions, module: str) -> ModuleDescription:
    try:
        return descriptions.by_name[module]
    except KeyError:
        raise InputError(
            "module descriptions",
            "modules",
            f"no {module!r}; describe the catalogue anew with `splitshare describe`",
        ) from None


def _work(description: ModuleDescription, batch: int) -> Work:
    try:
        return description.at(batch)
    except KeyError:
        raise InputError(
            "module descriptions",
            description.module,
            f"not described at batch {batch}; describe the catalogue anew with `splitshare describe`",
        ) from None
