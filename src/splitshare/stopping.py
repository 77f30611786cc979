"""Being stopped: one line, what was begun is removed, and an end within seconds whatever the program is doing (ours).

A signal's handler runs once the interpreter has its turn. A solver may keep it for a minute: a thread of its own reads
the signal from a pipe that Python fills at once, and ends the process if that has not ended by itself.
"""

from __future__ import annotations

import atexit
import ctypes
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import NoReturn

PATIENCE_S = 3.0
"""Seconds in which the program may end by itself, and remove what it has begun."""
SIGNALS = (signal.SIGINT, signal.SIGTERM)

_PR_SET_PDEATHSIG = 1


class Stopped(SystemExit):
    """The program was asked to end: a ``SystemExit``, which event loops and command lines let pass."""

    code: int

    def __init__(self, number: int) -> None:
        super().__init__(128 + number)
        self.signal = signal.Signals(number).name

    def __str__(self) -> str:
        return f"stopped ({self.signal})"


def stop_when_asked(patience_s: float = PATIENCE_S) -> None:
    """Have Ctrl-C and a polite kill raise ``Stopped`` in the main thread; what does not end by it is ended.

    A signal that the caller has the process ignore stays ignored.
    """
    for number in SIGNALS:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _raise)
    read, write = os.pipe()
    os.set_blocking(write, False)
    signal.set_wakeup_fd(write, warn_on_full_buffer=False)
    threading.Thread(target=_end_after, args=(read, patience_s), daemon=True, name="stopping").start()


def end(stopped: Stopped) -> NoReturn:
    """End the program by its exit functions, as Python does, and say that it was stopped.

    Exit functions that take too long are cut off by the thread that ``stop_when_asked`` has started. Libraries in C++
    are not taken down: a solver whose threads still run would abort the process there, with a line of its own.
    """
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):  # a closed pipe or stream
            stream.flush()
    _leave(stopped)


def _raise(number: int, _: FrameType | None) -> NoReturn:
    for each in SIGNALS:  # once is enough: a second one must not end what removes things
        signal.signal(each, signal.SIG_IGN)
    raise Stopped(number)


def _end_after(read: int, patience_s: float) -> None:
    while (number := os.read(read, 1)[0]) not in SIGNALS:
        pass
    time.sleep(patience_s)
    end_children(0.0)
    _leave(Stopped(number))


def _leave(stopped: Stopped) -> NoReturn:
    """Say the one line and end the process at once."""
    with suppress(OSError):  # nobody reads it any more
        os.write(2, f"{stopped}\n".encode())
    os._exit(stopped.code)


def end_children(patience_s: float) -> None:
    """End every process that this one has started, and those that they have: politely, then for good."""
    import psutil

    children = psutil.Process().children(recursive=True)
    for child in children:
        with suppress(psutil.NoSuchProcess):
            child.terminate()
    for child in psutil.wait_procs(children, timeout=patience_s)[1]:
        with suppress(psutil.NoSuchProcess):
            child.kill()


def end_with_parent() -> None:
    """Have the kernel kill this process when its parent dies, even if it is stopped then (Linux)."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


@contextmanager
def first_interrupt() -> Iterator[Callable[[], bool]]:
    """Yields whether Ctrl-C has been pressed: for work that has an answer at any time. A second one ends the program.

    In a thread that is not the main one, and where the signal is ignored, nothing changes.
    """
    before = signal.getsignal(signal.SIGINT) if threading.current_thread() is threading.main_thread() else None
    if before is None or before is signal.SIG_IGN:
        yield lambda: False
        return
    pressed = False
    pipe = signal.set_wakeup_fd(-1)  # else the thread of ``stop_when_asked`` would end the process

    def restore() -> None:
        signal.signal(signal.SIGINT, before)
        if pipe >= 0:
            signal.set_wakeup_fd(pipe, warn_on_full_buffer=False)

    def note(number: int, frame: FrameType | None) -> None:
        nonlocal pressed
        pressed = True
        restore()

    signal.signal(signal.SIGINT, note)
    try:
        yield lambda: pressed
    finally:
        restore()
