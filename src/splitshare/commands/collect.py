"""``splitshare collect``: placements of several methods as tables."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from splitshare.commands.evaluate import read_base_pair
from splitshare.errors import WorkError
from splitshare.results.provenance import provenance
from splitshare.results.table import Solved, latencies_table, placements_table, runs_table
from splitshare.results.write import write_csv, write_parquet


def run(instances: Sequence[Path], *, placements: Path, methods: Sequence[str], output: Path, runs: Path) -> None:
    """Read ``placements/<method>/<instance file name>`` for every method and instance and write tables.

    Writes ``placements.csv`` and ``latencies.csv`` into ``output`` (the same on every machine) and
    ``runs.parquet`` and ``runs.csv`` into ``runs`` (with times and provenance).

    Raises:
        InputError: a file is wrong or missing.
        WorkError: placements contradict each other, or an optimum was not proved in time.
    """
    solved = []
    for path in instances:
        for method in methods:
            instance, placement = read_base_pair(path, placements / method / path.name)
            if placement.status == "time_limit":
                raise WorkError(
                    f"{method} on {instance.name}: no optimum was proved within the time limit; raise `time_limit_s`, "
                    "for tables would differ from run to run"
                )
            solved.append(Solved(method, instance, placement))
    write_csv(placements_table(solved), output / "placements.csv")
    write_csv(latencies_table(solved), output / "latencies.csv")
    table = runs_table(solved, provenance(output if output.is_dir() else Path()))
    write_parquet(table, runs / "runs.parquet")
    write_csv(table, runs / "runs.csv")
