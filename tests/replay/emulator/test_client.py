"""A driver refuses a worker that speaks otherwise, or is another."""

import asyncio
import time
from typing import Any

import pytest

from splitshare.errors import WorkError
from splitshare.replay.emulator.client import WorkerClient
from splitshare.replay.emulator.credentials import Credentials
from splitshare.replay.emulator.wire import VERSION


async def clock_of(described: dict[str, Any]) -> float:
    async with WorkerClient("a", "127.0.0.1:1", Credentials()) as client:

        async def call(*_: Any, **__: Any) -> dict[str, Any]:
            return described | {"now": time.monotonic() + 100.0}

        client.call = call  # type: ignore[method-assign]
        await client.read_clock()
        return client.offset_s


@pytest.mark.parametrize("spoken", [{}, {"wire": VERSION + 1}, {"wire": 0}])
def test_another_version_of_the_wire_format_is_refused_in_one_line(spoken):
    with pytest.raises(WorkError, match=r"speaks version .* of the wire format, the driver .*; install the same"):
        asyncio.run(clock_of({"device": "a", "boot": "elsewhere"} | spoken))


def test_another_device_is_refused():
    with pytest.raises(WorkError, match="is 'b', not 'a'"):
        asyncio.run(clock_of({"wire": VERSION, "device": "b", "boot": "elsewhere"}))


def test_the_clock_of_another_machine_is_read():
    assert asyncio.run(clock_of({"wire": VERSION, "device": "a", "boot": "elsewhere"})) == pytest.approx(100.0, abs=0.5)
