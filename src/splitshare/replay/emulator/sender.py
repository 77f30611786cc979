"""The outgoing end of a directed link: transfers one after another on a stream, each acknowledged by the peer."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import grpc

from splitshare.replay.emulator.credentials import Credentials, open_channel
from splitshare.replay.emulator.wire import CHUNK_BYTES, SERVICE, Header, WireError, pack, unpack

Lost = Callable[[Header, str], None]


@dataclass
class _Item:
    header: Header
    payload: bytes
    acknowledged: asyncio.Future[Header] | None = None
    """Of a probe only."""
    sent_s: float = field(default=0.0)


class LinkSender:
    """A link to a peer; it is opened when there is something to send, and again after it broke.

    Args:
        name: of the link, ``from->to``, for messages.
        address: ``host:port`` where the link begins.
        credentials: of this worker towards its peers.
        lost: takes each transfer that was not acknowledged when the link broke, with the reason.
    """

    def __init__(self, name: str, address: str, credentials: Credentials, lost: Lost) -> None:
        self._name, self._address, self._credentials, self._lost = name, address, credentials, lost
        self._queue: asyncio.Queue[_Item] = asyncio.Queue()
        self._waiting: OrderedDict[int, _Item] = OrderedDict()
        self._number = 0
        self._task = asyncio.create_task(self._run())

    def send(self, header: Header, payload: bytes) -> None:
        """Send a tensor after all that were given before it."""
        self._queue.put_nowait(_Item(header, payload))

    async def probe(self, size_bytes: int) -> tuple[float, Header]:
        """Send bytes that nobody uses; the time when that began, and the peer's acknowledgement.

        Raises:
            ConnectionError: the link broke.
        """
        item = _Item({"probe": True}, bytes(size_bytes), asyncio.get_running_loop().create_future())
        self._queue.put_nowait(item)
        assert item.acknowledged is not None
        acknowledgement = await item.acknowledged
        return item.sent_s, acknowledgement | {"back": time.monotonic()}

    async def close(self) -> None:
        """Stop; what was not acknowledged is not reported."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        while True:
            first = await self._queue.get()
            try:
                async with open_channel(self._address, self._credentials) as channel:
                    await self._stream(channel, first)
            except (grpc.aio.AioRpcError, grpc.aio.UsageError, asyncio.InvalidStateError, WireError) as error:
                detail = error.details() if isinstance(error, grpc.aio.AioRpcError) else str(error)
                self._break(f"link {self._name}: {detail or 'broken'}")

    async def _stream(self, channel: grpc.aio.Channel, first: _Item) -> None:
        call = channel.stream_stream(f"/{SERVICE}/Transfer")(metadata=self._credentials.metadata())
        self._waiting[self._number] = first
        acknowledgements = asyncio.create_task(self._acknowledge(call))
        item = first
        try:
            while True:
                await self._write(call, item)
                following = asyncio.create_task(self._queue.get())
                await asyncio.wait({following, acknowledgements}, return_when=asyncio.FIRST_COMPLETED)
                if acknowledgements.done():
                    if following.done():
                        self._waiting[self._number] = following.result()
                    following.cancel()
                    await acknowledgements
                    return
                item = following.result()
                self._waiting[self._number] = item
        finally:
            acknowledgements.cancel()
            call.cancel()

    async def _write(self, call: Any, item: _Item) -> None:
        header = item.header | {"q": self._number, "bytes": len(item.payload)}
        self._number += 1
        item.sent_s = time.monotonic()
        await call.write(pack(header))
        for start in range(0, len(item.payload), CHUNK_BYTES):
            await call.write(item.payload[start : start + CHUNK_BYTES])

    async def _acknowledge(self, call: Any) -> None:
        async for message in call:
            header, _ = unpack(message)
            item = self._waiting.pop(int(header["q"]), None)
            if item is not None and item.acknowledged is not None and not item.acknowledged.done():
                item.acknowledged.set_result(header)
        raise WireError("the peer ended the stream")

    def _break(self, reason: str) -> None:
        items = list(self._waiting.values())
        self._waiting.clear()
        while not self._queue.empty():
            items.append(self._queue.get_nowait())
        for item in items:
            if item.acknowledged is None:
                self._lost(item.header, reason)
            elif not item.acknowledged.done():
                item.acknowledged.set_exception(ConnectionError(reason))
