"""Callbacks at exact times on an event loop: asyncio rounds its own up to whole milliseconds."""

from __future__ import annotations

import asyncio
import ctypes
import heapq
import itertools
import os
import time
from collections.abc import Callable

_CLOCK_MONOTONIC, _ABSOLUTE = 1, 1
_FLAGS = os.O_NONBLOCK | os.O_CLOEXEC
LONG_S, EARLY_S = 0.002, 0.0003
"""A processor that has slept long wakes late (0.28 ms where this was measured, 0.04 ms after a millisecond): a sleep
longer than the first is left by the second before its end, and the rest is slept apart (then 0.07 ms)."""


class _TimerSpec(ctypes.Structure):
    """``struct itimerspec``: interval, then value, each in seconds and nanoseconds."""

    _fields_ = [(name, ctypes.c_long) for name in ("interval_s", "interval_ns", "value_s", "value_ns")]


class Timer:
    """One Linux ``timerfd`` for any number of callbacks; times are of ``time.monotonic``.

    Raises:
        OSError: the kernel gives no timer.
    """

    def __init__(self) -> None:
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._fd = int(self._libc.timerfd_create(_CLOCK_MONOTONIC, _FLAGS))
        if self._fd < 0:
            raise OSError(ctypes.get_errno(), "timerfd_create failed")
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._fd, self._fire)
        self._due: list[tuple[float, int, Callable[[], None]]] = []
        self._number = itertools.count()  # callbacks of one time go in the order in which they were asked for

    def at(self, time_s: float, callback: Callable[[], None]) -> None:
        """Call ``callback`` at ``time_s``, or as soon as possible if that is past."""
        heapq.heappush(self._due, (time_s, next(self._number), callback))
        if self._due[0][0] == time_s:
            self._arm()

    async def sleep_until(self, time_s: float) -> None:
        """Return at ``time_s``."""
        done = self._loop.create_future()
        self.at(time_s, lambda: None if done.done() else done.set_result(None))
        await done

    def close(self) -> None:
        """Give the timer back; what is still due is not called."""
        self._loop.remove_reader(self._fd)
        os.close(self._fd)

    def _arm(self) -> None:
        due_ns = 0  # disarms
        if self._due:
            due_s = self._due[0][0]
            long = due_s - time.monotonic() > LONG_S
            due_ns = max(1, round((due_s - EARLY_S if long else due_s) * 1e9))
        spec = _TimerSpec(0, 0, due_ns // 1_000_000_000, due_ns % 1_000_000_000)
        if self._libc.timerfd_settime(self._fd, _ABSOLUTE, ctypes.byref(spec), None):
            raise OSError(ctypes.get_errno(), "timerfd_settime failed")

    def _fire(self) -> None:
        try:
            os.read(self._fd, 8)
        except BlockingIOError:  # set anew since it fired
            return
        now = time.monotonic()
        while self._due and self._due[0][0] <= now:
            heapq.heappop(self._due)[2]()
        self._arm()
