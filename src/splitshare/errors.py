"""The two ways in which a command can fail, each with its exit code."""

from __future__ import annotations

from pathlib import Path


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
        self.problem = " ".join(problem.split())
        where = f"{self.source}: {field}" if field else self.source
        super().__init__(f"{where}: {self.problem}")

    def __reduce__(self) -> tuple[type[InputError], tuple[str, str, str]]:
        """Pickle by what made it: the error crosses process boundaries."""
        return InputError, (self.source, self.field, self.problem)


class WorkError(SplitshareError):
    """The input was right and the work failed all the same (a solver's answer that does not hold, a full disk)."""
