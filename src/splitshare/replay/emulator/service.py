"""The gRPC service of a worker: methods in, an engine and outgoing links behind; no generated code."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any, TypeAlias

import grpc
from grpc_health.v1 import health_pb2_grpc
from grpc_health.v1.health import aio as health_aio

from splitshare.errors import SplitshareError
from splitshare.files import parse_json
from splitshare.replay.emulator.clock import Timer
from splitshare.replay.emulator.compute import Compute
from splitshare.replay.emulator.credentials import OPTIONS, Credentials, ServerSecurity
from splitshare.replay.emulator.engine import Engine, Event
from splitshare.replay.emulator.program import Program
from splitshare.replay.emulator.sender import LinkSender
from splitshare.replay.emulator.wire import (
    SERVICE,
    TRANSFER_BYTES,
    VERSION,
    Header,
    WireError,
    announced_bytes,
    field,
    pack,
    unpack,
)

KEPT_EVENTS = 100_000
"""Events that are kept for a driver that does not fetch them; older ones go."""
STREAMS = 256
"""Calls that are served at a time."""
_BOOT = Path("/proc/sys/kernel/random/boot_id")

Context: TypeAlias = grpc.aio.ServicerContext
_Unary = Callable[[Header, bytes], Awaitable[Header]]


class WorkerService:
    """A device behind gRPC.

    Args:
        device: its name in the instance.
        compute: its processor.
        timer: the event loop's precise timer.
        memory_bytes: of the device; ``None``: no limit.
        max_live: requests in work at a time.
        max_batch: requests' stages in a batch; ``None``: as many as are asked for.
        security: who may call.
        credentials: what its outgoing links show to other workers.
    """

    def __init__(
        self,
        device: str,
        *,
        compute: Compute,
        timer: Timer,
        memory_bytes: float | None,
        max_live: int,
        max_batch: int | None = None,
        security: ServerSecurity,
        credentials: Credentials,
    ) -> None:
        self._device, self._security, self._credentials = device, security, credentials
        self._events: deque[Event] = deque(maxlen=KEPT_EVENTS)
        self._news = asyncio.Event()
        self._senders: dict[str, tuple[str, LinkSender]] = {}
        self._engine = Engine(
            device,
            memory_bytes=memory_bytes,
            max_live=max_live,
            max_batch=max_batch,
            compute=compute,
            timer=timer,
            report=self._report,
            send=self._send,
        )

    def add_to(self, server: grpc.aio.Server) -> None:
        """Register the methods and the standard health service."""
        unary: dict[str, _Unary] = {
            "Configure": self._configure,
            "Issue": self._issue,
            "Forget": self._forget,
            "Probe": self._probe,
            "Slow": self._slow,
            "Describe": self._describe,
        }
        handlers = {name: grpc.unary_unary_rpc_method_handler(self._guarded(method)) for name, method in unary.items()}
        handlers["Events"] = grpc.unary_stream_rpc_method_handler(self._stream_events)
        handlers["Transfer"] = grpc.stream_stream_rpc_method_handler(self._transfer)
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, handlers),))
        health_pb2_grpc.add_HealthServicer_to_server(health_aio.HealthServicer(), server)

    async def work(self) -> None:
        """Run the engine for ever."""
        await self._engine.work()

    async def close(self) -> None:
        """Close the outgoing links."""
        for _, sender in self._senders.values():
            await sender.close()

    async def _admit(self, context: Context) -> None:
        if not self._security.admits(context.invocation_metadata()):
            await context.abort(grpc.StatusCode.UNAUTHENTICATED, "no token, or the wrong one")

    def _guarded(self, method: _Unary) -> Callable[[bytes, Context], Awaitable[bytes]]:
        async def call(message: bytes, context: Context) -> bytes:
            await self._admit(context)
            try:
                return pack(await method(*unpack(message)))
            except (WireError, SplitshareError, ConnectionError) as error:
                await context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(error)[:1000])
                raise AssertionError("abort raises") from error

        return call

    async def _configure(self, header: Header, body: bytes) -> Header:
        peers = field(header, "peers", dict)
        program = Program.parse(parse_json(body.decode("utf-8", errors="replace"), "program"), "program")
        await self._engine.configure(program)
        for peer, address in peers.items():
            if not isinstance(address, str):
                raise WireError("an address is text")
            if peer in self._senders:
                if self._senders[peer][0] == address:
                    continue
                await self._senders.pop(peer)[1].close()
            sender = LinkSender(f"{self._device}->{peer}", address, self._credentials, self._engine.lost)
            self._senders[peer] = (address, sender)
        return {}

    async def _issue(self, header: Header, _: bytes) -> Header:
        self._engine.issue(
            field(header, "r", int),
            field(header, "c", str),
            field(header, "n", int),
            float(field(header, "s", (int, float))),
            float(field(header, "due", (int, float))),
        )
        return {}

    async def _forget(self, header: Header, _: bytes) -> Header:
        self._engine.forget(field(header, "r", int))
        return {}

    async def _slow(self, header: Header, _: bytes) -> Header:
        self._engine.slowness = float(field(header, "factor", (int, float)))
        return {}

    async def _describe(self, _: Header, __: bytes) -> Header:
        boot = _BOOT.read_text().strip() if _BOOT.is_file() else ""
        return {
            "wire": VERSION,
            "device": self._device,
            "now": time.monotonic(),
            "boot": boot,
            "live": self._engine.live,
        }

    async def _probe(self, header: Header, _: bytes) -> Header:
        """Measure an outgoing link: one transfer of so many bytes, seconds of this machine and of the peer's."""
        peer, size = field(header, "peer", str), field(header, "bytes", int)
        if peer not in self._senders:
            raise WireError(f"no link to {peer!r}")
        if not 0 <= size <= TRANSFER_BYTES:
            raise WireError(f"at most {TRANSFER_BYTES} bytes are sent")
        sent_s, reached_s = await self._senders[peer][1].probe(size)
        return {
            "round_trip_s": reached_s["back"] - sent_s,
            "receiving_s": float(reached_s["last"]) - float(reached_s["first"]),
        }

    async def _stream_events(self, message: bytes, context: Context) -> AsyncIterator[bytes]:
        await self._admit(context)
        del message
        while True:
            while self._events:
                yield pack(self._events.popleft())
            self._news.clear()
            await self._news.wait()

    async def _transfer(self, messages: AsyncIterator[bytes], context: Context) -> AsyncIterator[bytes]:
        await self._admit(context)
        try:
            async for message in messages:
                header, rest = unpack(message)
                first_s = time.monotonic()
                size = announced_bytes(header)
                if rest:
                    raise WireError("the tensor comes in messages of its own")
                payload = bytearray()
                while len(payload) < size:
                    payload += await anext(messages)
                if len(payload) > size:
                    raise WireError("more bytes came than were announced")
                number = field(header, "q", int)
                if "probe" not in header:
                    for name, kind in (("r", int), ("p", int), ("n", int), ("c", str), ("s", (int, float))):
                        field(header, name, kind)
                    field(header, "t", (int, float))
                    self._engine.received(header, bytes(payload), first_s)
                yield pack({"q": number, "first": first_s, "last": time.monotonic()})
        except StopAsyncIteration:
            await context.abort(grpc.StatusCode.INVALID_ARGUMENT, "the stream ended within a tensor")
        except WireError as error:
            await context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(error)[:1000])

    def _report(self, event: Event) -> None:
        """Keep an event; who tells it is woken after whom it made ready, so that telling delays no work."""
        self._events.append(event)
        asyncio.get_running_loop().call_soon(self._news.set)

    def _send(self, peer: str, header: dict[str, Any], payload: bytes) -> None:
        sender = self._senders.get(peer)
        if sender is None:
            self._engine.lost(header, f"{self._device}: no link to {peer!r}")
        else:
            sender[1].send(header, payload)


