"""Where a mistake stands in a file, as people write it; pydantic puts names of its own between (ours)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel

_KEY = "[key]"
"""What pydantic puts after a key of a mapping that is wrong itself."""


def field_path(location: Sequence[int | str]) -> str:
    """Write a location as people do: ``devices[1].memory_bytes``."""
    path = ""
    for part in location:
        path += f"[{part}]" if isinstance(part, int) else f".{part}" if path else part
    return path


@dataclass(frozen=True)
class Location:
    """A location of pydantic's, without what no file says."""

    path: tuple[int | str, ...]
    """Keys and positions that stand in the file."""
    owner: type[BaseModel] | None
    """The record that has the last of them as a field, or would have; ``None`` where it is no field, or not known."""
    union: int | None = None
    """How many parts lead to the first value that may be of several kinds; ``None``: there is none on the way."""
    kind: str = ""
    """As which of these kinds the value was read."""

    @property
    def optional(self) -> bool:
        """Whether the last of them is a field that may be left out."""
        fields = self.owner.model_fields if self.owner else {}
        return any(self.path[-1] == (info.alias or name) and not info.is_required() for name, info in fields.items())


def locate(record: type[BaseModel], location: Sequence[int | str]) -> Location:
    """Follow a location of pydantic's through the annotations of a record.

    After a value that may be of several kinds pydantic puts the name of one of them, and ``[key]`` after a key of a
    mapping that is wrong itself. Neither stands in the file.
    """
    path: list[int | str] = []
    owner: type[BaseModel] | None = None
    union: int | None = None
    kind, annotation, of_mapping = "", record, False
    for number, part in enumerate(location):
        if of_mapping and part == _KEY and number == len(location) - 1:
            break
        kinds = _kinds(annotation)
        if len(kinds) > 1:
            union, kind = (len(path), str(part)) if union is None else (union, kind)
            annotation, of_mapping = _named(kinds, str(part)), False
            continue
        here = kinds[0]
        owner = here if _is_record(here) else None
        of_mapping = get_origin(here) is dict
        path.append(part)
        annotation = _under(here, part)
    return Location(tuple(path), owner, union, kind)


def _is_record(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def _kinds(annotation: Any) -> list[Any]:
    """What a value may be beside null; more than one, and pydantic names in its locations which it has tried."""
    origin = get_origin(annotation)
    if origin is Annotated:
        return _kinds(get_args(annotation)[0])
    if origin not in {Union, UnionType}:
        return [annotation]
    members = [member for member in get_args(annotation) if member is not NoneType]
    return _kinds(members[0]) if len(members) == 1 else members


def _named(kinds: Sequence[Any], name: str) -> Any:
    """The one of several kinds that pydantic calls so: a record by its name or its tag, a collection by its type."""
    for kind in kinds:
        if _is_record(kind):
            tags = [arg for i in kind.model_fields.values() if get_origin(i.annotation) is Literal for arg in _args(i)]
            # Where a record checks itself: "function-after[_checked(), Name]".
            if name.rstrip("]").rpartition(", ")[2] == kind.__name__ or name in tags:
                return kind
        elif get_origin(kind) is not None and name.startswith(f"{get_origin(kind).__name__}["):
            return kind
    return None


def _args(field: Any) -> tuple[Any, ...]:
    return get_args(field.annotation)


def _under(annotation: Any, part: int | str) -> Any:
    """The annotation of what stands under a key or at a position; ``None`` where it cannot be told."""
    if _is_record(annotation):
        fields = {info.alias or name: info.annotation for name, info in annotation.model_fields.items()}
        return fields.get(part)
    inner = get_args(annotation)
    if get_origin(annotation) is dict:
        return inner[1]
    if isinstance(part, int) and inner:
        return inner[min(part, len(inner) - 1)] if inner[-1] is not Ellipsis else inner[0]
    return None
