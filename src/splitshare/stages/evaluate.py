"""Print the objective of a placement or an onloading decision, and what it is made of, as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import typer

from splitshare.commands.evaluate import Options
from splitshare.errors import InputError, WorkError
from splitshare.problems import problem_of_instance


def run(options: Options) -> Mapping[str, Any]:
    """What an answer (a placement, a decision) is worth on an instance of its problem, as plain data.

    Raises:
        InputError: a file is wrong, the answer belongs to another instance, is empty or infeasible.
    """
    problem = problem_of_instance(options.instance)
    asked, given = problem.read_answer(options.instance, options.answer)
    try:
        return problem.score(asked, given)
    except WorkError as error:
        raise InputError(options.answer, "", str(error)) from None


def show(worth: Mapping[str, Any]) -> None:
    """Print the worth as JSON."""
    typer.echo(json.dumps(worth, indent=2, ensure_ascii=False))
