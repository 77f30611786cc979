"""Load and run one module in this process: seconds by the clock, memory by the kernel or by CUDA.

The same code measures CPU and CUDA; a meter hides how the clock is read and memory is counted.
"""

from __future__ import annotations

import ctypes
import re
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Protocol

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from splitshare.catalog.loader import Catalog
from splitshare.modules.build import build_module, example_inputs
from splitshare.profiling.job import BatchTimes, Job

LOADS = 3
"""Times that the weights are loaded; the median counts."""

MIN_RUNS = 3
"""Timed runs of a batch, unless a single one takes longer than the budget."""

MAX_RUNS = 200
"""Timed runs after which a fast module (a head takes microseconds) is known well enough."""

ALLOCATION_FAILED = re.compile(r"can't allocate memory|not enough memory|out of memory", re.IGNORECASE)
"""How torch words a failed allocation, which on the CPU is a plain ``RuntimeError``."""


class OutOfMemoryError(Exception):
    """The module or its activations do not fit."""


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


def measure_batches(catalog: Catalog, job: Job, batches: Iterable[int]) -> Iterator[BatchTimes]:
    """Measure a module at each of ``batches`` (ascending), yielding each as soon as it is known.

    Loading is timed from a safetensors file that was just written, so with a warm page cache, into the built module on
    the device. One run at the first batch warms the process up; at each batch one run is for memory and
    warm-up, and further ones are timed until the budget is spent: at least ``MIN_RUNS``, or one where that takes longer
    than the budget, and at most ``MAX_RUNS``.

    Raises:
        OutOfMemoryError: memory ran out; earlier batches have been yielded.
        InputError: the catalogue has no such module.
    """
    torch.set_num_threads(job.threads)
    device = torch.device(job.torch_device)
    with memory_errors(), torch.inference_mode():
        module = build_module(catalog, job.module, job.seed).to(device)
        load_s = _load_seconds(module, device, Path(job.scratch) / "weights.safetensors")
        held_bytes = sum(t.nbytes for t in module.state_dict().values())
        warm = False
        for batch in batches:
            inputs = {
                role: tensor.to(device)
                for role, tensor in example_inputs(catalog, job.module, module, batch, job.seed).items()
            }

            def forward(inputs: dict[str, Tensor] = inputs) -> Tensor:
                output: Tensor = module(inputs)
                return output

            if not warm:
                forward()
                warm = True
            meter: Meter = (
                CpuMeter(held_bytes + sum(t.nbytes for t in inputs.values()))
                if device.type == "cpu"
                else CudaMeter(device)
            )
            peak = meter.peak_bytes(forward)
            seconds = _repeat(meter, forward, job.budget_s)
            yield BatchTimes(batch=batch, seconds=tuple(seconds), peak_memory_bytes=peak, load_s=load_s)


def _repeat(meter: Meter, call: Callable[[], object], budget_s: float) -> list[float]:
    runs: list[float] = []
    start = time.perf_counter()
    while len(runs) < MAX_RUNS:
        runs.append(meter.seconds(call))
        spent = time.perf_counter() - start
        if spent >= budget_s and (len(runs) >= MIN_RUNS or max(runs) >= budget_s):
            break
    return runs


def _load_seconds(module: nn.Module, device: torch.device, path: Path) -> float:
    """Median seconds to read the module's weights from a file into it."""
    save_file(module.state_dict(), path)

    def load() -> None:
        module.load_state_dict(load_file(path, device=str(device)))
        if device.type == "cuda":
            torch.cuda.synchronize(device)

    try:
        meter = CpuMeter(held_bytes=0)  # the file is read by the CPU, wherever the weights go
        return median(meter.seconds(load) for _ in range(LOADS))
    finally:
        path.unlink(missing_ok=True)


@contextmanager
def memory_errors() -> Iterator[None]:
    """Turn torch's and Python's ways of running out of memory into one."""
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if isinstance(error, MemoryError) or ALLOCATION_FAILED.search(str(error)):
            raise OutOfMemoryError(str(error).splitlines()[0] if str(error) else "memory ran out") from error
        raise


def _resident_bytes(field: str) -> int:
    """A memory field of ``/proc/self/status``, in bytes."""
    for line in Path("/proc/self/status").read_text().splitlines():
        key, _, value = line.partition(":")
        if key == field:
            return int(value.split()[0]) * 1024
    raise LookupError(field)
