"""The child process that measures one module: ``python -m splitshare.profiling.worker JOB REPORT``.

It reads a ``Job``. To the report it appends first the module's description, which takes no memory, and then a line for
every batch as soon as that is measured, so that the parent keeps what is known should the child be killed.
"""

from __future__ import annotations

import sys
from pathlib import Path

from splitshare.catalog.loader import load_catalog
from splitshare.profiling.job import Job, ReportLine
from splitshare.profiling.machine import available_memory_bytes
from splitshare.profiling.records import ModuleDescription

PROCESS_BYTES = 2**30
"""Memory that measuring needs beside the weights (ours: libraries 0.4 GB, the rest for activations)."""


def main(job_path: Path, report_path: Path) -> None:
    """Measure the job's module, and append to the report."""
    # Imported here, because the parent imports this module for its name, and has no need of torch.
    from splitshare.profiling.describe import describe_module
    from splitshare.profiling.timing import OutOfMemoryError, measure_batches

    job = Job.read(job_path)
    catalog = load_catalog(Path(job.catalog_root))
    with report_path.open("a", encoding="utf-8") as report:

        def tell(line: ReportLine) -> None:
            report.write(line.model_dump_json(exclude_none=True) + "\n")
            report.flush()

        description = describe_module(catalog, job.module)
        tell(ReportLine(described=description))
        shortage = memory_shortage(description, job.memory_bytes)
        if shortage:
            tell(ReportLine(out_of_memory=shortage))
            return
        try:
            for times in measure_batches(catalog, job, sorted(work.batch for work in description.work)):
                tell(ReportLine(measured=times))
        except OutOfMemoryError as error:
            tell(ReportLine(out_of_memory=str(error)))


def memory_shortage(description: ModuleDescription, memory_bytes: float | None = None) -> str | None:
    """Why a module cannot be measured with ``memory_bytes`` (default: what is available); None if it can.

    Modules are built in float32 whatever they are stored in, and weigh at least that while they are.
    """
    needed = max(4 * description.parameters, description.parameter_bytes) + PROCESS_BYTES
    available = available_memory_bytes() if memory_bytes is None else memory_bytes
    if needed <= available:
        return None
    return f"needs about {needed / 1e9:.1f} GB of memory, {available / 1e9:.1f} GB are available"


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
