"""Measure modules on this machine, each in a process of its own, and turn what came back into profile rows."""

from __future__ import annotations

import math
import signal
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from operator import attrgetter
from pathlib import Path

import numpy as np

from splitshare.errors import InputError, WorkError
from splitshare.profiling import worker
from splitshare.profiling.job import BatchTimes, Job, read_report
from splitshare.profiling.machine import usable_threads
from splitshare.profiling.records import ModuleDescription, ProfileRow, Work

DEFAULT_BUDGET_S = 1.0
"""Seconds of timed runs for a module and batch; the first four models of the catalogue then take 90 s on 2 cores."""

SOURCE = (
    "splitshare profile: wall-clock runs in a process of its own after a warm-up; "
    "load_s from a safetensors file in the page cache"
)


@dataclass(frozen=True)
class Settings:
    """How modules are measured.

    Attributes:
        budget_s: seconds of timed runs for each module and batch.
        threads: threads that torch computes with; by default as many as this process may use.
        torch_device: ``cpu`` or a CUDA device.
        seed: of weights and inputs.
        timeout_s: seconds after which a module's process is stopped.
    """

    budget_s: float = DEFAULT_BUDGET_S
    threads: int = field(default_factory=usable_threads)
    torch_device: str = "cpu"
    seed: int = 0
    timeout_s: float = 900.0

    def __post_init__(self) -> None:
        """Refuse what cannot be measured with.

        Raises:
            InputError: the budget or the time-out is no positive time, or there is no thread.
        """
        for option in ("budget_s", "threads", "timeout_s"):
            value = getattr(self, option)
            if not (value > 0 and math.isfinite(value)):
                raise InputError(f"--{option.replace('_', '-')}", "", f"must be a positive number, not {value}")


def measure_module(
    catalog_root: Path, module: str, settings: Settings, *, memory_bytes: float | None = None
) -> list[ProfileRow]:
    """Measure a module at every batch at which the catalogue needs it.

    A batch that cannot be measured for want of memory, or because the process was killed or took too long, gives a
    row that is not runnable and says why.

    Args:
        catalog_root: the data folder.
        module: the module's name.
        settings: how to measure.
        memory_bytes: memory that may be used; by default what is available on this machine.

    Raises:
        WorkError: the process failed for another reason, or ended before it could describe the module.
    """
    with tempfile.TemporaryDirectory(prefix="splitshare-") as scratch:
        job = Job(
            catalog_root=str(catalog_root.resolve()),
            module=module,
            budget_s=settings.budget_s,
            threads=settings.threads,
            torch_device=settings.torch_device,
            seed=settings.seed,
            scratch=scratch,
            memory_bytes=memory_bytes,
        )
        report_path = Path(scratch) / "report.jsonl"
        ending = _run_child(job, report_path, settings.timeout_s)
        lines = read_report(report_path)
    description = next((line.described for line in lines if line.described), None)
    if description is None:
        raise WorkError(f"measuring {module} failed: {ending or 'nothing was reported'}")
    measured = {line.measured.batch: line.measured for line in lines if line.measured}
    reason = next((line.out_of_memory for line in lines if line.out_of_memory), ending)
    return [
        _row(description, work, measured.get(work.batch), reason)
        for work in sorted(description.work, key=attrgetter("batch"))
    ]


def _run_child(job: Job, report_path: Path, timeout_s: float) -> str:
    """Run the job in a process of its own; returns why that was ended early, or nothing if it was not."""
    job_path = report_path.with_name("job.json")
    job.write(job_path)
    command = [sys.executable, "-m", worker.__name__, str(job_path), str(report_path)]
    try:
        child = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=timeout_s, check=False
        )
    except subprocess.TimeoutExpired:
        return f"stopped after {timeout_s:g} s"
    if child.returncode < 0:
        name = signal.Signals(-child.returncode).name
        return f"the process was killed ({name}), as the system does when memory runs out"
    if child.returncode:
        last = next(reversed(child.stderr.strip().splitlines()), f"exit code {child.returncode}")
        raise WorkError(f"measuring {job.module} failed: {last}")
    return ""


def _row(description: ModuleDescription, work: Work, times: BatchTimes | None, reason: str) -> ProfileRow:
    row = ProfileRow(
        module=description.module,
        batch=work.batch,
        provenance="measured",
        source=SOURCE,
        definition_sha256=description.definition_sha256,
        parameter_bytes=description.parameter_bytes,
        output_bytes=work.output_bytes,
    )
    if times is None:
        return row.model_copy(update={"runnable": False, "reason": reason or "not measured"})
    low, middle, high = (float(value) for value in np.percentile(times.seconds, [10, 50, 90]))
    return row.model_copy(
        update={
            "compute_median_s": middle,
            "compute_p10_s": low,
            "compute_p90_s": high,
            "runs": len(times.seconds),
            "peak_memory_bytes": times.peak_memory_bytes,
            "load_s": times.load_s,
        }
    )
