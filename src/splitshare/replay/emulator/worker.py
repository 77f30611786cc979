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
    """Modules that need more are refused, and on a GPU those that need more than is free there as the worker starts."""
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
    found = _torch_device(options)
    service = WorkerService(
        options.device,
        compute=_compute(options, timer, found),
        timer=timer,
        memory_bytes=memory_limit_bytes(options.memory_bytes, found),
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


def memory_limit_bytes(asked: float | None, torch_device: str) -> float | None:
    """Bytes that modules may need: what was asked for, and on a GPU no more than is free there; ``None``: no limit.

    Args:
        asked: the worker's option.
        torch_device: a device that is there.
    """
    if not torch_device.startswith("cuda"):
        return asked
    import torch

    free = float(torch.cuda.mem_get_info(torch_device)[0])
    return free if asked is None else min(asked, free)


def _torch_device(options: WorkerOptions) -> str:
    """Where real modules compute, once it is known to be there; without torch on a CPU."""
    if options.compute == "recorded" or options.torch_device == "cpu":
        return "cpu"
    from splitshare.modules.torch_device import torch_device

    return str(torch_device(options.torch_device))


def _compute(options: WorkerOptions, timer: Timer, found: str) -> Compute:
    if options.compute == "recorded":
        return RecordedCompute(options.device, timer)
    import torch

    from splitshare.replay.emulator.torch_compute import RealCompute

    return RealCompute(
        options.device,
        options.catalog_root,
        timer,
        threads=options.threads,
        torch_device=torch.device(found),
    )
