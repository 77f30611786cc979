"""A process of its own for code that nobody has vetted: fresh, silent, bounded, and ended with all that it started.

It is a guard against accidents, not a prison: the code runs with the user's rights.
"""

from __future__ import annotations

import multiprocessing
import os
import pickle
import resource
import signal
import struct
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from splitshare.stopping import end_with_parent

MESSAGE_BYTES = 2**28
"""Longest answer that is read from a process; whatever announces a longer one is no answer."""
MARK = "SPLITSHARE_ISOLATED"
"""Environment variable by which a process and all that it starts are found again."""


@dataclass(frozen=True)
class RunLimits:
    """What one run may take."""

    time_s: float = 10.0
    """Told to the algorithm; its process is stopped at twice this and a second."""
    memory_bytes: int = 8 * 2**30
    """Address space of the process."""

    @property
    def deadline_s(self) -> float:
        """Seconds after which a run is stopped."""
        return 2 * self.time_s + 1


SILENT, GONE = "silent", "gone"
"""What is received where nothing comes in time, or nothing can come."""


def how(said: object, waited_s: float) -> str:
    """What is told of a process that sent no answer."""
    return f"no answer in {waited_s:g} s" if said == SILENT else "its process died"


class Child:
    """A fresh interpreter: nothing of this one can be touched, nothing of it or of what it has started stays.

    Processes that it started are found by a mark in their environment, in whatever session they are (Linux).
    """

    def __init__(
        self, serve: Callable[..., None], arguments: tuple[Any, ...], limits: RunLimits, hash_seed: int = 0
    ) -> None:
        context = multiprocessing.get_context("spawn")
        self._ours, theirs = context.Pipe()
        self._process = context.Process(
            target=_quiet, args=(theirs, serve, arguments, limits.memory_bytes), daemon=True
        )
        self._mark, self._read = uuid.uuid4().hex, bytearray()
        resource_tracker.ensure_running()  # it is ours: started now, it does not bear the mark
        with _environment({"PYTHONHASHSEED": str(hash_seed), MARK: self._mark}):
            self._process.start()
        theirs.close()

    def __enter__(self) -> Child:
        return self

    def __exit__(self, *_: object) -> None:
        pid = self._process.pid
        if pid is not None:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(pid, signal.SIGKILL)  # with whatever it has started; ours is another group
        self._process.kill()
        self._process.join()
        _end_marked(self._mark)
        self._ours.close()

    def receive(self, timeout_s: float) -> object:
        """What the process sent, or ``SILENT`` or ``GONE`` (also where what it sent is no answer)."""
        until_s = time.monotonic() + timeout_s
        try:
            (size,) = _SIZE.unpack(self._bytes(_SIZE.size, until_s))
            # The child was started here and runs a file that the user named: what it could do so, it can do anyway.
            return pickle.loads(self._bytes(size, until_s)) if size <= MESSAGE_BYTES else GONE  # noqa: S301
        except TimeoutError:
            return SILENT
        except Exception:  # noqa: BLE001 - the other side may write anything, an unfinished message among it
            return GONE

    def _bytes(self, count: int, until_s: float) -> bytes:
        """The next ``count`` bytes.

        Raises:
            TimeoutError: they do not come in time.
            EOFError: the process ended, though something that it started may hold the pipe open.
        """
        while len(self._read) < count:
            left_s = until_s - time.monotonic()
            if left_s <= 0:
                raise TimeoutError
            alive = self._process.is_alive()  # asked first: what it sent before it died is still read
            if self._ours.poll(min(left_s, 0.1) if alive else 0):
                more = os.read(self._ours.fileno(), 2**16)
                if not more:
                    raise EOFError
                self._read += more
            elif not alive:
                raise EOFError
        taken = bytes(self._read[:count])
        del self._read[:count]
        return taken

    def timed(self, timeout_s: float) -> tuple[object, float]:
        """What the process sent, and the seconds that it took."""
        started = time.monotonic()
        said = self.receive(timeout_s)
        return said, time.monotonic() - started


def _quiet(connection: Connection, serve: Callable[..., None], arguments: tuple[Any, ...], memory_bytes: int) -> None:
    """The process's side: a group of its own, no output, bounded memory."""
    end_with_parent()
    os.setpgid(0, 0)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for descriptor in (1, 2):
        os.dup2(nowhere, descriptor)
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    serve(Answers(connection), *arguments)


_SIZE = struct.Struct(">Q")


class Answers:
    """Where a process answers; a copy of it that the algorithm has forked does not, and ends."""

    def __init__(self, connection: Connection) -> None:
        self._connection, self._pid = connection, os.getpid()

    def send(self, value: object) -> None:
        """Send ``value``, its length first."""
        if os.getpid() != self._pid:
            os._exit(0)
        pickled = pickle.dumps(value)
        left = memoryview(_SIZE.pack(len(pickled)) + pickled)
        while left:
            left = left[os.write(self._connection.fileno(), left) :]


@contextmanager
def _environment(values: Mapping[str, str]) -> Iterator[None]:
    """Set environment variables for the block, which starts a process."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _end_marked(mark: str) -> None:
    """Kill the processes that bear the mark, and those that they start meanwhile."""
    wanted = f"{MARK}={mark}".encode()
    alive = True
    while alive:
        alive = False
        for path in Path("/proc").glob("[0-9]*/environ"):
            with suppress(OSError):  # ended meanwhile, or another user's
                if wanted in path.read_bytes().split(b"\0"):
                    os.kill(int(path.parent.name), signal.SIGKILL)
                    alive = True
