"""A digest of the code that a computation depends on: results are redone when it changes, and only then.

The closure is static: the module's file and, transitively, every file of the same package that it imports,
inside functions too; a text that is a module's full name counts as an import of it (``importlib``, ``python
-m``). Nothing is imported or run. Docstrings, comments and layout do not count.
"""

from __future__ import annotations

import ast
import hashlib
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple, TypeGuard

SOURCES = Path(__file__).parent.parent
"""The folder that holds this package."""

MODULE_NAME = re.compile(r"\w+(\.\w+)+", re.ASCII)
"""A dotted name."""


class _Parsed(NamedTuple):
    digest: str
    imports: tuple[str, ...]


def code_digest(*modules: str, sources: Path = SOURCES) -> str:
    """Digest of the code that ``modules`` are made of, equal for equal code wherever it lies.

    Args:
        modules: dotted names, such as ``splitshare.stages.describe``.
        sources: the folder that holds their packages.

    Returns:
        Hex SHA-256 over the names and the normalised code of all files of the closure.

    Raises:
        ModuleNotFoundError: a module, or one that the closure imports by its full name, has no file.
    """
    pending = list(modules)
    digests: dict[str, str] = {}
    while pending:
        name = pending.pop()
        if name in digests:
            continue
        path = _file_of(name, sources)
        if path is None:
            raise ModuleNotFoundError(f"no file for module {name!r} under its package's folder", name=name)
        stat = path.stat()
        parsed = _parse(path, name, sources, stat.st_mtime_ns, stat.st_size)
        digests[name] = parsed.digest
        pending.extend(parsed.imports)
    lines = "".join(f"{name} {digests[name]}\n" for name in sorted(digests))
    return hashlib.sha256(lines.encode()).hexdigest()


def _file_of(name: str, sources: Path) -> Path | None:
    base = sources.joinpath(*name.split("."))
    for path in (base / "__init__.py", base.with_name(base.name + ".py")):
        if path.is_file():
            return path
    return None


@cache
def _parse(path: Path, name: str, sources: Path, _mtime_ns: int, _size: int) -> _Parsed:
    tree = ast.parse(path.read_bytes())
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    imports: dict[str, None] = {}
    for node in ast.walk(tree):
        for target in _targets(node, package, sources):
            if target.partition(".")[0] == name.partition(".")[0]:
                imports.update(dict.fromkeys(_with_parents(target, sources)))
    imports.pop(name, None)
    return _Parsed(hashlib.sha256(_render(tree).encode()).hexdigest(), tuple(imports))


def _targets(node: ast.AST, package: str, sources: Path) -> Iterator[str]:
    """Full names of the modules that an import statement, or a text, names."""
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        base = node.module or ""
        if node.level:
            parents = package.split(".")[: len(package.split(".")) - node.level + 1]
            base = ".".join([*parents, base] if base else parents)
        submodules = [f"{base}.{alias.name}" for alias in node.names if _file_of(f"{base}.{alias.name}", sources)]
        yield from submodules
        if "." in base or len(submodules) < len(node.names):
            yield base
    elif isinstance(node, ast.Constant) and _is_dotted(node.value) and _file_of(node.value, sources):
        yield node.value


def _is_dotted(value: object) -> TypeGuard[str]:
    return isinstance(value, str) and MODULE_NAME.fullmatch(value) is not None


def _with_parents(name: str, sources: Path) -> Iterator[str]:
    """The module and the packages that importing it runs, the outermost left out unless named itself.

    That one carries the version, which must not make every result stale.
    """
    yield name
    parts = name.split(".")
    for depth in range(2, len(parts)):
        parent = ".".join(parts[:depth])
        if _file_of(parent, sources):
            yield parent


def _render(value: object) -> str:
    """Write a syntax tree the same way under every Python version, leaving out what does not run.

    ``ast.dump`` is not used because what it writes for empty fields differs between versions.
    """
    if isinstance(value, list):
        kept = (item for item in value if not _is_text_statement(item))
        return f"[{','.join(map(_render, kept))}]"
    if isinstance(value, ast.Constant):
        return repr(value.value)
    if isinstance(value, ast.AST):
        fields = ((field, getattr(value, field, None)) for field in value._fields if field != "ctx")
        shown = ",".join(f"{field}={_render(part)}" for field, part in fields if part is not None and part != [])
        return f"{type(value).__name__}({shown})"
    return repr(value)


def _is_text_statement(node: object) -> bool:
    """Whether ``node`` is a docstring, or any other text that stands as a statement of its own."""
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
