"""Shaped links in user space, a process of their own: ``python -m splitshare.replay.emulator.relay SPEC``.

Each directed link is a port. What a sender writes there leaves at the link's rate, one byte after another, and
arrives its latency later; the answers of the same connection (acknowledgements, window updates) take the latency and
no rate: the configured rate is application payload. Links that share air time share one shaper. Ports are told on
standard output, ``cut`` and ``restore`` are read from standard input, whose end ends the process.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from functools import partial
from pathlib import Path
from typing import Literal

from splitshare.records import NonNegative, Positive, Record
from splitshare.replay.emulator.clock import Timer
from splitshare.replay.emulator.processes import say
from splitshare.stopping import end_with_parent

BACKLOG_S = 0.25
"""Seconds of a link's work that are taken in; then the sender is held up, as by a full transmit queue."""
SLICE_S = 0.001
"""Seconds of a link's work that arrive at a time: a receiver sees bytes come, not whole messages."""
SLICE_BYTES = (1_500, 65_536)
"""Least and most bytes that arrive at a time."""


class RelayedLink(Record):
    """One direction of a link."""

    name: str
    host: str
    port: int
    """Where it ends."""
    listen_host: str = "127.0.0.1"
    listen_port: int = 0
    bytes_per_s: Positive | None
    """``None``: not shaped here."""
    latency_s: NonNegative
    medium: str
    """Links of one medium send one after another."""


class RelaySpec(Record):
    """What one relay process carries."""

    schema_: Literal["splitshare.relays/1"]
    links: tuple[RelayedLink, ...]


class Shaper:
    """A transmitter: it sends one byte after another at its rate."""

    def __init__(self, bytes_per_s: float | None) -> None:
        self._bytes_per_s = bytes_per_s
        self._free_s = 0.0

    @property
    def slice_bytes(self) -> int:
        """How many bytes are sent on at a time."""
        least, most = SLICE_BYTES
        return most if self._bytes_per_s is None else round(min(most, max(least, self._bytes_per_s * SLICE_S)))

    def leaves_s(self, now_s: float, size: int) -> float:
        """When the last of ``size`` bytes that are given at ``now_s`` has left."""
        if self._bytes_per_s is None:
            return now_s
        self._free_s = max(self._free_s, now_s) + size / self._bytes_per_s
        return self._free_s


class _Direction(asyncio.Protocol):
    """Bytes of one connection in one direction."""

    def __init__(self, timer: Timer, shaper: Shaper, latency_s: float) -> None:
        self._timer, self._shaper, self._latency_s = timer, shaper, latency_s
        self.reading: asyncio.Transport | None = None
        self.writing: asyncio.Transport | None = None
        self.other: _Direction | None = None
        """The answers of the connection."""
        self._early: list[memoryview] = []
        self._held: set[str] = set()

    def data_received(self, data: bytes) -> None:
        now_s = left_s = time.monotonic()
        view, step = memoryview(data), self._shaper.slice_bytes
        for start in range(0, len(data), step):
            part = view[start : start + step]
            left_s = self._shaper.leaves_s(now_s, len(part))
            self._timer.at(left_s + self._latency_s, partial(self._deliver, part))
        if left_s - now_s > BACKLOG_S:
            self.hold("backlog")
            self._timer.at(left_s - BACKLOG_S / 2, partial(self.release, "backlog"))

    def pause_writing(self) -> None:
        """What the other direction writes here is not taken: hold its sender up."""
        if self.other is not None:
            self.other.hold("receiver")

    def resume_writing(self) -> None:
        """It is taken again."""
        if self.other is not None:
            self.other.release("receiver")

    def connection_lost(self, exc: Exception | None) -> None:
        def close() -> None:
            if self.writing is not None:
                self.writing.close()

        self._timer.at(self._shaper.leaves_s(time.monotonic(), 0) + self._latency_s, close)

    def opened(self, writing: asyncio.Transport) -> None:
        """The other side is there."""
        self.writing = writing
        for data in self._early:
            writing.write(data)
        self._early.clear()

    def _deliver(self, data: memoryview) -> None:
        if self.writing is None:
            self._early.append(data)
        elif not self.writing.is_closing():
            self.writing.write(data)

    def hold(self, reason: str) -> None:
        """Take nothing more in."""
        self._held.add(reason)
        if self.reading is not None and self.reading.is_reading():
            self.reading.pause_reading()

    def release(self, reason: str) -> None:
        """Take more in, unless there is another reason not to."""
        self._held.discard(reason)
        if not self._held and self.reading is not None and not self.reading.is_closing():
            self.reading.resume_reading()


class Relay:
    """One directed link."""

    def __init__(self, link: RelayedLink, timer: Timer, shaper: Shaper) -> None:
        self._link, self._timer, self._shaper = link, timer, shaper
        self._open: set[asyncio.Transport] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self.cut = False

    async def listen(self) -> int:
        """Take connections; returns the port."""
        loop = asyncio.get_running_loop()
        server = await loop.create_server(self._accepted, self._link.listen_host, self._link.listen_port)
        port: int = server.sockets[0].getsockname()[1]
        return port

    def set_cut(self, cut: bool) -> None:
        """Break all connections and refuse new ones, or take them again."""
        self.cut = cut
        if cut:
            for transport in self._open:
                transport.abort()
            self._open.clear()

    def _accepted(self) -> asyncio.Protocol:
        forward = _Direction(self._timer, self._shaper, self._link.latency_s)

        def made(transport: asyncio.Transport) -> None:
            if self.cut:
                transport.abort()
                return
            task = asyncio.get_running_loop().create_task(self._connect(forward, transport))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

        forward.connection_made = made  # type: ignore[method-assign,assignment]
        return forward

    async def _connect(self, forward: _Direction, sender: asyncio.Transport) -> None:
        forward.reading = sender
        back = _Direction(self._timer, Shaper(None), self._link.latency_s)
        back.opened(sender)
        back.other, forward.other = forward, back
        try:
            receiver, _ = await asyncio.get_running_loop().create_connection(
                lambda: back, self._link.host, self._link.port
            )
        except OSError:
            sender.abort()
            return
        back.reading = receiver
        self._open = {t for t in self._open if not t.is_closing()} | {sender, receiver}
        forward.opened(receiver)


async def _serve(spec: RelaySpec) -> None:
    timer = Timer()
    shapers: dict[str, Shaper] = {}
    relays = {}
    for link in spec.links:
        shaper = shapers.setdefault(link.medium, Shaper(link.bytes_per_s))
        relays[link.name] = Relay(link, timer, shaper)
    say({"ports": {name: await relay.listen() for name, relay in relays.items()}})
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        command = json.loads(line)
        for name in command["links"]:
            relays[name].set_cut(command["cut"])
        say({"done": True})


def main(path: Path) -> None:
    """Carry the links of a spec until standard input ends."""
    asyncio.run(_serve(RelaySpec.read(path)))


if __name__ == "__main__":
    end_with_parent()
    main(Path(sys.argv[1]))
