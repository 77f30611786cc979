"""Write generalised assignment problems of an OR-Library file as placement instances, whose optima are published."""

from __future__ import annotations

import re

from splitshare.commands.assignment_instances import Options
from splitshare.errors import InputError
from splitshare.placement.assignment_problems import read_assignment_problems
from splitshare.placement.instance import PlacementInstance


def run(options: Options) -> list[PlacementInstance]:
    """Write ``<output>/<file>-<problem>.json`` for each problem of the file, counted from 1.

    Raises:
        InputError: the file is wrong, or its name cannot be part of an instance's.
    """
    stem = options.problems.stem
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,100}", stem):
        raise InputError(options.problems, "", "instances are called as the file: rename it to letters, digits, . _ -")
    instances = [
        problem.placement(f"{stem}-{i}", options.sense)
        for i, problem in enumerate(read_assignment_problems(options.problems), start=1)
    ]
    for instance in instances:
        instance.write(options.output / f"{instance.name}.json")
    return instances
