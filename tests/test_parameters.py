"""No number as a parameter makes an algorithm fail with a traceback: it is refused in one line, or solves validly."""

import dataclasses
import math
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest

from splitshare.errors import InputError
from splitshare.methods import Method
from splitshare.parameters import check_between, check_within
from splitshare.placement.random_instances import Shape, random_instances
from splitshare.problems import problem_named
from splitshare.problems.problem import Problem
from tests.onloading.examples import tiny

WRONG = ("nan", "inf", "-inf", "-1", "-0.5", "1e300")
EDGES = ("0", "1")
"""Of most ranges."""


def numeric() -> Iterator[Any]:
    for problem in ("placement", "onloading"):
        finder = problem_named(problem).finder
        for name in finder.shipped():
            factory = finder.factory(name)
            for field in dataclasses.fields(factory) if dataclasses.is_dataclass(factory) else ():
                if field.type in {"int", "float"} and field.init:
                    yield pytest.param(problem, name, field.name, id=f"{name}[{field.name}]-{problem}")


@cache
def instance_of(problem: str) -> Any:
    return (
        random_instances([2], Shape(devices=(2, 2), missing_compute=0.0, missing_links=0.0))[0]
        if problem == "placement"
        else tiny(0)
    )


def loaded(problem: Problem[Any, Any], label: str) -> tuple[Any, str]:
    """The algorithm, or ``None`` and why it is refused; whatever else is raised fails the test."""
    try:
        return Method.parse(label).load(problem.finder), ""
    except InputError as error:
        return None, str(error)


@pytest.mark.parametrize(("problem", "name", "field"), list(numeric()))
def test_odd_numbers_are_refused_in_one_line_or_solve(problem: str, name: str, field: str):
    asked = problem_named(problem)
    for value in (*WRONG, *EDGES):
        label = f"{name}[{field}={value}]"
        algorithm, told = loaded(asked, label)
        if algorithm is None:
            assert "\n" not in told
            assert field in told
            continue
        assert value not in WRONG, f"{label} is taken"
        answer: Any = asked.solve(instance_of(problem), algorithm, seed=0, time_limit_s=2.0)
        assert answer.status in {"optimal", "feasible", "time_limit"}
        assert answer.objective is not None
        asked.score(instance_of(problem), answer)


@pytest.mark.parametrize(
    ("problem", "label"),
    [
        ("placement", "ruin-and-recreate[steps=-1]"),
        ("placement", "ruin-and-recreate[hot=nan]"),
        ("placement", "ruin-and-recreate[most_removed=0]"),
        ("onloading", "j3o-batching[rounds=-1]"),
        ("onloading", "j3o-batching[gap=nan]"),
        ("onloading", "j3o-batching[share=2]"),
        ("onloading", "optimum[gap=-1]"),
        ("onloading", "j3o-decomposed[threads=0]"),
        ("onloading", "j3o-decomposed[rounds=-1]"),
    ],
)
def test_what_is_out_of_range_is_named_with_algorithm_and_range(problem: str, label: str):
    name, field = label.split("=", maxsplit=1)[0].split("[")
    with pytest.raises(InputError, match=rf"^--algorithm: {name}.*cannot be made: {field} must be (from|above) "):
        problem_named(problem).finder.load(label)


def test_ends_belong_to_a_range_and_not_to_the_inside():
    check_within(0, 1, a=0, b=1, c=0.5)
    check_between(0, 1, a=0.5)
    for check, value in ((check_within, -1), (check_within, 2), (check_between, 0), (check_between, 1)):
        with pytest.raises(ValueError, match=r"^b must be .* not "):
            check(0, 1, a=0.5, b=value)
        with pytest.raises(ValueError, match="nan"):
            check(0, 1, a=math.nan)
