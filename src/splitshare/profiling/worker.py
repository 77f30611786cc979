"""The child process that measures one module: ``python -m splitshare.profiling.worker JOB REPORT``.

It reads a ``Job``. To the report it appends first the module's description, which takes no memory, and then a line for
every batch as soon as that is measured, so that the parent keeps what is known should the child be killed.
"""

from __future__ import annotations

import sys
from pathlib import Path

from splitshare.catalog.loader import load_catalog
from splitshare.profiling.job import BatchTimes, Job, LeftOut, ReportLine
from splitshare.profiling.machine import available_memory_bytes
from splitshare.profiling.records import ModuleDescription

PROCESS_BYTES = 2**30
"""Memory that measuring needs beside the weights (ours: libraries 0.4 GB, the rest for files and activations)."""


WHOLE_SHARE = 0.7
"""Share of the available memory up to which a module is measured whole (ours)."""


def main(job_path: Path, report_path: Path) -> None:
    """Measure the job's module, and append to the report."""
    # Imported here, because the parent imports this module for its name, and has no need of torch.
    from splitshare.profiling.describe import describe_module
    from splitshare.profiling.layers import check_layer_method, layers_of, measure_by_layers
    from splitshare.profiling.timing import OutOfMemoryError, measure_batches

    job = Job.read(job_path)
    catalog = load_catalog(Path(job.catalog_root))
    shared = catalog.at_precision(job.precision).module(job.module)
    with report_path.open("a", encoding="utf-8") as report:

        def echo(line: ReportLine) -> None:
            report.write(line.model_dump_json(exclude_none=True) + "\n")
            report.flush()

        description = describe_module(shared, catalogued=catalog.module(job.module))
        echo(ReportLine(described=description))
        available = float(available_memory_bytes(job.torch_device) if job.memory_bytes is None else job.memory_bytes)
        shortage = memory_shortage(description, available)
        if shortage:
            echo(ReportLine(out_of_memory=shortage))
            return
        batches = sorted(work.batch for work in description.work)
        by_layers = layers_of(shared) is not None
        try:
            if by_layers and needed_bytes(description) > WHOLE_SHARE * available:
                echo(ReportLine(method="layer-extrapolated"))
                for measured in measure_by_layers(shared, job, batches):
                    shortage = _activations_shortage(measured, available)
                    if shortage:
                        echo(ReportLine(out_of_memory=shortage))
                        return
                    echo(_line(measured))
                return
            first: BatchTimes | None = None
            for measured in measure_batches(shared, job, batches):
                echo(_line(measured))
                if first is None and isinstance(measured, BatchTimes):
                    first = measured
            # What the layer method is worth is shown wherever a decoder can be measured both ways.
            if by_layers and first is not None and description.kind == "decoder":
                echo(ReportLine(layer_checks=check_layer_method(shared, job, first)))
        except OutOfMemoryError as error:
            echo(ReportLine(out_of_memory=str(error)))


def _line(found: BatchTimes | LeftOut) -> ReportLine:
    return ReportLine(left_out=found) if isinstance(found, LeftOut) else ReportLine(measured=found)


def _activations_shortage(found: BatchTimes | LeftOut, available_bytes: float) -> str | None:
    """Why a batch whose peak was calculated would not run: a few layers fit where all of them do not."""
    if isinstance(found, LeftOut) or found.peak_memory_bytes is None:
        return None
    return _shortage(found.peak_memory_bytes, available_bytes)


def needed_bytes(description: ModuleDescription) -> int:
    """Memory that measuring the whole module takes."""
    return description.parameter_bytes + PROCESS_BYTES


def memory_shortage(description: ModuleDescription, available_bytes: float) -> str | None:
    """Why a module does not run with so much memory; None if it does."""
    return _shortage(needed_bytes(description), available_bytes)


def _shortage(needed_bytes: float, available_bytes: float) -> str | None:
    if needed_bytes <= available_bytes:
        return None
    return f"needs about {needed_bytes / 1e9:.1f} GB of memory, {available_bytes / 1e9:.1f} GB are available"


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
