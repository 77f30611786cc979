"""Rules of serving as people write them: small tables, and words on the command line."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import get_args

from splitshare.choices import Queue
from splitshare.errors import InputError, shown
from splitshare.placement.instance import PlacementInstance, Request
from splitshare.ranges import MOST_SECONDS
from splitshare.records import nearest
from splitshare.replay.tables import at_row, parse_counts, parse_floats, read_csv

MOST_PRIORITY = 10**6
MOST_BYTES = 1e18
_BY = ("request", "task", "model", "source")
"""What a row may name: a request class, or what classes have in common."""


def read_priorities(path: Path, instance: PlacementInstance) -> dict[str, int]:
    """Read ``by,name,priority``: the priority of each request class, the greatest number first.

    ``by`` is ``request``, ``task``, ``model`` or ``source`` (the device that asks). The first row that fits a class
    holds for it.

    Raises:
        InputError: names the row of the first mistake; or a class has no row.
    """
    text = read_csv(path, ("by", "name", "priority"))
    values = parse_counts(path, "priority", text["priority"], MOST_PRIORITY)
    rows = _row_of_class(path, text, instance)
    for request in instance.requests:
        if request.name not in rows:
            raise InputError(path, "name", f"no row fits the request class {request.name!r}; add one")
    return {name: int(values[row]) for name, row in rows.items()}


def read_deadlines(path: Path, instance: PlacementInstance) -> dict[str, float]:
    """Read ``by,name,deadline_s`` as ``read_priorities`` does; a class that no row fits has no deadline.

    Raises:
        InputError: names the row of the first mistake.
    """
    text = read_csv(path, ("by", "name", "deadline_s"))
    values = parse_floats(path, "deadline_s", text["deadline_s"], MOST_SECONDS)
    return {name: float(values[row]) for name, row in _row_of_class(path, text, instance).items()}


def read_load_times(path: Path, instance: PlacementInstance) -> dict[tuple[str, str], float]:
    """Read ``device,module,load_s``: seconds of bringing a module into a device's memory; ``source`` may say whence.

    Raises:
        InputError: names the row of the first mistake.
    """
    text = read_csv(path, ("device", "module", "load_s"), ("source",))
    seconds = parse_floats(path, "load_s", text["load_s"], MOST_SECONDS)
    found: dict[tuple[str, str], float] = {}
    known = {"device": list(instance.devices_by_name), "module": list(instance.modules_by_name)}
    for i, pair in enumerate(zip(text["device"], text["module"], strict=True)):
        for column, name in zip(known, pair, strict=True):
            if name not in known[column]:
                problem = f"unknown {column} {shown(name)}; {nearest(name, known[column])}"
                raise InputError(path, at_row(column, i), problem)
        if pair in found:
            raise InputError(path, at_row("module", i), "stands in an earlier row for this device too; keep one")
        found[pair] = float(seconds[i])
    return found


def queues_of(words: Sequence[str], instance: PlacementInstance) -> dict[str, Queue]:
    """``--queue``: a word for all devices, or ``device=word``; what comes later holds.

    Raises:
        InputError: an unknown device or word.
    """
    queues: dict[str, Queue] = {}
    told: set[str] = set()
    for word in words:
        device, given, kind = word.rpartition("=")
        if device in told:
            raise InputError("--queue", shown(word), f"is told of {device or 'all devices'} before; keep one")
        told.add(device)
        known: dict[str, Queue] = {name: name for name in get_args(Queue)}
        if kind not in known:
            raise InputError("--queue", shown(word), f"is no queue; {nearest(kind, list(known))}")
        if given:
            _known_device("--queue", device, instance)
        queues |= dict.fromkeys([device] if given else instance.devices_by_name, known[kind])
    return queues


def memory_of(words: Sequence[str], instance: PlacementInstance) -> dict[str, float]:
    """``--memory``: ``device=bytes``.

    Raises:
        InputError: an unknown device, or no such number.
    """
    memory: dict[str, float] = {}
    for word in words:
        device, given, number = word.rpartition("=")
        try:
            size_bytes = float(number) if given else math.nan
        except ValueError:
            size_bytes = math.nan
        if not 0 <= size_bytes <= MOST_BYTES:
            problem = f"must be device=bytes, bytes from 0 to {MOST_BYTES:g}, such as jetson=2e9"
            raise InputError("--memory", shown(word), problem)
        _known_device("--memory", device, instance)
        if device in memory:
            raise InputError("--memory", shown(word), f"{device} is given memory twice; keep one")
        memory[device] = size_bytes
    return memory


def _known_device(option: str, name: str, instance: PlacementInstance) -> None:
    if name not in instance.devices_by_name:
        raise InputError(option, shown(name), f"is no device; {nearest(name, list(instance.devices_by_name))}")


def _row_of_class(path: Path, text: Mapping[str, Sequence[str]], instance: PlacementInstance) -> dict[str, int]:
    """The first row that fits each request class, of those that some row fits."""
    seen: set[tuple[str, str]] = set()
    for i, (by, name) in enumerate(zip(text["by"], text["name"], strict=True)):
        if by not in _BY:
            raise InputError(path, at_row("by", i), f"must be one of {', '.join(_BY)}, not {shown(by)}")
        named = sorted({_called(request, by) for request in instance.requests})
        if name not in named:
            problem = f"{shown(name)} is the {by} of no request class; {nearest(name, named)}"
            raise InputError(path, at_row("name", i), problem)
        if (by, name) in seen:
            raise InputError(path, at_row("name", i), "stands in an earlier row too; keep one")
        seen.add((by, name))
    rows: dict[str, int] = {}
    for request in instance.requests:
        fitting = [
            i for i, (by, name) in enumerate(zip(text["by"], text["name"], strict=True)) if _called(request, by) == name
        ]
        if fitting:
            rows[request.name] = fitting[0]
    return rows


def _called(request: Request, by: str) -> str:
    return {"request": request.name, "task": request.task, "model": request.model, "source": request.source}[by]
