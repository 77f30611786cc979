"""How long small commands take, as multiples of importing NumPy, pydantic, highspy and typer in the same run.

A command's time is mostly that of its imports. Each is run ``REPEATS`` times in a process of its own, and the median
counts. Run: ``python benchmarks/startup.py``.
"""

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from splitshare.placement.instance import PlacementInstance
from splitshare.places import DATA

REPEATS = 7
REQUESTS = 10_000
INSTANCE = "five-tasks.server-desktop-laptop-two-jetsons"
"""The largest workload on five devices."""
CLI = (sys.executable, "-m", "splitshare.cli")
LIMITS = {"--help": 1.0, "evaluate": 2.0, "solve, optimum by HiGHS": 3.0, "simulate": 3.5}
"""Multiples that each may take (ours)."""


def seconds(command: tuple[str, ...], folder: Path) -> float:
    """Median seconds of a command."""
    taken = []
    for _ in range(REPEATS):
        begin = time.perf_counter()
        subprocess.run(command, cwd=folder, check=True, capture_output=True)
        taken.append(time.perf_counter() - begin)
    return median(taken)


def main() -> None:
    """Print a line a command."""
    lines = (DATA / "baselines/instances/s2m3.jsonl").read_text(encoding="utf-8").splitlines()
    fields = next(fields for fields in map(json.loads, lines) if fields["name"] == INSTANCE)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        PlacementInstance.parse(fields, INSTANCE).write(folder / "i.json")
        solve = (*CLI, "solve", "i.json", "--algorithm", "optimum", "-o", "p.json")
        trace = (
            "trace",
            "i.json",
            "--kind",
            "poisson",
            "--rate-per-s",
            "1",
            "--requests",
            str(REQUESTS),
            "-o",
            "t.csv",
        )
        for first in (solve, (*CLI, *trace)):
            subprocess.run(first, cwd=folder, check=True, capture_output=True)
        commands: dict[str, tuple[str, ...]] = {
            "--help": (*CLI, "--help"),
            "evaluate": (*CLI, "evaluate", "i.json", "p.json"),
            "solve, optimum by HiGHS": solve,
            "simulate": (*CLI, "simulate", "i.json", "p.json", "t.csv", "-o", "r.csv"),
        }
        base = seconds((sys.executable, "-c", "import numpy, pydantic, highspy, typer"), folder)
        print(f"{'imports alone':26} {base:6.2f} s")
        for what, command in commands.items():
            took = seconds(command, folder)
            verdict = "" if took <= LIMITS[what] * base else f"  over {LIMITS[what]:g}"
            print(f"{what:26} {took:6.2f} s  {took / base:5.2f} times{verdict}")


if __name__ == "__main__":
    main()
