"""Batch curves of an instance from the profiles of its devices (rule ours)."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import get_args

from splitshare.catalog.loader import Catalog
from splitshare.catalog.records import Testbed
from splitshare.choices import Dtype
from splitshare.errors import InputError
from splitshare.placement.generate import Profiles
from splitshare.placement.instance import PlacementInstance
from splitshare.profiling.records import ModuleProfile, ProfileRow, Provenance
from splitshare.records import nearest
from splitshare.replay.batching import SAME, BatchCurves, StageCurve

_ORDER: tuple[Provenance, ...] = get_args(Provenance)
"""From the firmest to the weakest."""


def profiled_curves(instance: PlacementInstance, testbed: Testbed, profiles: Profiles, catalog: Catalog) -> BatchCurves:
    """The curves of every module that a request class uses, on every device that can run it.

    A request gives a module one input or several (the prompts of all classes): a batch of so many requests is the
    profile's row for so many times the inputs. Sizes without such a row are left out; where there is none but that of
    one request, the module runs one by one.

    Args:
        instance: built of these profiles.
        testbed: tells each device's type.
        profiles: by device type.
        catalog: tells how many inputs a request has.

    Raises:
        InputError: a device is not in the testbed, has no profile, or another one than the instance was built of.
    """
    types = {device.name: device.device_type for device in testbed.devices}
    precisions = {device.name: device.precision for device in instance.devices}
    measured: dict[tuple[str, str, tuple[int, ...], tuple[float, ...]], tuple[list[str], list[ProfileRow]]] = {}
    for request, module, items, compute_s in _uses(instance, catalog):
        for device, seconds in compute_s.items():
            if seconds is None:
                continue
            profile = profile_of(instance, testbed, profiles, device)
            rows = _rows(profile, module, items, precisions[device])
            if 1 not in rows or not math.isclose(rows[1].compute_median_s or 0.0, seconds, rel_tol=SAME):
                problem = f"{instance.name} was built of another profile of {module} at batch {items}; build it anew"
                raise InputError(f"profiles/{profile.device.name}.json", "rows", problem)
            curve = {size: float(f"{row.compute_median_s:.9g}") for size, row in rows.items()} | {1: seconds}
            key = (module, device, tuple(curve), tuple(curve.values()))
            requests, _ = measured.setdefault(key, ([], list(rows.values())))
            if request not in requests:
                requests.append(request)
    return BatchCurves(
        schema_="splitshare.batch-curves/1",
        instance=instance.name,
        curves=tuple(
            StageCurve(
                module=module,
                device=device,
                requests=tuple(requests),
                batches=sizes,
                seconds=seconds,
                provenance=max((row.provenance for row in rows), key=_ORDER.index),
                source=f"profiles/{types[device]}.json, rows at batch {', '.join(str(row.batch) for row in rows)}",
            )
            for (module, device, sizes, seconds), (requests, rows) in measured.items()
        ),
    )


def profile_of(instance: PlacementInstance, testbed: Testbed, profiles: Profiles, device: str) -> ModuleProfile:
    """The profile of a device of an instance.

    Raises:
        InputError: the device is not in the testbed, or has no profile.
    """
    types = {one.name: one.device_type for one in testbed.devices}
    if device not in types:
        problem = f"has no {device!r}, a device of {instance.name}; {nearest(device, list(types))}"
        raise InputError(f"{testbed.name}.yaml", "devices", problem)
    if types[device] not in profiles:
        problem = f"no profile of {types[device]!r}; {nearest(types[device], list(profiles))}"
        raise InputError("--profiles", types[device], problem)
    return profiles[types[device]]


def _uses(instance: PlacementInstance, catalog: Catalog) -> Iterator[tuple[str, str, int, Mapping[str, float | None]]]:
    """Request class, module, inputs that a request gives it, seconds by device."""
    for request in instance.requests:
        model = catalog.model(request.model)
        items = {encoder.module: catalog.items(model, encoder) for encoder in model.encoders}
        for j, use in enumerate(request.encoders):
            if use.module not in items:
                problem = f"{request.model!r} of the catalogue has no such encoder; {nearest(use.module, list(items))}"
                raise InputError(instance.name, f"requests.{request.name}.encoders[{j}].module", problem)
            yield request.name, use.module, items[use.module], instance.encoder_compute_s(request, j)
        yield request.name, request.head, 1, instance.head_compute_s(request)


def _rows(profile: ModuleProfile, module: str, items: int, precision: Dtype | None) -> dict[int, ProfileRow]:
    """Rows with times by number of requests, ascending."""
    return {
        row.batch // items: row
        for row in sorted(profile.at_precision(precision), key=lambda row: row.batch)
        if row.module == module and row.batch % items == 0 and row.compute_median_s is not None
    }