async def serve(service: WorkerService, addresses: list[str], security: ServerSecurity) -> tuple[Any, list[int]]:
    """Start a server; returns it and the ports that it listens on.

    Raises:
        OSError: an address cannot be listened on.
    """
    server = grpc.aio.server(options=OPTIONS, maximum_concurrent_rpcs=STREAMS)
    service.add_to(server)
    ports = []
    for address in addresses:
        try:
            if security.certificate is None or address.startswith("unix:"):
                port = server.add_insecure_port(address)
            else:
                pair = (security.key, security.certificate)
                port = server.add_secure_port(address, grpc.ssl_server_credentials([pair]))
        except RuntimeError:
            port = 0
        if not port:
            raise OSError(98, "cannot be listened on; choose another port", address)
        ports.append(port)
    await server.start()
    return server, ports


@contextlib.asynccontextmanager
async def running(
    service: WorkerService, addresses: list[str], security: ServerSecurity
) -> AsyncIterator[tuple[list[int], asyncio.Task[None]]]:
    """A server and its engine for the length of a block; yields the ports and the engine's task."""
    server, ports = await serve(service, addresses, security)
    engine = asyncio.create_task(service.work())
    try:
        yield ports, engine
    finally:
        engine.cancel()
        await asyncio.gather(engine, return_exceptions=True)
        await service.close()
        await server.stop(grace=0.2)
