"""Files of events, ``time_s,what,name,value``: what all of them have in common, whatever changes (ours)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from splitshare.errors import InputError, shown
from splitshare.replay.tables import at_row, parse_floats, read_csv

COLUMNS = ("time_s", "what", "name", "value")
"""The last may be left out."""


def event_rows(path: Path, kinds: Sequence[str]) -> Iterator[tuple[float, str, str, str]]:
    """Rows of a file in order of time: time (s), kind, name, and value as it stands there.

    Args:
        path: a CSV file.
        kinds: what there may be.

    Raises:
        InputError: names the row of the first mistake; of a kind, when the row's turn has come.
    """
    if path.suffix != ".csv":
        raise InputError(path, "", "must be a CSV file")
    text = read_csv(path, COLUMNS[:3], COLUMNS[3:])
    times = parse_floats(path, "time_s", text["time_s"])
    late = np.flatnonzero(np.diff(times) < 0)
    if late.size:
        raise InputError(path, at_row("time_s", int(late[0]) + 1), "is before the row above; sort by time_s")
    values = text.get("value", [""] * len(times))
    for i, (time_s, what, name, value) in enumerate(
        zip(times.tolist(), text["what"], text["name"], values, strict=True)
    ):
        if what not in kinds:
            raise InputError(path, at_row("what", i), f"must be one of {', '.join(kinds)}, not {shown(what)}")
        yield time_s, what, name, value


def refuse_value(path: Path, row: int, what: str, value: str) -> None:
    """For kinds that have no value.

    Raises:
        InputError: there is one.
    """
    if value:
        raise InputError(path, at_row("value", row), f"has no meaning for {what}; leave it empty")


def mark_away(path: Path, row: int, name: str, away: set[str], *, leaves: bool) -> None:
    """Note in ``away`` that something leaves, or is there again.

    Raises:
        InputError: it is away, or there, already.
    """
    if (name in away) is leaves:
        state = "away already" if leaves else "there already"
        raise InputError(path, at_row("name", row), f"{shown(name)} is {state}; leave the row out")
    (away.add if leaves else away.remove)(name)
