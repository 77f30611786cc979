"""Child processes that never outlive the run, however it ends."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from splitshare.errors import WorkError

START_S = 60.0
"""Seconds within which a child must be ready: five start at a time on two busy cores."""
START_EACH_S = 12.0
"""And so many for each of those that start at a time, where they are more. One that ends is noticed at once."""


def say(value: Any) -> None:
    """Answer the parent: one JSON line on standard output."""
    sys.stdout.write(json.dumps(value) + "\n")
    sys.stdout.flush()


def patience_s(count: int) -> float:
    """Seconds within which so many children that start at a time must be ready."""
    return max(START_S, START_EACH_S * count)


def interpreter() -> list[str]:
    """How this interpreter is started."""
    return [sys.executable]


class Child:
    """A Python process that tells on standard output, in one JSON line, that it is ready.

    Args:
        name: for messages.
        arguments: of the interpreter.
        log: file for its standard error.
        wrapper: command that the interpreter is started through.
    """

    def __init__(self, name: str, arguments: Sequence[str], log: Path, wrapper: Sequence[str] = ()) -> None:
        self.name, self._log = name, log
        with log.open("ab") as errors:
            self._process = subprocess.Popen(
                [*wrapper, *interpreter(), *arguments],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                env=os.environ | {"GRPC_VERBOSITY": "NONE", "OMP_NUM_THREADS": "1"},
            )

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def answer(self, timeout_s: float = START_S) -> Any:
        """Its next line.

        Raises:
            WorkError: it ended, or says nothing.
        """
        assert self._process.stdout is not None
        deadline_s = time.monotonic() + timeout_s
        line = b""
        while not line.endswith(b"\n"):
            ready, _, _ = select.select([self._process.stdout], [], [], max(0.0, deadline_s - time.monotonic()))
            more = os.read(self._process.stdout.fileno(), 65_536) if ready else b""
            if not more:
                said = self._log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
                raise WorkError(f"{self.name} did not start: {said[-1] if said else 'no answer'}")
            line += more
        return json.loads(line)

    def echo(self, value: Any, timeout_s: float = 10.0) -> Any:
        """Give it a line and wait for its answer.

        Raises:
            WorkError: it ended, or says nothing.
        """
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(value).encode() + b"\n")
        self._process.stdin.flush()
        return self.answer(timeout_s)

    def signal(self, number: signal.Signals) -> None:
        """Send a signal, if it still lives."""
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(number)

    def close(self) -> None:
        """Kill it and wait for its end."""
        self.signal(signal.SIGKILL)
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()
