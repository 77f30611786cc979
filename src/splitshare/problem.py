"""Which problem a file or an algorithm belongs to, so that one command serves all."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from splitshare.errors import InputError
from splitshare.files import parse_json, read_text

Problem = Literal["placement", "onloading"]


def problem_of_instance(path: Path) -> Problem:
    """The problem of an instance, by the ``schema`` that its file names; placement where it names none that we know.

    Raises:
        InputError: the file is missing or no JSON.
    """
    value = parse_json(read_text(path), path)
    schema = value.get("schema") if isinstance(value, dict) else None
    return "onloading" if str(schema).startswith("splitshare.onloading-instance/") else "placement"


def problem_of_algorithm(spec: str) -> Problem:
    """The problem that an algorithm solves: the one that has it by name, or whose contract its class keeps.

    A name that both have is placement's.

    Raises:
        InputError: neither has it, or its file does not load.
    """
    from splitshare.onloading import contract as onloading
    from splitshare.placement import contract as placement

    if spec in placement.shipped():
        return "placement"
    if spec in onloading.shipped():
        return "onloading"
    if ":" in spec:
        return "onloading" if hasattr(onloading.FINDER.factory(spec), "onload") else "placement"
    try:
        placement.FINDER.factory(spec)
    except InputError as error:
        try:
            onloading.FINDER.factory(spec)
        except InputError:
            raise error from None
        return "onloading"
    return "placement"
