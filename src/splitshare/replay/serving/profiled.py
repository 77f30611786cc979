"""Seconds of loading modules on the devices of an instance, from profiles, and from a rate where nobody measured."""

from __future__ import annotations

import pandas as pd

from splitshare.catalog.records import Testbed
from splitshare.errors import InputError
from splitshare.placement.generate import Profiles
from splitshare.placement.instance import PlacementInstance
from splitshare.replay.batching import runs
from splitshare.replay.profiled_batches import profile_of


def profiled_load_times(
    instance: PlacementInstance, testbed: Testbed, profiles: Profiles, bytes_per_s: float | None = None
) -> pd.DataFrame:
    """A row a device and module that can run there.

    Args:
        instance: built of these profiles.
        testbed: tells each device's type.
        profiles: by device type; measured ones tell seconds of loading, from files in the page cache.
        bytes_per_s: assumed where the profile tells none: a module takes its bytes on the device over this.

    Returns:
        ``device, module, load_s, source``; ``source`` says which of the two it is.

    Raises:
        InputError: a device is not in the testbed or has no profile, or a module was not loaded there and no rate is
            assumed.
    """
    rows = []
    able = {(device, module) for _, module, device, _ in runs(instance)}
    for device in instance.devices:
        profile = profile_of(instance, testbed, profiles, device.name)
        file = f"profiles/{profile.device.name}.json"
        measured = {
            row.module: row.load_s
            for row in sorted(profile.at_precision(device.precision), key=lambda row: -row.batch)
            if row.load_s is not None
        }
        for module in instance.modules:
            if (device.name, module.name) not in able:
                continue
            size_bytes = module.bytes_on(device.name)
            if module.name in measured:
                rows.append((device.name, module.name, measured[module.name], f"measured: {file}"))
            elif bytes_per_s is not None:
                assumed = f"assumed: {size_bytes:.0f} bytes at {bytes_per_s:g} a second"
                rows.append((device.name, module.name, size_bytes / bytes_per_s, assumed))
            else:
                problem = f"no seconds of loading {module.name}: only what was measured has them; assume --bytes-per-s"
                raise InputError(file, "rows", problem)
    return pd.DataFrame(rows, columns=["device", "module", "load_s", "source"])
