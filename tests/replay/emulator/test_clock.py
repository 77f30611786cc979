"""The precise timer: order, lateness, what is past, what is closed."""

import asyncio
import time
from pathlib import Path

import pytest

from splitshare.replay.emulator.clock import Timer

pytestmark = pytest.mark.alone

LATE_S = 0.05
"""What a busy machine may be late by; never early."""


def ticking(test):
    """Run a test with a timer that is closed after it."""

    async def run():
        timer = Timer()
        try:
            await test(timer)
        finally:
            timer.close()

    asyncio.run(run())


def test_callbacks_come_in_order_of_time_however_they_were_asked_for():
    async def test(timer):
        now_s = time.monotonic()
        called: list[tuple[str, float]] = []
        for name, after_s in [("c", 0.03), ("a", 0.01), ("past", -5.0), ("b1", 0.02), ("b2", 0.02), ("last", 0.04)]:
            timer.at(now_s + after_s, lambda name=name: called.append((name, time.monotonic())))
        assert not called  # even what is past is not called at once
        await timer.sleep_until(now_s + 0.05)
        assert [name for name, _ in called] == ["past", "a", "b1", "b2", "c", "last"]
        for name, after_s in [("a", 0.01), ("b1", 0.02), ("c", 0.03), ("last", 0.04)]:
            late_s = dict(called)[name] - (now_s + after_s)
            assert 0 <= late_s < LATE_S, name

    ticking(test)


def test_an_earlier_time_may_be_asked_for_later_and_from_a_callback():
    async def test(timer):
        now_s = time.monotonic()
        called: list[str] = []
        timer.at(now_s + 0.2, lambda: called.append("late"))
        timer.at(now_s + 0.01, lambda: timer.at(now_s + 0.02, lambda: called.append("from within")))
        await timer.sleep_until(now_s + 0.03)
        assert called == ["from within"]
        await timer.sleep_until(now_s + 0.21)
        assert called == ["from within", "late"]

    ticking(test)


def test_it_is_finer_than_a_millisecond():
    """asyncio's own timers round up to whole milliseconds; the least lateness of many shows the clock, not the load."""

    async def test(timer):
        late_s = []
        for i in range(40):
            due_s = time.monotonic() + 0.0013 + 0.00001 * i
            await timer.sleep_until(due_s)
            late_s.append(time.monotonic() - due_s)
        assert min(late_s) >= 0
        assert sorted(late_s)[5] < 0.0005

    ticking(test)


def test_a_sleep_may_be_given_up():
    async def test(timer):
        due_s = time.monotonic() + 0.01
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(timer.sleep_until(due_s), 0.001)
        await timer.sleep_until(due_s + 0.01)  # the first one's time passes without harm

    ticking(test)


def test_what_is_due_when_it_closes_is_not_called():
    called: list[str] = []

    async def test():
        descriptors = Path("/proc/self/fd")
        before = len(list(descriptors.iterdir()))
        timer = Timer()
        timer.at(time.monotonic() + 0.01, lambda: called.append("too late"))
        timer.close()
        assert len(list(descriptors.iterdir())) == before
        await asyncio.sleep(0.03)

    asyncio.run(test())
    assert not called
