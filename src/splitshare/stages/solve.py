"""Place modules, or onload models, whichever problem the instances are of; several write into a directory."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import typer

from splitshare.commands.solve import Options
from splitshare.errors import InputError
from splitshare.methods import Method, titled
from splitshare.problems import problem_of_instance
from splitshare.progress import track


def run(options: Options) -> list[str]:
    """Solve ``instances`` and write an answer's file each.

    Returns:
        A line an answer, for people.

    Raises:
        InputError: an instance, the algorithm's name or an option is wrong; nothing is written then.
        WorkError: the algorithm's answer does not hold.
    """
    problem = problem_of_instance(options.instances[0])
    loaded = Method(options.algorithm, options.solver, tuple(options.parameters)).load(problem.finder)
    if len({path.name for path in options.instances}) != len(options.instances):
        raise InputError("INSTANCE", "", "two instances have the same file name; solve them one by one")
    asked = [problem.instance.read(path) for path in options.instances]
    if options.write_program is not None:
        _write_program(loaded, asked, options.write_program)
    lines: list[str] = []
    for path, instance in track(
        zip(options.instances, asked, strict=True), f"solving with {options.algorithm}", total=len(asked)
    ):
        answer: Any = problem.solve(instance, loaded, seed=options.seed, time_limit_s=options.time_limit_s)
        answer = answer.model_copy(update={"algorithm": titled(loaded.name, options.parameters)})
        answer.write(
            options.output / path.name if len(options.instances) > 1 or options.output.is_dir() else options.output
        )
        lines.append(f"{answer.algorithm}: {answer.status}, {problem.worth(answer)}")
    return lines


def _write_program(algorithm: Any, instances: Sequence[Any], path: Path) -> None:
    from splitshare.solvers.exchange import write_program

    if not hasattr(algorithm, "program"):
        raise InputError("--write-program", "", f"{algorithm.name} solves no program; give --algorithm optimum")
    if len(instances) > 1:
        raise InputError("--write-program", "", "writes the program of one instance; give one")
    write_program(algorithm.program(instances[0]), path)


def show(lines: list[str]) -> None:
    """Print a line an answer."""
    typer.echo("\n".join(lines))
