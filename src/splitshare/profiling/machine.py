"""The machine that a profile is measured on: its name for readers, and the memory that is free on it."""

from __future__ import annotations

import os
import platform
import re
import sys
from importlib.metadata import version
from pathlib import Path

import psutil

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

    For a CUDA device, what is free on it, if that is less still: modules are built in the system's memory. Apple's GPUs
    share that memory.
    """
    available = int(psutil.virtual_memory().available)
    for limit_file, usage_file in CGROUP_FILES:
        try:
            limit, usage = (Path(file).read_text().strip() for file in (limit_file, usage_file))
        except OSError:
            continue
        if limit.isdecimal():
            available = min(available, int(limit) - int(usage))
    if torch_device.startswith("cuda"):
        import torch

        free, _ = torch.cuda.mem_get_info(torch_device)
        available = min(available, int(free))
    return max(available, 0)


def usable_device(torch_device: str) -> str:
    """The name of the device that ``torch_device`` means here, without torch where that is the CPU.

    Raises:
        InputError: there is no such device here.
    """
    if torch_device == "cpu":
        return torch_device
    from splitshare.modules.torch_device import torch_device as found

    return str(found(torch_device))


def gpus_here() -> tuple[str, ...]:
    """What torch calls the GPUs of this machine; without torch where no driver of one is there."""
    if sys.platform == "darwin":
        import torch

        return ("mps",) if torch.backends.mps.is_available() else ()
    drivers = ("/proc/driver/nvidia/gpus", "/dev/kfd", "/dev/dxg")  # NVIDIA's, AMD's, Windows' under Linux
    if not any(Path(driver).exists() for driver in drivers):
        return ()
    import torch

    return tuple(f"cuda:{i}" for i in range(torch.cuda.device_count()))


def this_machine(name: str, threads: int, torch_device: str) -> ProfiledDevice:
    """Describe the machine.

    Args:
        name: what the profile calls the device.
        threads: threads that torch computes with.
        torch_device: a device that is there (``usable_device``); of a CUDA device the memory is its own.

    Raises:
        InputError: ``name`` cannot be part of a file name.
    """
    gpu, memory_bytes = None, int(psutil.virtual_memory().total)
    if torch_device.startswith("cuda"):
        import torch

        properties = torch.cuda.get_device_properties(torch_device)
        gpu, memory_bytes = str(properties.name), int(properties.total_memory)
    elif torch_device != "cpu":
        gpu = f"GPU of {_cpu_name()}"
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
