"""What the measuring process is told, and what it reports: two files that parent and child share."""

from __future__ import annotations

from pathlib import Path

from splitshare.choices import Dtype
from splitshare.files import parse_json, read_text
from splitshare.profiling.records import LayerCheck, Method, ModuleDescription
from splitshare.records import Bytes, Count, Joules, Name, PositiveCount, PositiveSeconds, Record, Seconds, Seed


class Job(Record):
    """What to measure, and how."""

    catalog_root: str
    module: Name
    precision: Dtype | None = None
    """Type in which it is held and computes; ``None``: its own in the catalogue."""
    budget_s: PositiveSeconds
    longest_run_s: PositiveSeconds
    threads: PositiveCount
    torch_device: str
    seed: Seed
    scratch: str
    """Folder for a file of weights."""
    memory_bytes: Bytes | None = None
    """Memory that may be used; by default what is available on the machine."""


class BatchTimes(Record):
    """What was measured at one batch size."""

    batch: PositiveCount
    seconds: tuple[Seconds, ...]
    """Each timed run."""
    prefill_s: tuple[Seconds, ...] | None = None
    """The part of each run of a decoder that ends with the first new token."""
    peak_memory_bytes: Bytes | None
    load_s: Seconds
    warm_up_runs: Count
    """Runs before the timed ones (``splitshare.profiling.settling``)."""
    settled: bool
    """Two runs in a row agreed."""
    energy_j: Joules | None = None
    """Mean joules of a run."""
    energy_source: str | None = None

    def per_token_s(self, new_tokens: int) -> tuple[float, ...]:
        """What each run of a decoder took beyond its prefill, for each of the ``new_tokens`` but the first.

        Raises:
            ValueError: the runs have no prefill, or there is no further token.
        """
        if self.prefill_s is None or new_tokens < 2:
            raise ValueError("only a decoder's further tokens take time")
        runs = zip(self.seconds, self.prefill_s, strict=True)
        return tuple((total - first) / (new_tokens - 1) for total, first in runs)


class LeftOut(Record):
    """A batch size that was not measured, though the module runs."""

    batch: PositiveCount
    reason: str


class ReportLine(Record):
    """A line of the report, one of: the module, the method, a batch, checks of the method, why there is no more."""

    described: ModuleDescription | None = None
    method: Method | None = None
    measured: BatchTimes | None = None
    left_out: LeftOut | None = None
    layer_checks: tuple[LayerCheck, ...] | None = None
    out_of_memory: str | None = None


def read_report(path: Path) -> list[ReportLine]:
    """The whole lines of a report; a last line that was cut off by the child's death is dropped."""
    if not path.exists():
        return []
    lines = read_text(path).split("\n")[:-1]
    return [ReportLine.parse(parse_json(line, path), path) for line in lines]
