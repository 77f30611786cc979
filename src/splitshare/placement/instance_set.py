"""A set of instances in one file, an instance a line, so that recorded results travel with what they speak of."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from splitshare.errors import InputError
from splitshare.files import parse_json, read_text, write_text
from splitshare.placement.instance import PlacementInstance


def write_instances(instances: Iterable[PlacementInstance], path: Path) -> None:
    """Write instances as JSON lines, in the order given."""
    lines = [
        json.dumps(json.loads(instance.to_json()), ensure_ascii=False, separators=(",", ":")) for instance in instances
    ]
    write_text(path, "".join(f"{line}\n" for line in lines))


def read_instances(path: Path) -> list[PlacementInstance]:
    """Read instances.

    Raises:
        InputError: names the file, the line and what is wrong; or the file holds none.
    """
    instances = []
    for number, line in enumerate(read_text(path).splitlines(), start=1):
        source = f"{path}: line {number}"
        instances.append(PlacementInstance.parse(parse_json(line, source), source))
    if not instances:
        raise InputError(path, "", "holds no instances; write it again with `splitshare record`")
    return instances
