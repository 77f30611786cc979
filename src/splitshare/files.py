"""Reading strictly, writing whole: parsers that refuse what JSON does not allow, and writes that are renamed."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from splitshare.errors import InputError, WorkError, shown

LEFTOVER = re.compile(r"\..+\.[a-z0-9_]{8}\.tmp(\.\w+)?")
"""Names of the temporary files of ``atomic_path``."""


@contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside ``path`` that takes its place if the block succeeds and vanishes if not.

    The temporary name keeps the suffix, since writers choose a format by it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.stem}.", suffix=f".tmp{path.suffix}", dir=path.parent)
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        umask = os.umask(0)
        os.umask(umask)
        temporary.chmod(0o666 & ~umask)  # mkstemp makes private files; outputs are ordinary ones
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def remove_leftovers(directory: Path) -> None:
    """Remove temporary files that killed writers have left below ``directory``; nobody may be writing there."""
    for path in directory.rglob(".*.tmp*"):
        if LEFTOVER.fullmatch(path.name):
            path.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write ``text`` to ``path``, whole or not at all."""
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def canonical_json(value: Any) -> str:
    """Serialise plain data the one way that digests are taken over: two-space indent, file order, final newline."""
    return json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def sha256_bytes(data: bytes) -> str:
    """Hex SHA-256 of ``data``."""
    return hashlib.sha256(data).hexdigest()


def sha256_file(path: Path) -> str:
    """Hex SHA-256 of the bytes of ``path``, which is read in pieces."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def read_text(path: Path, *, newline: str | None = None) -> str:
    """Read a text file that a person named; ``newline`` as ``open`` has it.

    Raises:
        InputError: the file is missing, a directory, unreadable or not UTF-8.
    """
    try:
        with path.open(encoding="utf-8", newline=newline) as file:
            return file.read().removeprefix("\ufeff")  # a byte-order mark, as some editors write it
    except FileNotFoundError:
        raise InputError(path, "", "no such file; check the path") from None
    except MemoryError:
        raise WorkError(f"{path}: does not fit into memory") from None
    except UnicodeDecodeError as error:
        raise InputError(path, "", f"not UTF-8 text ({error.reason} at byte {error.start})") from None
    except OSError as error:
        raise InputError(path, "", f"cannot be read: {error.strerror}") from None
    except ValueError as error:  # a path with a NUL
        raise InputError(path, "", f"cannot be read: {error}") from None


def csv_rows(path: Path) -> list[list[str]]:
    """Rows of cells of a CSV file that a person named; only line ends outside of quotes end a row.

    A byte-order mark, a missing final line end and either kind of line end are fine.

    Raises:
        InputError: the file cannot be read, or is no CSV; names the line.
    """
    reader = csv.reader(io.StringIO(read_text(path, newline="").removeprefix("\ufeff"), newline=""), strict=True)
    try:
        return list(reader)
    except csv.Error as error:
        raise InputError(path, f"line {reader.line_num}", f"not valid CSV: {error}") from None


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not a JSON number; write a finite number")


def _unique_pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for key, value in pairs:
        if key in values:
            raise ValueError(f"the key {shown(key)} stands twice in one object; keep one")
        values[key] = value
    return values


def parse_json(text: str, source: Path | str) -> Any:
    """Parse JSON, refusing NaN, infinities and repeated keys.

    Raises:
        InputError: with the line and column of the mistake where the parser knows them.
    """
    try:
        return json.loads(text, parse_constant=_refuse_constant, object_pairs_hook=_unique_pairs)
    except json.JSONDecodeError as error:
        hint = "the file seems cut off" if error.pos >= len(text.rstrip()) else "mend the JSON there"
        raise InputError(
            source, "", f"not valid JSON at line {error.lineno}, column {error.colno}: {error.msg}; {hint}"
        ) from None
    except ValueError as error:
        raise InputError(source, "", str(error)) from None
    except RecursionError:
        raise InputError(source, "", "not valid JSON: nested too deeply") from None


_MOST_ALIASED = 100_000
"""Nodes that all aliases of a YAML file may stand for together."""


class _StrictLoader(yaml.SafeLoader):
    """Safe YAML that refuses repeated keys, keeps dates as text, and refuses aliases that stand for too much."""

    _aliased = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        alias = self.peek_event() if self.check_event(yaml.AliasEvent) else None  # type: ignore[no-untyped-call]
        node: yaml.Node | None = super().compose_node(parent, index)
        if alias is not None and node is not None:
            self._aliased += _nodes(node, _MOST_ALIASED - self._aliased)
            if self._aliased >= _MOST_ALIASED:
                problem = "aliases stand for too much; write it out"
                raise yaml.constructor.ConstructorError(None, None, problem, alias.start_mark)
        return node

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        try:
            return super().construct_object(node, deep=deep)
        except (ArithmeticError, AttributeError, LookupError, ValueError) as error:  # what PyYAML lets through
            problem = f"{shown(node.value)} is not of its kind, {node.tag}"
            raise yaml.constructor.ConstructorError(None, None, problem, node.start_mark) from error


def _nodes(node: yaml.Node, most: int) -> int:
    """Nodes in ``node``, its aliases written out, counted up to ``most``."""
    count, pending = 0, [node]
    while pending and count < most:
        count += 1
        value = pending.pop().value
        for part in value if isinstance(value, list) else ():
            pending.extend(part if isinstance(part, tuple) else (part,))
    return count


def _strict_mapping(loader: _StrictLoader, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
    loader.flatten_mapping(node)
    mapping: dict[Any, Any] = {}
    for key_node, value_node in node.value:
        key = loader.construct_object(key_node, deep=deep)
        if not isinstance(key, str):
            raise yaml.constructor.ConstructorError(
                None, None, f"the key {shown(key)} is not text", key_node.start_mark
            )
        if key in mapping:
            raise yaml.constructor.ConstructorError(
                None, None, f"the key {shown(key)} stands twice; keep one", key_node.start_mark
            )
        mapping[key] = loader.construct_object(value_node, deep=True)
    return mapping


_StrictLoader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _strict_mapping)
_StrictLoader.yaml_implicit_resolvers = {
    letter: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for letter, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def parse_yaml(text: str, source: Path | str) -> Any:
    """Parse YAML safely, refusing repeated keys.

    Raises:
        InputError: with the line and column of the mistake.
    """
    try:
        return yaml.load(text, Loader=_StrictLoader)  # noqa: S506 - a safe loader that refuses a key twice
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        place = f" at line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise InputError(source, "", f"not valid YAML{place}: {error.problem or error.context}") from None
    except yaml.YAMLError as error:
        raise InputError(source, "", f"not valid YAML: {error}") from None
    except RecursionError:
        raise InputError(source, "", "not valid YAML: nested too deeply") from None
