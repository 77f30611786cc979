"""Record what known methods do over a family of instances into the directory OUTPUT."""

from __future__ import annotations

from splitshare.commands.record import Options
from splitshare.jsonl import read_lines
from splitshare.problems import problem_of_instance
from splitshare.problems.standard import write_recorded


def run(options: Options) -> None:
    """Solve instances of one problem by every method and write the results into the directory ``output``.

    Raises:
        InputError: an instance or a method is wrong, or the record there speaks of other instances.
        WorkError: an optimum is contradicted.
    """
    problem = problem_of_instance(options.instances[0])
    solved = []
    for path in options.instances:
        solved += read_lines(problem.instance, path) if path.suffix == ".jsonl" else [problem.instance.read(path)]
    write_recorded(
        problem,
        solved,
        methods=options.methods,
        family=options.family or problem.families[0],
        time_limit_s=options.time_limit_s,
        output=options.output,
    )
