"""This machine's GPUs as devices of the testbed that it stands in (construction ours)."""

from __future__ import annotations

from collections.abc import Sequence

from splitshare.catalog.records import Testbed, TestbedDevice, TestbedLink
from splitshare.errors import InputError

THIS_MACHINE = "this-machine"
"""Device type of the machine that a run measures."""
HOST_LATENCY_S = 1e-5
HOST_BANDWIDTH_BYTES_PER_S = 12e9
"""Between a GPU and its machine (assumed: half of what a PCIe 4.0 slot of 16 lanes moves at best)."""


def machine_types(gpus: Sequence[str], torch_device: str) -> dict[str, str]:
    """Device types that a run measures on this machine, and where torch computes for each.

    Args:
        gpus: torch devices of the GPUs that are devices of their own.
        torch_device: where torch computes for the machine itself.
    """
    return {THIS_MACHINE: torch_device} | {f"{THIS_MACHINE}-gpu-{i}": gpu for i, gpu in enumerate(gpus)}


def with_gpus(testbed: Testbed, gpus: int, source: str) -> Testbed:
    """The testbed with so many GPUs of the device of type ``this-machine``, each a device of its own.

    A GPU reaches its machine over the slot that it sits in, and every other device as its machine does.

    Args:
        testbed: with one device of that type.
        gpus: how many.
        source: the testbed's file, for the error.

    Raises:
        InputError: no device is of that type.
    """
    if not gpus:
        return testbed
    host = next((device for device in testbed.devices if device.device_type == THIS_MACHINE), None)
    if host is None:
        raise InputError(source, "devices", f"none has the device type {THIS_MACHINE!r}, whose GPUs these would be")
    devices, links = list(testbed.devices), list(testbed.links)
    for i in range(gpus):
        gpu = TestbedDevice(name=f"{host.name}-gpu-{i}", device_type=f"{THIS_MACHINE}-gpu-{i}", tier=host.tier)
        for link in list(links):
            if host.name in {link.a, link.b}:
                other = link.b if link.a == host.name else link.a
                links.append(link.model_copy(update={"a": gpu.name, "b": other}))
        links.append(
            TestbedLink(
                a=host.name, b=gpu.name, latency_s=HOST_LATENCY_S, bandwidth_bytes_per_s=HOST_BANDWIDTH_BYTES_PER_S
            )
        )
        devices.append(gpu)
    fields = testbed.model_dump(by_alias=True, exclude_none=True)
    fields |= {
        "title": f"{testbed.title}, and {gpus} GPU{'s' if gpus > 1 else ''} of this machine",
        "devices": [device.model_dump(exclude_none=True) for device in devices],
        "links": [link.model_dump(exclude_none=True) for link in links],
    }
    return Testbed.parse(fields, source)
