"""``splitshare record``: write down what known methods do, for new ones to be held against."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from splitshare.jsonl import read_lines
from splitshare.problems import problem_of_instance
from splitshare.problems.standard import write_recorded


def run(instances: Sequence[Path], *, family: str, methods: Sequence[str], time_limit_s: float, output: Path) -> None:
    """Solve instances of one problem by every method and write the results into the directory ``output``.

    Args:
        instances: files of an instance each, or of one a line (``.jsonl``).
        family: what the instances are called together.
        methods: algorithms, or ``optimum-<solver>``.
        time_limit_s: seconds for a run.
        output: directory.

    Raises:
        InputError: an instance or a method is wrong, or the record there speaks of other instances.
        WorkError: an optimum is contradicted.
    """
    problem = problem_of_instance(instances[0])
    solved = []
    for path in instances:
        solved += read_lines(problem.instance, path) if path.suffix == ".jsonl" else [problem.instance.read(path)]
    write_recorded(problem, solved, methods=methods, family=family, time_limit_s=time_limit_s, output=output)
