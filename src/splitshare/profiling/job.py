"""What the measuring process is told, and what it reports: two files that parent and child share."""

from __future__ import annotations

from pathlib import Path

from splitshare.files import parse_json
from splitshare.profiling.records import Method, ModuleDescription
from splitshare.records import Name, NonNegative, Positive, PositiveCount, Record


class Job(Record):
    """What to measure, and how."""

    catalog_root: str
    module: Name
    budget_s: Positive
    longest_run_s: Positive
    threads: PositiveCount
    torch_device: str
    seed: int
    scratch: str
    """Folder for a file of weights."""
    memory_bytes: NonNegative | None = None
    """Memory that may be used; by default what is available on the machine."""


class BatchTimes(Record):
    """What was measured at one batch size."""

    batch: PositiveCount
    seconds: tuple[NonNegative, ...]
    """Each timed run."""
    prefill_s: tuple[NonNegative, ...] | None = None
    """The part of each run of a decoder that ends with the first new token."""
    peak_memory_bytes: NonNegative | None
    load_s: NonNegative


class LeftOut(Record):
    """A batch size that was not measured, though the module runs."""

    batch: PositiveCount
    reason: str


class ReportLine(Record):
    """A line of the report, one of: the module, the method, a batch, a remark, why no more can be measured."""

    described: ModuleDescription | None = None
    method: Method | None = None
    measured: BatchTimes | None = None
    left_out: LeftOut | None = None
    note: str | None = None
    out_of_memory: str | None = None


def read_report(path: Path) -> list[ReportLine]:
    """The whole lines of a report; a last line that was cut off by the child's death is dropped."""
    if not path.exists():
        return []
    lines = path.read_text(encoding="utf-8").split("\n")[:-1]
    return [ReportLine.parse(parse_json(line, path), path) for line in lines]
