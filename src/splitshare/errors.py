"""The two ways in which a command can fail, each with its exit code, and how a message stays one short line."""

from __future__ import annotations

import reprlib
from pathlib import Path
from typing import Any

SOURCE_CHARACTERS = 100
"""Characters of a file's path that a message has at most."""
MESSAGE_CHARACTERS = 300
"""Characters of field and problem together that a message has at most."""
_FIELD_CHARACTERS = 100
_VALUE_CHARACTERS = 60
_GAP = "..."


def escaped(text: str) -> str:
    """``text`` with whatever does not print (line ends, terminal sequences, lone surrogates) written as in Python."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def shortened(text: str, limit: int, *, head: float = 2 / 3) -> str:
    """At most ``limit`` characters of ``text``: of a longer one the beginning (a share ``head``) and the end."""
    if len(text) <= limit:
        return text
    room = limit - len(_GAP)
    first = round(room * head)
    return text[:first] + _GAP + text[len(text) - (room - first) :]


def shown(value: Any) -> str:
    """A value that stands in a file as a message quotes it: on one line, at most 60 characters, whatever it holds."""
    if isinstance(value, str):
        return shortened(repr(value[:1000]), _VALUE_CHARACTERS, head=1)
    short = reprlib.Repr()
    short.maxstring = short.maxother = short.maxlong = _VALUE_CHARACTERS
    try:
        return shortened(escaped(short.repr(value)), _VALUE_CHARACTERS, head=1)
    except ValueError:  # Python writes no whole number of so many digits
        return "a number too long to show"


def one_line(text: str, limit: int = MESSAGE_CHARACTERS) -> str:
    """Prose on one line: white space joined, other control characters escaped, the middle of a long one left out."""
    return shortened(escaped(" ".join(text[: 100 * limit].split())), limit)


class SplitshareError(Exception):
    """An error that is told to the user in one line, without a traceback."""

    exit_code = 1


class InputError(SplitshareError):
    """Something that a person wrote is wrong; names the file, the field and the mend.

    However long, or whatever, a file's values are: as text the error is one line of at most ``SOURCE_CHARACTERS +
    MESSAGE_CHARACTERS + 4`` printable characters.

    Args:
        source: file (or option) that holds the mistake.
        field: path of the field inside it, such as ``devices[1].memory_bytes``; empty for the whole file.
        problem: what is wrong, and what would be right.
    """

    exit_code = 2

    def __init__(self, source: Path | str, field: str, problem: str) -> None:
        self.source = str(source)
        self.field = field
        self.problem = problem
        place = shortened(escaped(field[:10_000]), _FIELD_CHARACTERS, head=1 / 2)
        where = shortened(escaped(self.source), SOURCE_CHARACTERS, head=0)
        if place:
            where = f"{where}: {place}"
        super().__init__(f"{where}: {one_line(problem, MESSAGE_CHARACTERS - len(place))}")

    def __reduce__(self) -> tuple[type[InputError], tuple[str, str, str]]:
        """Pickle by what made it: the error crosses process boundaries."""
        return InputError, (self.source, self.field, self.problem)


class WorkError(SplitshareError):
    """The input was right and the work failed all the same (a solver's answer that does not hold, a full disk)."""
