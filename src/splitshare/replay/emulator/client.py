"""A driver's end of a worker: calls, events, health."""

from __future__ import annotations

import contextlib
import time
from collections.abc import AsyncIterator
from pathlib import Path
from types import TracebackType
from typing import Self

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from splitshare.errors import WorkError
from splitshare.replay.emulator.credentials import Credentials, open_channel
from splitshare.replay.emulator.wire import SERVICE, VERSION, Header, pack, unpack

CALL_S = 60.0
"""Deadline of a call that may load modules."""
CLOCK_SAMPLES = 9
_BOOT = Path("/proc/sys/kernel/random/boot_id")


class WorkerClient:
    """One worker."""

    def __init__(self, device: str, address: str, credentials: Credentials) -> None:
        self.device, self.address = device, address
        self._credentials = credentials
        self._channel = open_channel(address, credentials)
        self.offset_s = 0.0
        """Its clock minus this one."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._channel.close()

    async def call(self, method: str, header: Header, body: bytes = b"", *, timeout_s: float = CALL_S) -> Header:
        """Call a method.

        Raises:
            WorkError: it refuses, or does not answer in time.
        """
        multi = self._channel.unary_unary(f"/{SERVICE}/{method}")
        try:
            answer = await multi(pack(header, body), metadata=self._credentials.metadata(), timeout=timeout_s)
        except grpc.aio.AioRpcError as error:
            code, details = error.code().name.lower().replace("_", " "), error.details()
            raise WorkError(f"worker {self.device} at {self.address}: {method}: {code}: {details}") from None
        return unpack(bytes(answer))[0]

    async def events(self) -> AsyncIterator[Header]:
        """What it reports, until it dies."""
        call = self._channel.unary_stream(f"/{SERVICE}/Events")(b"", metadata=self._credentials.metadata())
        with contextlib.suppress(grpc.aio.AioRpcError):
            async for message in call:
                yield unpack(bytes(message))[0]

    async def healthy(self, timeout_s: float) -> bool:
        """Whether it answers the standard health check in time."""
        stub = health_pb2_grpc.HealthStub(self._channel)
        try:
            answer = await stub.Check(health_pb2.HealthCheckRequest(service=""), timeout=timeout_s)
        except grpc.aio.AioRpcError:
            return False
        return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)

    async def read_clock(self) -> None:
        """Set ``offset_s``: 0 on this machine, where the clock is the same; else by the quickest round trip."""
        best_s = float("inf")
        for _ in range(CLOCK_SAMPLES):
            before_s = time.monotonic()
            described = await self.call("Describe", {}, timeout_s=10.0)
            after_s = time.monotonic()
            spoken = described.get("wire")
            if spoken != VERSION:
                raise WorkError(
                    f"worker at {self.address}: speaks version {spoken or 'none'} of the wire format, the driver "
                    f"{VERSION}; install the same splitshare on both"
                )
            if described["device"] != self.device:
                raise WorkError(f"worker at {self.address}: is {described['device']!r}, not {self.device!r}")
            if _BOOT.is_file() and described["boot"] == _BOOT.read_text().strip():
                self.offset_s = 0.0
                return
            if after_s - before_s < best_s:
                best_s = after_s - before_s
                self.offset_s = float(described["now"]) - (before_s + after_s) / 2
