"""Removes what a run has made, also when the run is killed: ``python -m splitshare.replay.emulator.cleaner``.

A process of its own that outlives the run by a moment. It reads paths from standard input, a JSON string a line, and
removes them, the last one first, when that ends: directories of files as a whole, control groups (which hold only what
the kernel puts there) once their last process is gone.
"""

from __future__ import annotations

import contextlib
import json
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from splitshare.replay.emulator.processes import interpreter, say

PATIENCE_S = 10.0
"""How long it tries to remove a control group in which processes still end."""
CGROUP_FILE = "cgroup.procs"


class Cleaner:
    """The process, for the length of a run."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [*interpreter(), "-m", "splitshare.replay.emulator.cleaner"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        assert self._process.stdout is not None
        self._process.stdout.readline()  # from now on no signal ends it

    def remove_at_the_end(self, path: Path) -> None:
        """Have ``path`` removed at the end; to be told before it is filled."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(str(path)).encode() + b"\n")
        self._process.stdin.flush()

    def close(self) -> None:
        """Remove everything now."""
        self._process.communicate()


@contextmanager
def run_directory() -> Iterator[tuple[Path, Cleaner]]:
    """A private directory for sockets, specs and logs, and what removes it and whatever else it is told of."""
    cleaner = Cleaner()
    try:
        path = Path(tempfile.mkdtemp(prefix="splitshare-"))  # only its owner can enter it
        cleaner.remove_at_the_end(path)
        yield path, cleaner
    finally:
        cleaner.close()


def remove(path: Path) -> None:
    """Remove a directory or a control group; nothing is said of what cannot be removed."""
    deadline_s = time.monotonic() + PATIENCE_S
    while (path / CGROUP_FILE).is_file() and time.monotonic() < deadline_s:
        with contextlib.suppress(OSError):
            path.rmdir()
            return
        time.sleep(0.02)
    shutil.rmtree(path, ignore_errors=True)


def main() -> None:
    """Remove what standard input names, when it ends."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    say({"ready": True})
    paths = [Path(json.loads(line)) for line in sys.stdin]
    for path in reversed(paths):
        remove(path)


if __name__ == "__main__":
    main()
