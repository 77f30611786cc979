"""Profiles of several devices, read together."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from splitshare.errors import InputError
from splitshare.profiling.records import ModuleProfile


def read_profiles(paths: Sequence[Path]) -> dict[str, ModuleProfile]:
    """Profiles by device type.

    Raises:
        InputError: a file is wrong, is not called by its device, or a device has two.
    """
    profiles: dict[str, ModuleProfile] = {}
    for path in paths:
        profile = ModuleProfile.read(path)
        name = profile.device.name
        if path.stem != name:
            raise InputError(path, "device.name", f"is {name!r}, but the file is called {path.name}; rename one")
        if name in profiles:
            raise InputError(path, "device.name", f"{name!r} has two profiles; give one of them")
        profiles[name] = profile
    return profiles
