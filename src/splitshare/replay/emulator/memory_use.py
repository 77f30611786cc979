"""What an emulation's processes take of this machine's memory (Linux; method ours).

By the kernel's proportional set size: a page that several processes have counts for each with its part, so the numbers
of all processes add up to what the machine gives, however many devices share the pages of one interpreter and library.
"""

from __future__ import annotations

import statistics
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from splitshare.replay.emulator.network import Testbed

PROCESSES = Path("/proc")


@dataclass(frozen=True)
class MemoryUse:
    """Proportional set sizes at one time."""

    workers_bytes: Mapping[str, int]
    """By device; a device whose worker has ended, or may not be looked at, is not among them."""
    relays_bytes: int
    """Of the processes that shape links, together."""

    @property
    def total_bytes(self) -> int:
        """Of all."""
        return sum(self.workers_bytes.values()) + self.relays_bytes

    def line(self) -> str:
        """For people."""
        if not self.workers_bytes:
            return "memory of workers: not known, this system tells no proportional set sizes"
        sizes = self.workers_bytes.values()
        return (
            f"memory (proportional set size): {statistics.median(sizes) / 1e6:.1f} MB a worker in the median, "
            f"{max(sizes) / 1e6:.1f} at most; {self.relays_bytes / 1e6:.1f} MB for links; "
            f"{self.total_bytes / 1e6:.0f} MB together"
        )


def memory_use(testbed: Testbed) -> MemoryUse:
    """What the processes of an emulated testbed take now; nothing where workers run elsewhere."""
    workers = {device: proportional_bytes(pid) for device, pid in testbed.worker_pids.items()}
    relays = [proportional_bytes(pid) for pid in testbed.relay_pids]
    return MemoryUse(
        {device: size for device, size in workers.items() if size is not None},
        sum(size for size in relays if size is not None),
    )


def proportional_bytes(pid: int) -> int | None:
    """Proportional set size of a process; ``None``: it has ended, may not be looked at, or this is no Linux."""
    try:
        lines = (PROCESSES / str(pid) / "smaps_rollup").read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    sizes = [line.split() for line in lines if line.startswith("Pss:")]
    return int(sizes[0][1]) * 1024 if sizes else None  # none: it ends just now
