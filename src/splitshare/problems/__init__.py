"""The problems that there are, and which of them a file or an algorithm belongs to, so that one command serves all.

A problem is a file here and its package; other packages add theirs by an entry point of the group
``splitshare.problems`` that names a ``Problem``. Only those that are asked for are imported.
"""

from __future__ import annotations

import importlib
import pkgutil
import re
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, get_args

from splitshare.errors import InputError, shown
from splitshare.files import parse_json, read_text
from splitshare.plugins import from_file
from splitshare.problems.problem import Problem
from splitshare.records import nearest
from splitshare.spelling import single

GROUP = "splitshare.problems"
DEFAULT = "placement"
"""Problem of what does not say, or says wrongly, whose it is."""


def names() -> list[str]:
    """Names of all problems, the default's first."""
    ours = [m.name for m in pkgutil.iter_modules(__path__) if m.name not in {"problem", "standard"}]
    others = [point.name for point in entry_points(group=GROUP)]
    return sorted(dict.fromkeys([*ours, *others]), key=lambda name: (name != DEFAULT, name))


def problem_named(name: str) -> Problem[Any, Any]:
    """The problem of a name.

    Raises:
        InputError: there is none.
    """
    for point in entry_points(group=GROUP):
        if point.name == name:
            loaded: Problem[Any, Any] = point.load()
            return loaded
    if name not in names():
        raise InputError("--problem", "", f"unknown problem {name!r}; {nearest(name, names())}")
    problem: Problem[Any, Any] = importlib.import_module(f"{__name__}.{name}").PROBLEM
    return problem


def problem_of_instance(path: Path) -> Problem[Any, Any]:
    """The problem of an instance, by the ``schema`` that its file names; the default where it names none that we know.

    Raises:
        InputError: the file is missing or no JSON, or names no schema.
    """
    text = read_text(path)
    value = parse_json(text.partition("\n")[0] if path.suffix == ".jsonl" else text, path)
    schema = value.get("schema") if isinstance(value, dict) else None
    if isinstance(value, dict) and not isinstance(schema, str):  # any problem's reader would miss fields of its own
        wrong = f"must be a text, not {shown(schema)}" if "schema" in value else "is missing"
        raise InputError(path, "schema", f"{wrong}; say of which problem the instance is: {_schemas()}")
    kind = re.match(r"[\w-]+\.([\w-]+)-instance/", str(schema))
    return problem_named(kind[1] if kind and kind[1] in names() else DEFAULT)


def _schemas() -> str:
    """What instances' files say, of all problems that say it in their record."""
    fields = [problem_named(name).instance.model_fields.get("schema_") for name in names()]
    return " or ".join(text for field in fields if field is not None for text in get_args(field.annotation))


def problem_and_algorithm(spec: str, problem: str | None = None) -> tuple[Problem[Any, Any], Any]:
    """The problem that an algorithm solves, and the algorithm: a file is loaded once.

    It is the problem that has the algorithm by name, or whose contract the class of a file keeps; what several have is
    the default's.

    Args:
        spec: a name, or ``file.py:Class``, with parameters in brackets behind it or without.
        problem: the problem's name, where it is known.

    Raises:
        InputError: no problem has it, or its file does not load.
    """
    candidates = [problem_named(name) for name in ([problem] if problem else names())]
    name, parameters = single(spec)
    if ":" in name:
        factory = from_file(name)
        fitting = [c for c in candidates if hasattr(factory, c.finder.method)]
        chosen = (fitting or candidates)[0]
        return chosen, chosen.finder.make(factory, name, parameters)
    shipped = [c for c in candidates if name in c.finder.shipped()]
    first: InputError | None = None
    for candidate in shipped or candidates:
        try:
            return candidate, candidate.finder.load(spec)
        except InputError as error:
            first = first or error
    assert first is not None  # there is a candidate, and it has failed
    raise first
