"""Shaped links in user space, a process of their own: ``python -m splitshare.replay.emulator.relay SPEC``.

Each directed link is a port. What a sender writes there leaves at the link's rate, one byte after another, and
arrives its latency later; the answers of the same connection (acknowledgements, window updates) take the latency and
no rate: the configured rate is application payload. Links that share air time share one shaper. A link may change its
rate and latency over time, counted from when it is told that the replay begins. Ports are told on standard output; what
is cut and mended, and the beginning, are read from standard input, whose end ends the process.
"""

from __future__ import annotations

import asyncio
import json
import math
import sys
import time
from bisect import bisect_right
from collections.abc import Sequence
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


class RelayedChange(Record):
    """What a direction is from a time on."""

    time_s: NonNegative
    """Since the replay's beginning."""
    bytes_per_s: NonNegative
    latency_s: NonNegative


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
    changes: tuple[RelayedChange, ...] = ()
    """In order of time, the last with a rate above 0; a link with changes has its medium for itself."""


class RelaySpec(Record):
    """What one relay process carries."""

    schema_: Literal["splitshare.relays/1"]
    links: tuple[RelayedLink, ...]


class Shaper:
    """A transmitter: it sends one byte after another at its rate, which may change once the replay has begun."""

    def __init__(
        self, bytes_per_s: float | None, latency_s: float = 0.0, changes: Sequence[RelayedChange] = ()
    ) -> None:
        self._bytes_per_s = bytes_per_s
        self._free_s = 0.0
        self._from_s = [-math.inf]
        self._rates = [bytes_per_s or math.inf]
        self._latencies = [latency_s]
        self._changes = changes

    def begin(self, began_s: float) -> None:
        """Take the changes as counted from ``began_s``, in this machine's monotonic clock."""
        self._from_s[1:] = [began_s + change.time_s for change in self._changes]
        self._rates[1:] = [change.bytes_per_s for change in self._changes]
        self._latencies[1:] = [change.latency_s for change in self._changes]

    def latency_at(self, time_s: float) -> float:
        """Seconds that what leaves then is under way."""
        return self._latencies[bisect_right(self._from_s, time_s) - 1]

    @property
    def slice_bytes(self) -> int:
        """How many bytes are sent on at a time."""
        least, most = SLICE_BYTES
        return most if self._bytes_per_s is None else round(min(most, max(least, self._bytes_per_s * SLICE_S)))

    def leaves_s(self, now_s: float, size: int) -> float:
        """When the last of ``size`` bytes that are given at ``now_s`` has left."""
        if self._bytes_per_s is None:
            return now_s
        self._free_s = self._gone_s(max(self._free_s, now_s), size)
        return self._free_s

    def _gone_s(self, begin_s: float, size: float) -> float:
        """When ``size`` bytes that begin to leave at ``begin_s`` have left, change by change."""
        at = bisect_right(self._from_s, begin_s) - 1
        while at + 1 < len(self._from_s):
            carried = self._rates[at] * (self._from_s[at + 1] - begin_s)
            if size <= carried and self._rates[at] > 0:
                break
            size -= carried
            at += 1
            begin_s = self._from_s[at]
        return begin_s + size / self._rates[at]


class _Direction(asyncio.Protocol):
    """Bytes of one connection in one direction."""

    def __init__(self, timer: Timer, shaper: Shaper, path: Shaper) -> None:
        self._timer, self._shaper = timer, shaper
        self._path = path
        """Whose latency its bytes have."""
        self._arrived_s = 0.0
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
            # Bytes of a connection never overtake each other, also where its latency falls.
            self._arrived_s = max(self._arrived_s, left_s + self._path.latency_at(left_s))
            self._timer.at(self._arrived_s, partial(self._deliver, part))
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

        left_s = self._shaper.leaves_s(time.monotonic(), 0)
        self._timer.at(max(self._arrived_s, left_s + self._path.latency_at(left_s)), close)

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
        self._path = Shaper(None, link.latency_s, link.changes)
        self._open: set[asyncio.Transport] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self.cut = False

    async def listen(self) -> int:
        """Take connections; returns the port."""
        loop = asyncio.get_running_loop()
        server = await loop.create_server(self._accepted, self._link.listen_host, self._link.listen_port)
        port: int = server.sockets[0].getsockname()[1]
        return port

    def begin(self, began_s: float) -> None:
        """The replay begins: changes are counted from here."""
        self._shaper.begin(began_s)
        self._path.begin(began_s)

    def set_cut(self, cut: bool) -> None:
        """Break all connections and refuse new ones, or take them again."""
        self.cut = cut
        if cut:
            for transport in self._open:
                transport.abort()
            self._open.clear()

    def _accepted(self) -> asyncio.Protocol:
        forward = _Direction(self._timer, self._shaper, self._path)

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
        back = _Direction(self._timer, Shaper(None), self._path)
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
        shaper = shapers.setdefault(link.medium, Shaper(link.bytes_per_s, changes=link.changes))
        relays[link.name] = Relay(link, timer, shaper)
    say({"ports": {name: await relay.listen() for name, relay in relays.items()}})
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        command = json.loads(line)
        for name in command["links"]:
            if "began_s" in command:
                relays[name].begin(command["began_s"])
            else:
                relays[name].set_cut(command["cut"])
        say({"done": True})


def main(path: Path) -> None:
    """Carry the links of a spec until standard input ends."""
    asyncio.run(_serve(RelaySpec.read(path)))


if __name__ == "__main__":
    end_with_parent()
    main(Path(sys.argv[1]))
