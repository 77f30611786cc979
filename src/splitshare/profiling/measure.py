"""Measure modules on this machine, each in a process of its own, and turn what came back into profile rows."""

from __future__ import annotations

import math
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from pathlib import Path
from statistics import median
from typing import NamedTuple

import numpy as np

from splitshare.choices import Dtype
from splitshare.errors import InputError, WorkError
from splitshare.profiling import worker
from splitshare.profiling.job import BatchTimes, Job, read_report
from splitshare.profiling.machine import usable_threads
from splitshare.profiling.records import LayerCheck, Method, ModuleDescription, ProfileRow, Work
from splitshare.ranges import LONGEST_RUN_S

DEFAULT_BUDGET_S = 1.0
"""Seconds of timed runs for a module and batch; the first four models of the catalogue then take 90 s on 2 cores."""

SOURCE = (
    "splitshare profile: wall-clock runs in a process of its own after a warm-up; "
    "load_s from safetensors files in the page cache"
)
LAYERS_SOURCE = f"{SOURCE}; of the equal layers two small numbers were measured and the others calculated"


class Measurement(NamedTuple):
    """The rows of one module, a row a batch, and what the layer method is worth where it could be told."""

    rows: list[ProfileRow]
    layer_checks: list[LayerCheck]


@dataclass(frozen=True)
class MeasuringSettings:
    """How modules are measured.

    Attributes:
        budget_s: seconds of timed runs for each module and batch.
        longest_run_s: seconds of a run beyond which it is the only one, and a batch that no request asks for is not
            measured.
        threads: threads that torch computes with; by default as many as this process may use.
        torch_device: a device that is there (``splitshare.profiling.machine.usable_device``).
        seed: of weights and inputs.
        precision: type in which modules are held and compute; ``None``: each module's own in the catalogue.
        timeout_s: seconds after which a module's process is stopped.
    """

    budget_s: float = DEFAULT_BUDGET_S
    longest_run_s: float = LONGEST_RUN_S
    threads: int = field(default_factory=usable_threads)
    torch_device: str = "cpu"
    seed: int = 0
    precision: Dtype | None = None
    timeout_s: float = 900.0

    def __post_init__(self) -> None:
        """Refuse what cannot be measured with.

        Raises:
            InputError: the budget or a limit is no positive time, or there is no thread.
        """
        for option in ("budget_s", "longest_run_s", "threads", "timeout_s"):
            value = getattr(self, option)
            if not (value > 0 and math.isfinite(value)):
                raise InputError(f"--{option.replace('_', '-')}", "", f"must be a positive number, not {value}")


def measure_module(
    catalog_root: Path, module: str, settings: MeasuringSettings, *, memory_bytes: float | None = None
) -> Measurement:
    """Measure a module at every batch at which the catalogue needs it.

    A batch that cannot be measured for want of memory, or because the process was killed or took too long, gives a
    row that is not runnable and says why. One that would merely take too long gives a runnable row without times.

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
            precision=settings.precision,
            budget_s=settings.budget_s,
            longest_run_s=settings.longest_run_s,
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
    left_out = {line.left_out.batch: line.left_out.reason for line in lines if line.left_out}
    method: Method = next((line.method for line in lines if line.method), "whole")
    reason = next((line.out_of_memory for line in lines if line.out_of_memory), ending)
    rows = []
    for work in sorted(description.work, key=attrgetter("batch")):
        row = _row(description, work, method, settings.precision)
        if work.batch in measured:
            row = row.model_copy(update=_times(measured[work.batch], work, method))
        elif work.batch in left_out:
            row = row.model_copy(update={"reason": left_out[work.batch]})
        else:
            row = row.model_copy(update={"runnable": False, "reason": reason or "not measured"})
        rows.append(row)
    return Measurement(rows, [check for line in lines for check in line.layer_checks or ()])


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


def _row(description: ModuleDescription, work: Work, method: Method, precision: Dtype | None) -> ProfileRow:
    """A row without times."""
    return ProfileRow(
        module=description.module,
        batch=work.batch,
        precision=precision,
        provenance="measured",
        source=SOURCE if method == "whole" else LAYERS_SOURCE,
        definition_sha256=description.definition_sha256,
        parameter_bytes=description.parameter_bytes,
        output_bytes=work.output_bytes,
        method=method,
    )


def _times(times: BatchTimes, work: Work, method: Method) -> dict[str, object]:
    """What was measured, as fields of a row; what was calculated has no spread."""
    spread = method == "whole"
    taken: dict[str, object] = {
        "compute_median_s": median(times.seconds),
        "peak_memory_bytes": times.peak_memory_bytes,
        "load_s": times.load_s,
        "warm_up_runs": times.warm_up_runs,
        "settled": times.settled,
        "energy_j": times.energy_j,
        "energy_source": times.energy_source,
    }
    if spread:
        taken |= {"runs": len(times.seconds)} | _percentiles("compute", times.seconds)
    if times.prefill_s is not None:
        taken |= _decoder_part("prefill", times.prefill_s, spread)
        if work.weight_passes > 1:
            taken |= _decoder_part("per_token", times.per_token_s(work.weight_passes), spread)
    return taken


def _decoder_part(name: str, seconds: Sequence[float], spread: bool) -> dict[str, object]:
    part: dict[str, object] = {f"{name}_s": median(seconds)}
    return part | _percentiles(name, seconds) if spread else part


def _percentiles(name: str, seconds: Sequence[float]) -> dict[str, object]:
    low, high = (float(value) for value in np.percentile(seconds, [10, 90]))
    return {f"{name}_p10_s": low, f"{name}_p90_s": high}
