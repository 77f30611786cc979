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
from splitshare.errors import InputError
from splitshare.placement.instance import Device, EncoderUse, Link, Module, Origin, PlacementInstance, Request
from splitshare.profiling.records import ModuleDescription, ModuleDescriptions, ModuleProfile, Work

Profiles = Mapping[str, ModuleProfile]
"""Profiles by device type."""


class StaleProfileWarning(UserWarning):
    """A profile was made of a module whose definition has changed since."""


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
    types = dict.fromkeys(device.device_type for testbed in testbeds for device in testbed.devices)
    lines = []
    for device in types:
        profiled = {(row.module, row.definition_sha256) for row in profiles[device].rows}
        for module in catalog.modules(models):
            digest = _described(descriptions, module).definition_sha256
            if any(name == module and other != digest for name, other in profiled):
                lines.append(
                    f"{_profile_file(device)}: {module} has changed since this profile was made; "
                    f"{_mend(device, profiles[device])}"
                )
    return lines


def _without_class_prompts(model: Model) -> Model:
    others = tuple(encoder for encoder in model.encoders if encoder.items != "classes")
    return model.model_copy(update={"encoders": others or model.encoders})


def _module(description: ModuleDescription, testbed: Testbed, profiles: Profiles) -> Module:
    return Module(
        name=description.module,
        kind=description.kind,
        memory_bytes=description.parameter_bytes,
        output_bytes=_work(description, 1).output_bytes,
        compute_s=_compute_s(description, 1, testbed, profiles),
        energy_j=_energy_j(description, 1, testbed, profiles),
    )


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
    rows = {d.name: profiles[d.device_type].by_key.get((description.module, batch)) for d in testbed.devices}
    known = {
        name: float(f"{row.energy_j:.9g}") for name, row in rows.items() if row is not None and row.energy_j is not None
    }
    return known or None


def _seconds(module: str, batch: int, device: TestbedDevice, profiles: Profiles) -> float | None:
    profile = profiles[device.device_type]
    row = profile.by_key.get((module, batch))
    if row is None:
        raise InputError(
            _profile_file(device.device_type),
            "rows",
            f"no row of {module} at batch {batch}; {_mend(device.device_type, profile)}",
        )
    if not row.runnable:
        return None
    if row.compute_median_s is None:
        raise InputError(
            _profile_file(device.device_type),
            "rows",
            f"{module} at batch {batch} is runnable but has no compute_median_s; {_mend(device.device_type, profile)}",
        )
    return float(f"{row.compute_median_s:.9g}")


def _profile_file(device: str) -> str:
    return f"profiles/{device}.json"


def _mend(device: str, profile: ModuleProfile) -> str:
    measured = any(row.provenance == "measured" for row in profile.rows)
    return (
        "remeasure it with `splitshare profile`"
        if measured
        else f"derive it anew with `splitshare derive data/devices/{device}.yaml`"
    )


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
