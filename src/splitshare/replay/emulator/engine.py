"""What a device does with requests: queue, compute, forward, report. No network in here.

One module runs at a time, in order of readiness. A stage is done where its tensor ends up; the stages after it are
counted down there, as the program says. All times are of this machine's ``time.monotonic``.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from splitshare.errors import InputError, SplitshareError
from splitshare.replay.emulator.clock import Timer
from splitshare.replay.emulator.compute import Compute
from splitshare.replay.emulator.program import ClassProgram, Program
from splitshare.replay.emulator.wire import WireError

Event = dict[str, Any]
Send = Callable[[str, dict[str, Any], bytes], None]
"""Hand a transfer (peer, header, tensor) to the outgoing link."""

FORGOTTEN = 10_000
"""How many requests that were given up are remembered, so that what still arrives of them is thrown away."""


@dataclass
class _Live:
    """A request that this device has something to do with."""

    program: ClassProgram
    epoch: int
    size: float
    missing: dict[int, int]
    """Stages to wait for, by place."""
    left: int
    """Stages that begin or end here and are not done."""
    inputs: dict[int, dict[int, bytes]] = field(default_factory=dict)


@dataclass(frozen=True)
class _Job:
    request: int
    place: int
    ready_s: float


class Engine:
    """One device.

    Args:
        device: its name in the instance.
        memory_bytes: it refuses to hold more modules than fit; ``None``: no limit.
        max_live: it refuses more requests at a time.
        compute: its processor.
        report: takes events.
        send: takes transfers to other devices.
    """

    def __init__(
        self,
        device: str,
        *,
        memory_bytes: float | None,
        max_live: int,
        compute: Compute,
        timer: Timer,
        report: Callable[[Event], None],
        send: Send,
    ) -> None:
        self.device = device
        self.slowness = 1.0
        self._memory_bytes = memory_bytes
        self._max_live = max_live
        self._compute, self._timer, self._report, self._send = compute, timer, report, send
        self._programs: dict[int, Program] = {}
        self._live: dict[int, _Live] = {}
        self._forgotten: OrderedDict[int, None] = OrderedDict()
        self._queue: asyncio.Queue[_Job] = asyncio.Queue()
        self._loading = asyncio.Lock()

    @property
    def live(self) -> int:
        """Requests in work."""
        return len(self._live)

    async def configure(self, program: Program) -> None:
        """Take a placement over; requests of the epoch before it go on.

        Raises:
            InputError: its modules need more memory than the device has.
            SplitshareError: a module cannot be loaded.
        """
        modules = program.modules.get(self.device, {})
        needed = sum(modules.values())
        if self._memory_bytes is not None and needed > self._memory_bytes:
            raise InputError(
                self.device, "modules", f"need {needed:.0f} bytes, the device has {self._memory_bytes:.0f}"
            )
        async with self._loading:
            await self._compute.load(program, modules)
        self._programs[program.epoch] = program
        for epoch in [e for e in self._programs if e < program.epoch - 1]:
            del self._programs[epoch]

    def issue(self, request: int, name: str, epoch: int, size: float, due_s: float) -> None:
        """Start a request of this source at ``due_s``; a full device drops it."""
        if len(self._live) >= self._max_live:
            self._report({"e": "dropped", "r": request, "why": f"{self.device}: {self._max_live} requests in work"})
            return
        live = self._enter(request, name, epoch, size)
        if live is not None:
            self._timer.at(due_s, lambda: self._start(request, due_s))

    def received(self, header: Mapping[str, Any], payload: bytes, first_s: float) -> None:
        """Take a transfer that has arrived; ``first_s`` is when its header came."""
        request, place = int(header["r"]), int(header["p"])
        if request in self._forgotten:
            return
        live = self._live.get(request)
        if live is None:
            if len(self._live) >= self._max_live:
                self._fail(request, f"{self.device}: {self._max_live} requests in work")
                return
            live = self._enter(request, str(header["c"]), int(header["n"]), float(header["s"]))
            if live is None:
                return
        if not 0 <= place < len(live.program.steps) or live.program.steps[place].end != self.device:
            raise WireError(f"stage {place} of {live.program.name!r} does not end on {self.device!r}")
        start_s = first_s - live.program.steps[place].delay_s
        self._done(request, place, payload, (float(header["t"]), start_s, time.monotonic()))

    def forget(self, request: int) -> None:
        """Give a request up."""
        self._live.pop(request, None)
        self._forgotten[request] = None
        while len(self._forgotten) > FORGOTTEN:
            self._forgotten.popitem(last=False)

    def lost(self, header: Mapping[str, Any], reason: str) -> None:
        """A transfer could not be delivered."""
        self._fail(int(header["r"]), reason)

    async def work(self) -> None:
        """Run modules as they become ready, for ever."""
        while True:
            job = await self._queue.get()
            live = self._live.get(job.request)
            if live is None:
                continue
            start_s = time.monotonic()
            try:
                output = await self._compute.run(
                    live.program, job.place, live.inputs.pop(job.place, {}), live.size, self.slowness
                )
            except (WireError, SplitshareError) as error:
                self._fail(job.request, f"{self.device}: {error}")
                continue
            if self._live.get(job.request) is live:  # else given up meanwhile
                times = job.ready_s, start_s, time.monotonic()
                self._done(job.request, job.place, output, times, self._compute.took)

    def _enter(self, request: int, name: str, epoch: int, size: float) -> _Live | None:
        program = self._programs.get(epoch)
        found = next((c for c in program.classes if c.name == name), None) if program else None
        if found is None:
            self._fail(request, f"{self.device}: no program for {name!r} in epoch {epoch}")
            return None
        left = sum(self.device in {step.begin, step.end} for step in found.steps)
        missing = {place: step.waits for place, step in enumerate(found.steps)}
        self._live[request] = live = _Live(found, epoch, size, missing, left)
        return live

    def _start(self, request: int, due_s: float) -> None:
        live = self._live.get(request)
        if live is None:
            return
        for place, step in enumerate(live.program.steps):
            if step.waits == 0:
                self._transfer(request, live, place, self._compute.source(live.program, place, live.size), due_s)

    def _transfer(self, request: int, live: _Live, place: int, payload: bytes, ready_s: float) -> None:
        step = live.program.steps[place]
        if step.begin == step.end:
            self._done(request, place, payload, (ready_s, ready_s, ready_s))
            return
        header = {"r": request, "c": live.program.name, "n": live.epoch, "p": place, "s": live.size, "t": ready_s}
        self._count(request, live)
        self._send(step.end, header, payload)

    def _done(
        self,
        request: int,
        place: int,
        payload: bytes,
        times: tuple[float, float, float],
        took: tuple[float, float] | None = None,
    ) -> None:
        live = self._live[request]
        self._report({"e": "stage", "r": request, "p": place, "t": times} | ({"c": took} if took else {}))
        steps = live.program.steps
        if not steps[place].after:
            self._report({"e": "ok", "r": request, "t": times[2]})
        for after in steps[place].after:
            live.missing[after] -= 1
            live.inputs.setdefault(after, {})[place] = payload
            if live.missing[after]:
                continue
            if steps[after].computes:
                self._queue.put_nowait(_Job(request, after, times[2]))
            else:
                live.inputs.pop(after)
                self._transfer(request, live, after, payload, times[2])
        self._count(request, live)

    def _count(self, request: int, live: _Live) -> None:
        live.left -= 1
        if not live.left:
            self._live.pop(request, None)

    def _fail(self, request: int, reason: str) -> None:
        self.forget(request)
        self._report({"e": "failed", "r": request, "why": reason})
