"""The machine that a profile is measured on: its name for readers, and the memory that is free on it."""

from __future__ import annotations

import os
import platform
import re
from importlib.metadata import version
from pathlib import Path

import psutil

from splitshare.errors import InputError
from splitshare.profiling.records import ProfiledDevice

CGROUP_FILES = (
    ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current"),
    ("/sys/fs/cgroup/memory/memory.limit_in_bytes", "/sys/fs/cgroup/memory/memory.usage_in_bytes"),
)
"""Limit and use of memory of the control group, version 2 and version 1."""


def usable_threads() -> int:
    """Processors that this process may run on."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def available_memory_bytes(torch_device: str = "cpu") -> int:
    """Bytes that can still be allocated: what the system says, or what a control group leaves, if that is less.

    For a CUDA device, what is free on it, if that is less still: modules are built in the system's memory.
    """
    available = int(psutil.virtual_memory().available)
    for limit_file, usage_file in CGROUP_FILES:
        try:
            limit, usage = (Path(file).read_text().strip() for file in (limit_file, usage_file))
        except OSError:
            continue
        if limit.isdecimal():
            available = min(available, int(limit) - int(usage))
    if torch_device != "cpu":
        import torch

        free, _ = torch.cuda.mem_get_info(torch_device)
        available = min(available, int(free))
    return max(available, 0)


def this_machine(name: str, threads: int, torch_device: str) -> ProfiledDevice:
    """Describe the machine.

    Args:
        name: what the profile calls the device.
        threads: threads that torch computes with.
        torch_device: ``cpu``, ``cuda`` or ``cuda:<index>``; of a CUDA device the memory is its own.

    Raises:
        InputError: there is no such CUDA device, or ``name`` cannot be part of a file name.
    """
    gpu, memory_bytes = None, int(psutil.virtual_memory().total)
    if torch_device != "cpu":
        gpu, memory_bytes = _cuda_device(torch_device)
    facts = {
        "name": name,
        "cpu": _cpu_name(),
        "gpu": gpu,
        "threads": threads,
        "memory_bytes": memory_bytes,
        "os": f"{platform.system()} {_numbers(platform.release())}".rstrip(),
        "versions": {"python": platform.python_version()}
        | {package: version(package) for package in ("numpy", "torch", "transformers")},
    }
    return ProfiledDevice.parse(facts, "--device-name")


def type_name(device: ProfiledDevice) -> str:
    """A device type named after what others can buy: GPU, or processor and threads, such as ``amd-epyc-2-threads``."""
    words = device.gpu or device.cpu or "cpu"
    words = re.sub(r"\((R|TM|C)\)|@.*|\b(CPU|Processor|\d+-Core)\b", " ", words, flags=re.IGNORECASE)
    name = re.sub(r"[^a-z0-9]+", "-", words.lower()).strip("-") or "cpu"
    return name if device.gpu else f"{name}-{device.threads}-threads"


def busy_share(seconds: float = 3.0) -> float:
    """Share of all processors' time, from 0 to 1, that whatever runs now takes, looked at for ``seconds``."""
    return float(psutil.cpu_percent(interval=seconds)) / 100


def _numbers(release: str) -> str:
    """The version in front of what a distribution or hoster appends."""
    leading = re.match(r"[\d.]*\d", release)
    return leading.group() if leading else ""


def _cuda_device(torch_device: str) -> tuple[str, int]:
    """Name and memory of a CUDA device."""
    import torch

    try:
        device = torch.device(torch_device)
        if device.type != "cuda":
            raise InputError("--torch-device", "", f"{torch_device!r} is neither cpu nor a CUDA device")
        properties = torch.cuda.get_device_properties(device)
    except (RuntimeError, AssertionError) as error:
        reason = str(error).splitlines()[0]
        raise InputError("--torch-device", "", f"{torch_device!r} cannot be used here: {reason}") from None
    return str(properties.name), int(properties.total_memory)


def _cpu_name() -> str:
    """The processor's model name, or its architecture where the system does not tell."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    for line in lines:
        key, _, value = line.partition(":")
        if key.strip() == "model name":
            return value.strip()
    return platform.processor() or platform.machine()
