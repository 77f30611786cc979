"""How time and memory are read: by the clock and the kernel on a CPU, by events and the allocator with CUDA."""

from __future__ import annotations

import ctypes
import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import torch


class Meter(Protocol):
    """How time and memory are read on a device."""

    def seconds(self, call: Callable[[], object]) -> float:
        """Seconds that ``call`` takes until its result is there."""

    def peak_bytes(self, call: Callable[[], object]) -> int | None:
        """Most memory in use during ``call``, weights and inputs included; None where it cannot be told."""


class CpuMeter:
    """The wall clock, and the peak of the process' resident memory.

    Memory: hand freed memory back (``malloc_trim``), read the resident size, reset its high-water mark (5 to
    ``/proc/self/clear_refs``), run, read the mark. What it rose by is activations; ``held_bytes`` (weights and
    inputs) is added. Interpreter and libraries are thus left out, as they are with CUDA.
    """

    def __init__(self, held_bytes: int) -> None:
        self.held_bytes = held_bytes

    def seconds(self, call: Callable[[], object]) -> float:
        """Wall-clock seconds."""
        start = time.perf_counter()
        call()
        return time.perf_counter() - start

    def peak_bytes(self, call: Callable[[], object]) -> int | None:
        """Weights, inputs, and what the resident memory rose by."""
        try:
            ctypes.CDLL(None).malloc_trim(0)
            before = _resident_bytes("VmRSS")
            Path("/proc/self/clear_refs").write_text("5")
            call()
            return self.held_bytes + max(_resident_bytes("VmHWM") - before, 0)
        except (OSError, AttributeError, LookupError):  # not Linux with glibc
            call()
            return None


class CudaMeter:
    """CUDA events, and the peak of torch's allocator."""

    def __init__(self, device: torch.device) -> None:
        self.device = device

    def seconds(self, call: Callable[[], object]) -> float:
        """Seconds between two events around the work."""
        with torch.cuda.device(self.device):
            stream = torch.cuda.current_stream()
            start, end = (torch.Event(self.device, enable_timing=True) for _ in range(2))
            start.record(stream)
            call()
            end.record(stream)
            end.synchronize()
            milliseconds: float = start.elapsed_time(end)
            return milliseconds / 1000

    def peak_bytes(self, call: Callable[[], object]) -> int | None:
        """Most bytes that the allocator had handed out."""
        torch.cuda.synchronize(self.device)
        torch.cuda.reset_peak_memory_stats(self.device)
        call()
        torch.cuda.synchronize(self.device)
        return torch.cuda.max_memory_allocated(self.device)


class AcceleratorMeter:
    """The wall clock, from and to where the device has nothing left to do; what it holds is not told."""

    def __init__(self, device: torch.device) -> None:
        self.device = device

    def seconds(self, call: Callable[[], object]) -> float:
        """Wall-clock seconds until the device is done."""
        torch.accelerator.synchronize(self.device)
        start = time.perf_counter()
        call()
        torch.accelerator.synchronize(self.device)
        return time.perf_counter() - start

    def peak_bytes(self, call: Callable[[], object]) -> int | None:
        """Nothing: torch counts no peak there."""
        call()
        return None


def meter_of(device: torch.device, held_bytes: int) -> Meter:
    """How time and memory are read on ``device``; ``held_bytes`` are those of weights and inputs."""
    if device.type == "cpu":
        return CpuMeter(held_bytes)
    return CudaMeter(device) if device.type == "cuda" else AcceleratorMeter(device)


def _resident_bytes(field: str) -> int:
    """A memory field of ``/proc/self/status``, in bytes."""
    for line in Path("/proc/self/status").read_text().splitlines():
        key, _, value = line.partition(":")
        if key == field:
            return int(value.split()[0]) * 1024
    raise LookupError(field)
