"""A set of records in one file, a record a line, so that recorded results travel with what they speak of."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import TypeVar

from splitshare.errors import InputError
from splitshare.files import parse_json, read_text, write_text
from splitshare.records import Record

Kind = TypeVar("Kind", bound=Record)


def write_lines(records: Iterable[Record], path: Path) -> None:
    """Write records as JSON lines, in the order given."""
    lines = [json.dumps(json.loads(record.to_json()), ensure_ascii=False, separators=(",", ":")) for record in records]
    write_text(path, "".join(f"{line}\n" for line in lines))


def read_lines(kind: type[Kind], path: Path) -> list[Kind]:
    """Read records of one kind.

    Raises:
        InputError: names the file, the line and what is wrong; or the file holds none.
    """
    records = []
    for number, line in enumerate(read_text(path).removesuffix("\n").split("\n"), start=1):
        source = f"{path}: line {number}"
        records.append(kind.parse(parse_json(line, source), source))
    if not records:
        raise InputError(path, "", "holds no records; write it again")
    return records
