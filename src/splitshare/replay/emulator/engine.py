"""What a device does with requests: queue, compute, forward, report. No network in here.

One module runs at a time, in order of readiness, or several requests' runs of one module as a batch: the rule is that
of ``splitshare.replay.batching``, but that real modules whose batches' seconds are not known take any size.

A stage is done where its tensor ends up; the stages after it are counted down where they begin. That is the same
device, but for one case: with sequential routing an encoder waits for one on another device, of which it takes nothing.
It is told by a signal, a transfer without a tensor over the link that joins the two: that costs the link's latency and
a message, which the evaluator and the ideal simulation do not count.

All times are of this machine's ``time.monotonic``.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from typing import Any

from splitshare.errors import InputError, SplitshareError
from splitshare.replay.emulator.clock import Timer
from splitshare.replay.emulator.compute import Compute, Run, Took
from splitshare.replay.emulator.program import ClassProgram, Program, Step
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
    live: _Live
    place: int
    ready_s: float

    @property
    def step(self) -> Step:
        return self.live.program.steps[self.place]


class Engine:
    """One device.

    Args:
        device: its name in the instance.
        memory_bytes: it refuses to hold more modules than fit; ``None``: no limit.
        max_live: it refuses more requests at a time.
        max_batch: it runs no more requests' stages as one batch, whatever a program asks for; ``None``: no limit.
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
        max_batch: int | None = None,
        compute: Compute,
        timer: Timer,
        report: Callable[[Event], None],
        send: Send,
    ) -> None:
        self.device = device
        self.slowness = 1.0
        self._memory_bytes = memory_bytes
        self._max_live = max_live
        self._most_in_batch = max_batch
        self._max_batch = 1
        self._compute, self._timer, self._report, self._send = compute, timer, report, send
        self._programs: dict[int, Program] = {}
        self._live: dict[int, _Live] = {}
        self._forgotten: OrderedDict[int, None] = OrderedDict()
        self._queue: deque[_Job] = deque()
        self._ready = asyncio.Event()
        self._loading = asyncio.Lock()

    @property
    def live(self) -> int:
        """Requests in work."""
        return len(self._live)

    async def configure(self, program: Program) -> None:
        """Take a placement over; requests of the epoch before it go on.

        Raises:
            InputError: its modules need more memory than the device has, or its batches take nobody knows how long.
            SplitshareError: a module cannot be loaded.
        """
        modules = program.modules.get(self.device, {})
        needed = sum(modules.values())
        if self._memory_bytes is not None and needed > self._memory_bytes:
            raise InputError(
                self.device, "modules", f"need {needed:.0f} bytes, the device has {self._memory_bytes:.0f}"
            )
        max_batch = min(program.max_batch, self._most_in_batch or program.max_batch)
        if max_batch > 1 and self._compute.needs_batch_s:
            for step in (step for c in program.classes for step in c.steps):
                if step.computes and step.end == self.device and not step.batches:
                    problem = f"{step.module} has no recorded seconds; give `splitshare emulate` --batch-curves"
                    raise InputError(self.device, "batches", problem)
        async with self._loading:
            await self._compute.load(program, modules)
        self._max_batch = max_batch
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
        steps = live.program.steps
        if 0 <= place < len(steps) and self.device in live.program.signalled(place) and not payload:
            self._release(request, live, place, payload, time.monotonic())
            return
        if not 0 <= place < len(steps) or steps[place].end != self.device:
            raise WireError(f"stage {place} of {live.program.name!r} does not end on {self.device!r}")
        start_s = first_s - steps[place].delay_s
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
            await self._ready.wait()
            batch = self._take()
            if batch:
                await self._run(batch)

    def _take(self) -> list[_Job]:
        """The oldest stage that is ready and those that run with it; none if nothing is ready."""
        while self._queue and not self._wanted(self._queue[0]):
            self._queue.popleft()
        if not self._queue:
            self._ready.clear()
            return []
        if self._max_batch == 1:
            return [self._queue.popleft()]
        kind = self._kind(self._queue[0])
        alike = [job for job in self._queue if self._wanted(job) and self._kind(job) == kind][: self._max_batch]
        sizes = alike[0].step.batches
        batch = alike[: max((size for size in sizes if size <= len(alike)), default=1)] if sizes else alike
        taken = {id(job) for job in batch}
        self._queue = deque(job for job in self._queue if id(job) not in taken)
        return batch

    def _wanted(self, job: _Job) -> bool:
        """Whether its request was not given up."""
        return self._live.get(job.request) is job.live

    def _kind(self, job: _Job) -> Hashable:
        """What stages of one batch have in common."""
        step = job.step
        return (
            step.module,
            job.live.size,
            tuple(step.batches.items()),
            self._compute.stacks(job.live.program, job.place),
        )

    async def _run(self, batch: list[_Job]) -> None:
        start_s = time.monotonic()
        runs = [Run(job.live.program, job.place, job.live.inputs.pop(job.place, {}), job.live.size) for job in batch]
        try:
            outputs = await self._compute.run(runs, self.slowness)
        except (WireError, SplitshareError) as error:
            for job in batch:
                self._fail(job.request, f"{self.device}: {error}")
            return
        end_s, took = time.monotonic(), self._compute.took
        share = None if took is None else took.share(len(batch))
        for job, output in zip(batch, outputs, strict=True):
            if self._wanted(job):  # else given up meanwhile
                self._done(job.request, job.place, output, (job.ready_s, start_s, end_s), len(batch), share)

    def _enter(self, request: int, name: str, epoch: int, size: float) -> _Live | None:
        program = self._programs.get(epoch)
        request_class = next((c for c in program.classes if c.name == name), None) if program else None
        if request_class is None:
            self._fail(request, f"{self.device}: no program for {name!r} in epoch {epoch}")
            return None
        left = sum(self.device in {step.begin, step.end} for step in request_class.steps)
        missing = {place: step.waits for place, step in enumerate(request_class.steps)}
        self._live[request] = live = _Live(request_class, epoch, size, missing, left)
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
        self._count(request, live)
        self._send(step.end, self._header(request, live, place, ready_s), payload)

    @staticmethod
    def _header(request: int, live: _Live, place: int, ready_s: float) -> dict[str, Any]:
        return {"r": request, "c": live.program.name, "n": live.epoch, "p": place, "s": live.size, "t": ready_s}

    def _done(
        self,
        request: int,
        place: int,
        payload: bytes,
        times: tuple[float, float, float],
        batch: int = 1,
        took: Took | None = None,
    ) -> None:
        live = self._live[request]
        self._report({"e": "stage", "r": request, "p": place, "t": times, "b": batch} | ({"c": took} if took else {}))
        if not live.program.steps[place].after:
            self._report({"e": "ok", "r": request, "t": times[2]})
        for peer in live.program.signalled(place):  # ahead of the output, which may take the same link and be long
            self._send(peer, self._header(request, live, place, times[2]), b"")
        self._release(request, live, place, payload, times[2])
        self._count(request, live)

    def _release(self, request: int, live: _Live, place: int, payload: bytes, now_s: float) -> None:
        """Count the stages that wait for ``place`` and begin here down; those that wait for nothing more are ready."""
        steps = live.program.steps
        for after in steps[place].after:
            if steps[after].begin != self.device:
                continue
            live.missing[after] -= 1
            if not (steps[place].computes and steps[after].computes):  # such a stage only waits its turn
                live.inputs.setdefault(after, {})[place] = payload
            if live.missing[after]:
                continue
            if steps[after].computes:
                self._queue.append(_Job(request, live, after, now_s))
                self._ready.set()
            else:
                live.inputs.pop(after)
                self._transfer(request, live, after, payload, now_s)

    def _count(self, request: int, live: _Live) -> None:
        live.left -= 1
        if not live.left:
            self._live.pop(request, None)

    def _fail(self, request: int, reason: str) -> None:
        self.forget(request)
        self._report({"e": "failed", "r": request, "why": reason})
