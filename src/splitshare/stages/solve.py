"""Place modules, or onload models, whichever problem the instances are of; several write into a directory.

Of several methods each has a folder of its own in the directory OUTPUT.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import typer

from splitshare.choices import ExactSolver
from splitshare.commands.solve import Options
from splitshare.errors import InputError
from splitshare.methods import Method, check_labels
from splitshare.problems import problem_of_instance
from splitshare.progress import track
from splitshare.spelling import titled


def run(options: Options) -> list[str]:
    """Solve ``instances`` and write an answer's file each.

    Returns:
        A line an answer, for people.

    Raises:
        InputError: an instance, the algorithm's name or an option is wrong; nothing is written then.
        WorkError: the algorithm's answer does not hold.
    """
    problem = problem_of_instance(options.instances[0])
    methods = asked_methods(options.algorithms, options.solver, options.parameters)
    if len({path.name for path in options.instances}) != len(options.instances):
        raise InputError("INSTANCE", "", "two instances have the same file name; solve them one by one")
    # Before the algorithms: of a file that does not say its problem, theirs would seem to be wrong.
    asked = [problem.instance.read(path) for path in options.instances]
    loaded = [method.load(problem.finder) for method in methods]
    if options.write_program is not None:
        if len(loaded) > 1:
            raise InputError("--write-program", "", "writes the program of one method; give one --algorithm")
        _write_program(loaded[0], asked, options.write_program)
    lines: list[str] = []
    inside = len(methods) == 1 and (len(asked) > 1 or options.output.is_dir())
    for path in options.instances if inside else ():
        if (options.output / path.name).resolve() == path.resolve():
            taken = f"holds {path}, whose place the answer would take; name another folder"
            raise InputError("--output", str(options.output), taken)
    for method, algorithm in zip(methods, loaded, strict=True):
        output = options.output / method.folder if len(methods) > 1 else options.output
        for path, instance in track(
            zip(options.instances, asked, strict=True), f"solving with {method.label}", total=len(asked)
        ):
            answer: Any = problem.solve(instance, algorithm, seed=options.seed, time_limit_s=options.time_limit_s)
            answer = answer.model_copy(update={"algorithm": titled(algorithm.name, method.parameters)})
            several = len(options.instances) > 1 or len(methods) > 1
            answer.write(output / path.name if several or output.is_dir() else output)
            why = f" ({answer.reason})" if answer.reason else ""
            lines.append(f"{answer.algorithm}: {answer.status}, {problem.worth(answer)}{why}")
    return lines


def asked_methods(algorithms: Sequence[str], solver: ExactSolver | None, parameters: Sequence[str]) -> list[Method]:
    """The methods of the options ``--algorithm``, ``--solver`` and ``--parameter``, each with a label of its own.

    Raises:
        InputError: brackets are wrong, or two methods have the same label.
    """
    methods = [
        replace(method, solver=solver, parameters=(*method.parameters, *parameters))
        for text in algorithms
        for method in Method.specs(text)
    ]
    check_labels([method.label for method in methods])
    return methods


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
