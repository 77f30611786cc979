"""Which tables and figures there are, as their files declare them.

A file of this package that assigns a ``Declaration`` is a figure: nothing else is to be edited for a new one. The
files are read, not imported: the drawing code, with all that it needs, is imported when a figure is asked for.
"""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

from splitshare.figures.declaration import Declaration


@cache
def figures(folder: Path = Path(__file__).parent) -> dict[str, Declaration]:
    """All figures by name, in the order of their files.

    Raises:
        ValueError: a declaration is not of literals, has an unknown field or lacks one, or a name is declared twice.
    """
    declared: dict[str, Declaration] = {}
    for path in sorted(folder.glob("*.py")):
        for statement in ast.parse(path.read_text(encoding="utf-8")).body:
            if not (isinstance(statement, ast.Assign) and isinstance(statement.value, ast.Call)):
                continue
            call = statement.value
            if not (isinstance(call.func, ast.Name) and call.func.id == Declaration.__name__):
                continue
            try:
                fields = {str(keyword.arg): ast.literal_eval(keyword.value) for keyword in call.keywords}
                figure = Declaration(module=path.stem, **fields)
            except (TypeError, ValueError) as error:
                raise ValueError(f"{path.name}, line {statement.lineno}: {error}") from None
            if figure.name in declared:
                raise ValueError(
                    f"{path.name}: the figure {figure.name!r} is declared in {declared[figure.name].module}.py too"
                )
            declared[figure.name] = figure
    return declared
