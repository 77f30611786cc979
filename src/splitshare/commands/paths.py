"""Where a command's results go, checked before any work: none takes the place of an input or of another result."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

from splitshare.errors import InputError

RESULTS = frozenset({
    "output", "output_dir", "stages_output", "report_output", "runs_output", "trace_output", "perfetto", "plot",
    "table", "graph", "write_program", "zoo_output",
})  # fmt: skip
"""Fields of options that say where a result goes."""
FOLDERS = frozenset({"plot"})
"""Those that are always folders."""


def check_paths(
    options: Any, names: Mapping[str, str], folders: Collection[str] = (), either: Collection[str] = ()
) -> None:
    """See that results have places of their own.

    Args:
        options: a record of options.
        names: what each field is called on the command line.
        folders: fields whose results are folders, beside ``FOLDERS``.
        either: fields whose results are a file or a folder, whichever is there.

    Raises:
        InputError: a result would take the place of an input or of another result, lies under a file, or is a file
            where a folder is wanted, or a folder where a file is.
    """
    given = list(_paths(options))
    whole = {*FOLDERS, *folders}
    for field, path in given:
        if field not in RESULTS:
            continue
        above = next((parent for parent in path.absolute().parents if parent.exists()), None)
        if above is not None and not above.is_dir():
            raise InputError(names[field], "", f"{path} lies under {above}, which is a file; name another place")
        if field in whole and path.is_file():
            raise InputError(names[field], "", f"{path} is a file, and a folder is wanted; name another")
        if field not in {*whole, *either} and path.is_dir():
            raise InputError(names[field], "", f"{path} is a folder, and a file is wanted; name one in it")
        for other, there in given:
            shared = path.is_dir() or {field, other} <= whole
            if other != field and not shared and path.resolve() == there.resolve():
                raise InputError(names[field], "", f"{path} is {names[other]} too; name another file")


def _paths(options: Any) -> Iterator[tuple[str, Path]]:
    for field in dataclasses.fields(options):
        value = getattr(options, field.name)
        for one in value if isinstance(value, list | tuple) else [value]:
            if isinstance(one, Path):
                yield field.name, one
