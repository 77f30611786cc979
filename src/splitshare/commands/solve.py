"""``splitshare solve``: answer one or several instances of a problem by one algorithm."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from splitshare.choices import Solver
from splitshare.errors import InputError
from splitshare.methods import Method, titled
from splitshare.problems import problem_of_instance
from splitshare.progress import track


def run(
    instances: Sequence[Path],
    *,
    algorithm: str,
    solver: Solver | None,
    seed: int,
    time_limit_s: float | None,
    output: Path,
    parameters: Sequence[str] = (),
) -> list[str]:
    """Solve ``instances`` and write an answer's file each.

    Args:
        instances: instance files of one problem, the first one's.
        algorithm: name or ``file.py:Class``.
        solver: solver of an exact algorithm; ``None`` for the algorithm's default.
        seed: of whatever is random in the algorithm.
        time_limit_s: limit for each instance, in seconds.
        parameters: other parameters of the algorithm than its own, as ``name=value``; the answers' ``algorithm``
            names them too (``s2m3-greedy[order=file]``), so that they are not taken for the algorithm's own.
        output: file for one instance, directory for several (``<output>/<instance file name>``).

    Returns:
        A line an answer, for people.

    Raises:
        InputError: an instance, the algorithm's name or an option is wrong; nothing is written then.
        WorkError: the algorithm's answer does not hold.
    """
    problem = problem_of_instance(instances[0])
    loaded = Method(algorithm, solver, tuple(parameters)).load(problem.finder)
    if len({path.name for path in instances}) != len(instances):
        raise InputError("INSTANCE", "", "two instances have the same file name; solve them one by one")
    asked = [problem.instance.read(path) for path in instances]
    lines: list[str] = []
    for path, instance in track(zip(instances, asked, strict=True), f"solving with {algorithm}", total=len(asked)):
        answer: Any = problem.solve(instance, loaded, seed=seed, time_limit_s=time_limit_s)
        answer = answer.model_copy(update={"algorithm": titled(loaded.name, parameters)})
        answer.write(output / path.name if len(instances) > 1 or output.is_dir() else output)
        lines.append(f"{answer.algorithm}: {answer.status}, {problem.worth(answer)}")
    return lines
