"""Reading strictly, writing whole: parsers that refuse what JSON does not allow, and writes that are renamed."""

from __future__ import annotations

import hashlib
import json
import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from splitshare.errors import InputError

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


def read_text(path: Path) -> str:
    """Read a text file that a person named.

    Raises:
        InputError: the file is missing, a directory, unreadable or not UTF-8.
    """
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise InputError(path, "", "no such file; check the path") from None
    except UnicodeDecodeError as error:
        raise InputError(path, "", f"not UTF-8 text ({error.reason} at byte {error.start})") from None
    except OSError as error:
        raise InputError(path, "", f"cannot be read: {error.strerror}") from None


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not a JSON number; write a finite number")


def _unique_pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise ValueError(f"the key {key!r} stands twice in one object; keep one")
        found[key] = value
    return found


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


class _StrictLoader(yaml.SafeLoader):
    """Safe YAML that refuses repeated keys and keeps dates as text."""


def _strict_mapping(loader: _StrictLoader, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
    loader.flatten_mapping(node)
    found: dict[Any, Any] = {}
    for key_node, value_node in node.value:
        key = loader.construct_object(key_node, deep=deep)
        if not isinstance(key, str):
            raise yaml.constructor.ConstructorError(None, None, f"the key {key!r} is not text", key_node.start_mark)
        if key in found:
            raise yaml.constructor.ConstructorError(
                None, None, f"the key {key!r} stands twice; keep one", key_node.start_mark
            )
        found[key] = loader.construct_object(value_node, deep=True)
    return found


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
        return yaml.load(text, Loader=_StrictLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        place = f" at line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise InputError(source, "", f"not valid YAML{place}: {error.problem or error.context}") from None
    except yaml.YAMLError as error:
        raise InputError(source, "", f"not valid YAML: {error}") from None
    except RecursionError:
        raise InputError(source, "", "not valid YAML: nested too deeply") from None
