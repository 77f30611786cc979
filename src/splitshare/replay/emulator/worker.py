"""The process of a worker, as ``splitshare worker`` starts it."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from splitshare.places import DATA
from splitshare.replay.emulator.clock import Timer
from splitshare.replay.emulator.compute import Compute, ComputeKind, RecordedCompute
from splitshare.replay.emulator.credentials import Credentials, ServerSecurity, check_listening
from splitshare.replay.emulator.service import WorkerService, running


@dataclass(frozen=True)
class WorkerOptions:
    """What a worker is started with."""

    device: str
    listen: Sequence[str]
    compute: ComputeKind = "recorded"
    memory_bytes: float | None = None
    max_live: int = 1000
    max_batch: int | None = None
    catalog_root: Path = DATA
    threads: int = 1
    torch_device: str = "cpu"
    """Where real modules compute."""
    security: ServerSecurity = field(default_factory=ServerSecurity)
    credentials: Credentials = field(default_factory=Credentials)


def run_worker(options: WorkerOptions, echo: Callable[[dict[str, Any]], None]) -> None:
    """Serve until interrupted; ``echo`` gets the ports as soon as the worker is ready.

    Raises:
        InputError: it would be reached from other machines without TLS and a token, or has no such torch device.
        OSError: an address cannot be listened on.
    """
    check_listening(options.listen, options.security)
    asyncio.run(_run(options, echo))


async def _run(options: WorkerOptions, echo: Callable[[dict[str, Any]], None]) -> None:
    timer = Timer()
    service = WorkerService(
        options.device,
        compute=_compute(options, timer),
        timer=timer,
        memory_bytes=options.memory_bytes,
        max_live=options.max_live,
        max_batch=options.max_batch,
        security=options.security,
        credentials=options.credentials,
    )
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    async with running(service, list(options.listen), options.security) as (ports, engine):
        echo({"device": options.device, "ports": ports})
        stopping = asyncio.create_task(stopped.wait())
        await asyncio.wait({stopping, engine}, return_when=asyncio.FIRST_COMPLETED)
        if engine.done():
            engine.result()  # an engine that ends has failed: say so
    timer.close()


def _compute(options: WorkerOptions, timer: Timer) -> Compute:
    if options.compute == "recorded":
        return RecordedCompute(options.device, timer)
    from splitshare.modules.torch_device import torch_device
    from splitshare.replay.emulator.torch_compute import RealCompute

    return RealCompute(
        options.device,
        options.catalog_root,
        timer,
        threads=options.threads,
        torch_device=torch_device(options.torch_device),
    )
