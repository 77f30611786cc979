"""Shaped relays against closed forms, over real sockets."""

import asyncio
import time

import pytest

from splitshare.replay.emulator.clock import Timer
from splitshare.replay.emulator.relay import BACKLOG_S, Relay, RelayedLink, Shaper

pytestmark = pytest.mark.alone

BYTES = 400_000


def link(port, **fixed):
    fields = {"name": "a->b", "host": "127.0.0.1", "port": port, "bytes_per_s": 2e6, "latency_s": 0.02, "medium": "m"}
    return RelayedLink(**fields | fixed)


def test_a_shaper_sends_one_byte_after_another():
    shaper = Shaper(1000.0)
    assert shaper.leaves_s(5.0, 100) == pytest.approx(5.1)
    assert shaper.leaves_s(5.0, 100) == pytest.approx(5.2)  # it waits for the first
    assert shaper.leaves_s(9.0, 0) == pytest.approx(9.0)
    assert Shaper(None).leaves_s(5.0, 10**9) == 5.0


@pytest.mark.parametrize(("bytes_per_s", "size"), [(1e3, 1_500), (1e7, 10_000), (1e9, 65_536), (None, 65_536)])
def test_a_slice_is_a_millisecond_within_bounds(bytes_per_s, size):
    assert Shaper(bytes_per_s).slice_bytes == size


def test_bytes_come_whole_in_time_and_one_by_one():
    async def run():
        timer, arrived = Timer(), list[tuple[float, int]]()
        data = bytes(range(250)) * (BYTES // 250)
        got = bytearray()

        async def receive(reader, writer):
            while part := await reader.read(65_536):
                got.extend(part)
                arrived.append((time.monotonic(), len(got)))
            writer.close()

        server = await asyncio.start_server(receive, "127.0.0.1", 0)
        spec = link(server.sockets[0].getsockname()[1])
        port = await Relay(spec, timer, Shaper(spec.bytes_per_s)).listen()
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        await asyncio.sleep(0.1)
        began_s = time.monotonic()
        writer.write(data)
        writer.write_eof()
        while len(got) < BYTES:
            await asyncio.sleep(0.01)
        timer.close()
        return began_s, arrived, bytes(got) == data

    began_s, arrived, same = asyncio.run(run())
    assert same
    first_s, last_s = arrived[0][0] - began_s, arrived[-1][0] - began_s
    assert 0.02 <= first_s < 0.06  # latency, not the time of the whole message
    assert 0.22 <= last_s < 0.30  # bytes / rate + latency
    half_s = next(s for s, count in arrived if count >= BYTES / 2) - began_s
    assert half_s == pytest.approx((last_s + first_s) / 2, abs=0.04)


def test_a_slow_receiver_holds_an_unshaped_sender_up():
    """Where the kernel shapes, the relay does not become an endless buffer."""

    async def run():
        timer, stop = Timer(), asyncio.Event()

        async def receive(reader, writer):
            await stop.wait()
            writer.close()

        server = await asyncio.start_server(receive, "127.0.0.1", 0, limit=1)
        spec = link(server.sockets[0].getsockname()[1], bytes_per_s=None, latency_s=0.0)
        port = await Relay(spec, timer, Shaper(None)).listen()
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        sent, deadline_s = 0, time.monotonic() + 1.0
        while time.monotonic() < deadline_s:
            writer.write(bytes(1_000_000))
            sent += 1_000_000
            try:
                await asyncio.wait_for(writer.drain(), 0.2)
            except TimeoutError:
                break
        held = time.monotonic() < deadline_s
        stop.set()
        writer.transport.abort()
        timer.close()
        return held, sent

    held, sent = asyncio.run(run())
    assert held
    assert sent < 60e6


def test_a_full_link_holds_its_sender_up():
    """No more than its backlog is taken in."""

    async def run():
        timer = Timer()

        async def receive(reader, writer):
            while await reader.read(65_536):
                pass
            writer.close()

        server = await asyncio.start_server(receive, "127.0.0.1", 0)
        spec = link(server.sockets[0].getsockname()[1], bytes_per_s=1e8)
        port = await Relay(spec, timer, Shaper(spec.bytes_per_s)).listen()
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        began_s = time.monotonic()
        for _ in range(100):
            writer.write(bytes(1_000_000))
            await writer.drain()
        took_s = time.monotonic() - began_s
        writer.transport.abort()
        timer.close()
        return took_s

    assert asyncio.run(run()) > 1.0 - BACKLOG_S - 0.2  # 100 Mbyte at 100 Mbyte/s, less what is buffered
