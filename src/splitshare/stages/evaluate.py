"""Print the objective of a placement or an onloading decision, and what it is made of, as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import typer

from splitshare.commands.evaluate import Options
from splitshare.errors import InputError, WorkError
from splitshare.methods import Method
from splitshare.problems import problem_of_instance
from splitshare.problems.problem import Problem
from splitshare.rounding import check_stated

STATED = ("objective", "unserved")
"""What an answer's file may state of its worth."""


def run(options: Options) -> Mapping[str, Any]:
    """What an answer (a placement, a decision) is worth on an instance of its problem, as plain data.

    Raises:
        InputError: a file is wrong, the answer belongs to another instance, is empty or infeasible, or states another
            worth than the evaluator finds.
    """
    problem = problem_of_instance(options.instance)
    if options.answer.suffix == ".sol":
        asked, given = _read_solution(problem, options)
    else:
        asked, given = problem.read_answer(options.instance, options.answer)
    try:
        worth = problem.score(asked, given)
    except WorkError as error:
        raise InputError(options.answer, "", str(error)) from None
    for field in STATED:
        if field in worth:
            check_stated(options.answer, field, getattr(given, field, None), worth[field])
    return worth


def _read_solution(problem: Problem[Any, Any], options: Options) -> tuple[Any, Any]:
    """The answer in what another solver wrote of its solution."""
    from splitshare.solvers.exchange import read_solution

    asked = problem.instance.read(options.instance)
    optimum = Method("optimum").load(problem.finder)
    if not hasattr(optimum, "program"):
        raise InputError(options.answer, "", f"the problem {problem.name!r} has no program to solve; give an answer")
    named = optimum.program(asked)
    given = problem.solve(asked, named.solved(read_solution(options.answer, named.names)))
    if problem.decided(given) is None:
        raise InputError(options.answer, "", f"holds no feasible {problem.terms.answer}: {given.reason}")
    return asked, given


def show(worth: Mapping[str, Any]) -> None:
    """Print the worth as JSON."""
    typer.echo(json.dumps(worth, indent=2, ensure_ascii=False))
