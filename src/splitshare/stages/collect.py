"""Write the placements of several methods as tables into the directory OUTPUT."""

from __future__ import annotations

from pathlib import Path

from splitshare.commands.collect import Options
from splitshare.errors import WorkError
from splitshare.layout import placement_file
from splitshare.placement.pairs import read_base_pair
from splitshare.results.provenance import provenance
from splitshare.results.table import Solved, assignments_table, latencies_table, placements_table, runs_table
from splitshare.results.write import write_csv, write_parquet


def run(options: Options) -> None:
    """Read ``placements/<method>/<instance file name>`` for every method and instance and write tables.

    Writes ``placements.csv``, ``latencies.csv`` and ``assignments.csv`` into ``output`` (the same on every machine)
    and ``runs.parquet`` and ``runs.csv`` into ``runs`` (with times and provenance).

    Raises:
        InputError: a file is wrong or missing.
        WorkError: placements contradict each other, or an optimum was not proved in time.
    """
    solved = []
    for path in options.instances:
        for method in options.methods:
            instance, placement = read_base_pair(path, placement_file(options.placements, method, path))
            if placement.status == "time_limit":
                raise WorkError(
                    f"{method} on {instance.name}: no optimum was proved within the time limit; raise `time_limit_s`, "
                    "for tables would differ from run to run"
                )
            solved.append(Solved(method, instance, placement))
    write_csv(placements_table(solved), options.output / "placements.csv")
    write_csv(latencies_table(solved), options.output / "latencies.csv")
    write_csv(assignments_table(solved), options.output / "assignments.csv")
    table = runs_table(solved, provenance(options.output if options.output.is_dir() else Path()))
    write_parquet(table, options.runs / "runs.parquet")
    write_csv(table, options.runs / "runs.csv")
