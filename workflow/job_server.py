"""Run the workflow's jobs as forks of one process that has imported the libraries: most of a small job is its imports.

Snakemake starts it with the run (``start_job_server`` in ``rules/common.smk``), with the address of a socket to be made
in a folder that is its own, and holds the other end of its standard input. A job's ``splitshare`` is ``job_client.py``,
which hands over words, environment, directory and open files; the fork has them as if the shell had started it. A job
whose client dies is asked to end; when Snakemake ends, running jobs go on to their ends, as other jobs do.

A job is a process of its own, as without this: it shares nothing with others but what was imported before the fork.
What starts threads when it is imported or first used (torch, gRPC, Gurobi) is not imported here.
"""

from __future__ import annotations

import atexit
import fcntl
import gc
import importlib
import json
import os
import selectors
import signal
import socket
import sys
import types
import warnings
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from job_client import BEGUN, CODE, FILES, LENGTH

sys.path.pop(0)  # this folder: jobs find no modules here

PRELOADED = (
    "fontTools.subset",
    "matplotlib.backends.backend_agg",
    "matplotlib.backends.backend_pdf",
    "pandas",
    "numba",
    "scipy.stats",
    "splitshare.cli",
    "splitshare.stages.collect",
    "splitshare.stages.figures",
    "splitshare.stages.simulate",
    "splitshare.stages.solve",
)
"""What most jobs import, and takes longest; one that is not installed is left to the job that wants it."""


class Job(NamedTuple):
    """What a client hands over."""

    arguments: list[str]
    environment: dict[str, str]
    directory: str
    files: list[int]
    numbers: list[int]
    """The number that each of the files has in the client."""


class Server:
    """The one process: it waits for clients, for its forks and for the run's end, and does nothing else."""

    def __init__(self, address: str) -> None:
        self._address = Path(address)
        self._listener = socket.socket(socket.AF_UNIX)
        try:
            self._listener.bind(address)
        except OSError as error:  # a temporary folder with a very long name
            sys.exit(f"every job starts by itself, which takes longer: {address}: {error}")
        self._listener.listen(128)
        atexit.register(self._remove)
        self._prepared_in: str | None = None
        self._events = selectors.DefaultSelector()
        self._running: dict[int, tuple[int, socket.socket]] = {}
        """By a job's process: the descriptor that tells of its end, and its client."""

    def serve(self) -> None:
        """Fork for every client until standard input ends; returns in each fork, which is the job by then.

        The server itself exits.
        """
        self._events.register(self._listener, selectors.EVENT_READ)
        self._events.register(sys.stdin, selectors.EVENT_READ)
        while self._events.get_map():
            key, _ = self._events.select()[0]  # one at a time: what it does may do away with others
            if key.fileobj is sys.stdin:
                self._close()
            elif key.fileobj is self._listener:
                if self._accept():
                    return
            elif isinstance(key.fileobj, int):
                self._tell(key.data)
            else:  # a client says nothing more: it has died
                self._events.unregister(key.fileobj)
                os.kill(key.data, signal.SIGTERM)  # not waited for yet, so it is still ours
        sys.exit()

    def _close(self) -> None:
        for source in (sys.stdin, self._listener):
            self._events.unregister(source)
        self._listener.close()
        self._remove()

    def _remove(self) -> None:
        with suppress(FileNotFoundError):
            self._address.unlink()
            self._address.parent.rmdir()

    def _prepare(self, directory: str) -> None:
        """Import what jobs will, where they do; only now that there is one, for many a run has nothing to do."""
        os.chdir(directory)  # the package finds its data by the folder that it is imported in
        for name in PRELOADED:
            with suppress(ModuleNotFoundError):
                importlib.import_module(name)
        gc.collect()
        gc.freeze()  # a collection in a fork would copy every page
        self._prepared_in = directory

    def _accept(self) -> bool:
        """Fork for a client; true in the fork, which is the job by then."""
        client, _ = self._listener.accept()
        job = _received(client)
        if job is None:
            client.close()
            return False
        if self._prepared_in is None:
            self._prepare(job.directory)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # threads of a library, which end before it forks
            process = os.fork()
        if process == 0:
            atexit.unregister(self._remove)
            self._events.close()
            self._listener.close()
            client.close()
            for descriptor, other in self._running.values():
                os.close(descriptor)
                other.close()
            become(job, anew=job.directory != self._prepared_in)
            return True
        for descriptor in job.files:
            os.close(descriptor)
        with suppress(OSError):  # it may have died
            client.sendall(BEGUN)
        ended = os.pidfd_open(process)
        self._running[process] = ended, client
        self._events.register(ended, selectors.EVENT_READ, process)
        self._events.register(client, selectors.EVENT_READ, process)
        return False

    def _tell(self, process: int) -> None:
        """Tell a client how its job has ended."""
        ended, client = self._running.pop(process)
        _, status = os.waitpid(process, 0)
        with suppress(OSError):  # it may have died
            client.sendall(os.waitstatus_to_exitcode(status).to_bytes(CODE, "big", signed=True))
        with suppress(KeyError):  # then it is out already
            self._events.unregister(client)
        client.close()
        self._events.unregister(ended)
        os.close(ended)


def _received(client: socket.socket) -> Job | None:
    """What a client hands over; nothing if it dies before it has."""
    client.settimeout(10.0)
    files: list[int] = []
    try:
        start, files, _, _ = socket.recv_fds(client, LENGTH, FILES)
        more, text = start, b""
        while more and len(text) < int.from_bytes(start, "big"):
            more = client.recv(1 << 16)
            text += more
    except OSError:
        more = b""
    if not more:
        for descriptor in files:
            os.close(descriptor)
        return None
    client.settimeout(None)
    told = json.loads(text)
    return Job(told["arguments"], told["environment"], told["directory"], files, told["numbers"])


def become(job: Job, anew: bool) -> None:
    """Have this process look as if the client's shell had started it.

    Args:
        job: what the client hands over.
        anew: start the plain command, for what was imported here is not what the job would import.
    """
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    # Out of the way first: a received file may have the number that another one is to get.
    kept = [fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, 2 * FILES) for descriptor in job.files]
    for descriptor in job.files:
        os.close(descriptor)
    for descriptor, number in zip(kept, job.numbers, strict=True):
        os.dup2(descriptor, number, inheritable=True)
        os.close(descriptor)
    os.environ.clear()
    os.environ.update(job.environment)
    os.chdir(job.directory)
    sys.argv = job.arguments
    if anew:
        os.execvp(job.arguments[0], job.arguments)  # noqa: S606 - the job, in a process of its own
    # What the job spawns by multiprocessing would run this file first, as it would any program's.
    sys.modules["__main__"] = types.ModuleType("__main__")


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the jobs; this ends with the run
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    Server(sys.argv[1]).serve()
    from splitshare.cli import main

    main()
