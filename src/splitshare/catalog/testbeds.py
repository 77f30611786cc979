"""Read device types and testbeds, and check them against the devices that there are."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from splitshare.catalog.records import DeviceSpec, Testbed, TestbedDevice
from splitshare.errors import InputError
from splitshare.places import DATA, OWN_PROFILES, OWN_TESTBEDS, PROFILES
from splitshare.records import nearest

MODELS_MEMORY_SHARE = 0.7
"""Share of a device's memory that weights may fill where a testbed does not say (ours; the rest is for the
system and for activations)."""


def read_device(path: Path) -> DeviceSpec:
    """Read ``data/devices/<name>.yaml``.

    Raises:
        InputError: the file is wrong, or is not called by the device's name.
    """
    device = DeviceSpec.read(path)
    _require_stem(path, device.name)
    return device


def read_testbed(path: Path) -> Testbed:
    """Read ``data/testbeds/<name>.yaml``; its names, links and source agree with each other.

    Raises:
        InputError: the file is wrong, or is not called by the testbed's name.
    """
    testbed = Testbed.read(path)
    _require_stem(path, testbed.name)
    return testbed


def find_testbeds(data: Path = DATA, own: Path = OWN_TESTBEDS) -> dict[str, Path]:
    """Files of all testbeds by name: the data folder's, and those of a study, in ``testbeds`` where the program runs.

    Raises:
        InputError: a study calls a testbed as the data folder does: nothing would say which of them is meant.
    """
    shared = {path.stem: path for path in sorted((data / "testbeds").glob("*.yaml"))}
    owned = {path.stem: path for path in sorted(own.glob("*.yaml"))}
    for name in owned.keys() & shared.keys():
        if not owned[name].samefile(shared[name]):
            raise InputError(owned[name], "name", f"{name!r} is a testbed of the data folder; give it another name")
    return shared | owned


def own_profile(device_type: str) -> Path:
    """A study's profile of a device type, in ``profiles`` where the program runs, whether it is there or not."""
    return OWN_PROFILES / f"{device_type}.json"


def profile_file(device_type: str, own: Path = OWN_PROFILES, shared: Path = PROFILES) -> Path:
    """The profile of a device type: a study's, in ``profiles`` where the program runs, or a committed one.

    Raises:
        InputError: both are there: nothing would say which of them is meant.
    """
    mine, theirs = (folder / f"{device_type}.json" for folder in (own, shared))
    if not mine.is_file():
        return theirs
    if theirs.is_file() and not mine.samefile(theirs):
        raise InputError(mine, "device_name", f"{device_type!r} has a committed profile; give it another name")
    return mine


def check_testbed(testbed: Testbed, memory_bytes: Mapping[str, float], source: Path | str) -> None:
    """Check a testbed against the device types at hand.

    Args:
        testbed: the testbed.
        memory_bytes: whole memory of each device type that has a profile.
        source: the testbed's file, for the error.

    Raises:
        InputError: a device type has no profile, or has less memory than the testbed gives to models.
    """
    for i, device in enumerate(testbed.devices):
        if device.device_type not in memory_bytes:
            raise InputError(
                source,
                f"devices[{i}].device_type",
                f"no profile of {device.device_type!r}; {nearest(device.device_type, list(memory_bytes))}; else make "
                "it with `splitshare profile` or `splitshare derive`",
            )
        if device.models_memory_bytes is not None and device.models_memory_bytes > memory_bytes[device.device_type]:
            raise InputError(
                source,
                f"devices[{i}].models_memory_bytes",
                f"{device.models_memory_bytes:.0f} is more than all the memory of {device.device_type!r}, "
                f"{memory_bytes[device.device_type]:.0f} bytes",
            )


def models_memory_bytes(device: TestbedDevice, memory_bytes: float) -> float:
    """Memory for weights on a testbed's device whose type has ``memory_bytes`` in all."""
    if device.models_memory_bytes is not None:
        return device.models_memory_bytes
    return float(int(MODELS_MEMORY_SHARE * memory_bytes))


def _require_stem(path: Path, name: str) -> None:
    if path.stem != name:
        raise InputError(path, "name", f"is {name!r}, but the file is called {path.name}; make them the same")
