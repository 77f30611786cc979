"""Read device types and testbeds, and check them against the devices that there are."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from splitshare.catalog.records import DeviceSpec, Testbed, TestbedDevice
from splitshare.errors import InputError
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
