"""Joules that the hardware counts: a GPU's through NVML, a processor's through RAPL; nothing where neither tells.

Both counters go up by themselves, at steps of a millisecond (RAPL) to a tenth of a second (NVML), and count all that
the GPU or the processor's packages do meanwhile, idling and other work included. So a module is run for a while, and
its joules a run are what was counted over the number of runs; nothing is taken off for idling.
"""

from __future__ import annotations

import importlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

POWERCAP = Path("/sys/class/powercap")
"""Where Linux shows RAPL; reading the counters may need root."""
WINDOW_S = 2.0
"""Seconds of runs over which joules are counted: twenty of NVML's steps."""
MIN_RUNS = 3


class EnergyCounter(Protocol):
    """Counts the joules of one device."""

    source: str
    """What counts, for readers."""

    def start(self) -> None:
        """Count from here."""

    def joules(self) -> float:
        """Joules since the start."""


class RaplCounter:
    """All packages of the processor; the counters wrap around, and are read in time: at full power after minutes."""

    source = "RAPL, all packages"

    def __init__(self, packages: Sequence[Path]) -> None:
        self._packages = packages
        self._ranges = [_microjoules(package / "max_energy_range_uj") for package in packages]
        self._before = [0] * len(packages)

    @classmethod
    def found(cls, powercap: Path = POWERCAP) -> RaplCounter | None:
        """The counter of this machine, if there is one that may be read."""
        packages = []
        for zone in sorted(powercap.glob("*-rapl:*")):
            try:
                if (zone / "name").read_text().startswith("package-"):
                    _microjoules(zone / "energy_uj")
                    packages.append(zone)
            except (OSError, ValueError):
                return None
        return cls(packages) if packages else None

    def start(self) -> None:
        """Count from here."""
        self._before = self._read()

    def joules(self) -> float:
        """Joules since the start, of all packages."""
        spent = [
            (now - before) % (most + 1)
            for now, before, most in zip(self._read(), self._before, self._ranges, strict=True)
        ]
        return sum(spent) / 1e6

    def _read(self) -> list[int]:
        return [_microjoules(package / "energy_uj") for package in self._packages]


class NvmlCounter:
    """One GPU of NVIDIA."""

    source = "NVML, the GPU"

    def __init__(self, read_millijoules: Callable[[], int]) -> None:
        self._read_millijoules = read_millijoules
        self._before = 0

    @classmethod
    def found(cls, torch_device: str) -> NvmlCounter | None:
        """The counter of a CUDA device, if its driver counts (from Volta on) and ``nvidia-ml-py`` is installed."""
        try:
            pynvml: Any = importlib.import_module("pynvml")
        except ImportError:
            return None
        import torch

        try:
            pynvml.nvmlInit()
            handle = pynvml.nvmlDeviceGetHandleByUUID(f"GPU-{torch.cuda.get_device_properties(torch_device).uuid}")
            pynvml.nvmlDeviceGetTotalEnergyConsumption(handle)
        except pynvml.NVMLError:
            return None
        return cls(lambda: int(pynvml.nvmlDeviceGetTotalEnergyConsumption(handle)))

    def start(self) -> None:
        """Count from here."""
        self._before = self._read_millijoules()

    def joules(self) -> float:
        """Joules since the start."""
        return (self._read_millijoules() - self._before) / 1e3


def energy_counter(torch_device: str) -> EnergyCounter | None:
    """What counts the joules of a device that is there; ``None``: nothing does."""
    if torch_device.startswith("cuda"):
        return NvmlCounter.found(torch_device)
    return RaplCounter.found() if torch_device == "cpu" else None


@dataclass(frozen=True)
class Energy:
    """What a run takes."""

    energy_j: float
    runs: int
    """Runs that it is the mean of."""


def joules_a_run(
    run: Callable[[], object],
    wait: Callable[[], object],
    counter: EnergyCounter,
    *,
    window_s: float | None = None,
    now_s: Callable[[], float] = time.monotonic,
) -> Energy:
    """Run for a while, and divide what was counted.

    Args:
        run: runs once; of a warm module.
        wait: waits until the device has done all that it was given.
        counter: counts.
        window_s: seconds of runs, by default ``WINDOW_S``; at least three runs.
        now_s: the clock.
    """
    lasting_s = WINDOW_S if window_s is None else window_s
    wait()
    counter.start()
    began_s, runs = now_s(), 0
    while runs < MIN_RUNS or now_s() - began_s < lasting_s:
        run()
        runs += 1
    wait()
    return Energy(counter.joules() / runs, runs)


def _microjoules(path: Path) -> int:
    return int(path.read_text())
