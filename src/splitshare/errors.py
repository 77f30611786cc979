"""The two ways in which a command can fail, each with its exit code."""

from __future__ import annotations

from pathlib import Path

PROBLEM_CHARACTERS, FIELD_CHARACTERS = 400, 160
"""What is quoted from a file may be long; a message is cut to this."""


def in_one_line(text: str, characters: int) -> str:
    """``text`` without line ends, other control characters escaped, cut in the middle to ``characters``."""
    line = "".join(c if c.isprintable() else repr(c)[1:-1] for c in " ".join(text.split()))
    half = (characters - 5) // 2
    return line if len(line) <= characters else f"{line[:half]} ... {line[-half:]}"


class SplitshareError(Exception):
    """An error that is told to the user in one line, without a traceback."""

    exit_code = 1


class InputError(SplitshareError):
    """Something that a person wrote is wrong; names the file, the field and the mend.

    Args:
        source: file (or option) that holds the mistake.
        field: path of the field inside it, such as ``devices[1].memory_bytes``; empty for the whole file.
        problem: what is wrong, and what would be right.
    """

    exit_code = 2

    def __init__(self, source: Path | str, field: str, problem: str) -> None:
        self.source = str(source)
        self.field = field
        self.problem = in_one_line(problem, PROBLEM_CHARACTERS)
        where = f"{self.source}: {in_one_line(field, FIELD_CHARACTERS)}" if field else self.source
        super().__init__(f"{where}: {self.problem}")

    def __reduce__(self) -> tuple[type[InputError], tuple[str, str, str]]:
        """Pickle by what made it: the error crosses process boundaries."""
        return InputError, (self.source, self.field, self.problem)


class WorkError(SplitshareError):
    """The input was right and the work failed all the same (a solver's answer that does not hold, a full disk)."""
