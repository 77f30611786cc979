"""The page of all files that people or programs write, from the records that read them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from splitshare.records import Record
from splitshare.schemas import CONTRACTS, contract_of, schema_of

HEAD = """# Files

Every file that a person or a program writes for another to read has a contract. Its name and version stand in the file,
as the value of `schema`; the JSON Schemas in `schemas/` say the same as this page. What is wrong in a file is told in
one line that names the file, the field and the mend.
"""
PLAIN = {"string": "text", "object": "mapping", "boolean": "true or false", "null": "null"}


def page() -> str:
    """The page: a section a contract, by name."""
    parts = [HEAD]
    for record in sorted(CONTRACTS, key=contract_of):
        parts += _contract(record)
    return "\n".join(parts)


def _contract(record: type[Record]) -> Iterator[str]:
    schema = schema_of(record)
    yield f"## {contract_of(record)}\n"
    yield from _object(schema)
    for name, inner in schema.get("$defs", {}).items():
        if inner.get("type") == "object":
            yield f"**{name}**\n"
            yield from _object(inner)
        elif "enum" in inner:
            yield f"**{name}** is one of {_values(inner['enum'])}.\n"


def _object(schema: dict[str, Any]) -> Iterator[str]:
    if told := schema.get("description"):
        yield told.replace("``", "`") + "\n"
    if fields := schema.get("properties"):
        yield "| field | value | if left out |\n|---|---|---|"
        for name, field in fields.items():
            yield f"| `{name}` | {_type(field)} | {_default(name, field, schema)} |"
        yield ""


def _default(name: str, field: dict[str, Any], schema: dict[str, Any]) -> str:
    if name in schema.get("required", []):
        return "is needed"
    value = field.get("default")
    if value is None:
        return "none"
    shown = str(value).replace("|", "\\|")
    return f"`{shown}`" if len(shown) < 80 else "as in `config/config.yaml`"


def _type(field: dict[str, Any]) -> str:  # noqa: PLR0911 (a case a line reads best)
    """What a field may hold, in words."""
    if "$ref" in field:
        return f"{field['$ref'].rpartition('/')[2]}"
    if "const" in field:
        return f"`{field['const']}`"
    if "enum" in field:
        return _values(field["enum"])
    if choices := field.get("anyOf") or field.get("oneOf"):
        return " or ".join(dict.fromkeys(_type(choice) for choice in choices))
    kind = field.get("type")
    if kind == "array":
        inner = field.get("prefixItems") or [field.get("items", {})]
        return f"list of {', '.join(_type(item) for item in inner)}"
    if kind == "object" and isinstance(field.get("additionalProperties"), dict):
        return f"by name: {_type(field['additionalProperties'])}"
    if kind in {"number", "integer"}:
        return _number(field)
    if kind == "string" and "pattern" in field:
        return "name"
    return PLAIN.get(kind or "", "anything")


def _number(field: dict[str, Any]) -> str:
    kind = "whole number" if field["type"] == "integer" else "number"
    least, most = (field.get(key, field.get(f"exclusive{key.capitalize()}")) for key in ("minimum", "maximum"))
    if least is not None and most is not None:
        return f"{kind}, {least:g} to {most:g}"
    if least is not None:
        return f"{kind}, {least:g} or more"
    return kind if most is None else f"{kind}, {most:g} at most"


def _values(values: list[Any]) -> str:
    return ", ".join(f"`{value}`" for value in values)
