"""The open-loop replay of a trace over workers: every request at its time, whatever became of those before it.

A request's source is told of it a little ahead and starts it on its own clock; latency counts from the scheduled time.
A worker that dies or no longer answers fails the requests that depend on it at once; where asked, the modules are
placed anew on the devices that are left.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from splitshare.errors import SplitshareError, WorkError
from splitshare.replay.emulator.client import WorkerClient
from splitshare.replay.emulator.compute import Took
from splitshare.replay.emulator.faults import Fault
from splitshare.replay.emulator.network import Testbed
from splitshare.replay.emulator.outcome import Outcome, StageTimes
from splitshare.replay.emulator.program import Program
from splitshare.replay.emulator.wire import Header
from splitshare.replay.traces import RequestTrace

LEAD_S = 0.1
"""How long before its time a request's source is told of it."""
START_S = 0.5
"""Seconds from the first words to the workers until the replay's time 0."""

Replace = Callable[[frozenset[str], int], Program | None]
"""The program of an epoch without some devices; ``None`` where no placement is feasible without them."""


@dataclass(frozen=True)
class DriverOptions:
    """How a replay is watched."""

    deadline_s: float = 60.0
    """A request that is not answered by then has failed."""
    heartbeat_s: float = 0.5
    heartbeat_timeout_s: float = 2.0
    """A worker that does not answer a health check for so long is stuck."""


@dataclass
class Recovery:
    """A device was lost; seconds since the replay began."""

    device: str
    reason: str
    broken_s: float | None
    """When it was broken on purpose; ``None``: it broke by itself."""
    detected_s: float
    replaced_s: float | None = None
    """When every worker left had the new placement."""
    recovered_s: float | None = None
    """When the first request that was issued after the loss was answered."""
    failed: int = 0
    """Requests in flight that failed with it."""


@dataclass
class Replayed:
    """What a replay has left."""

    outcome: Outcome
    programs: dict[int, Program]
    recoveries: list[Recovery] = field(default_factory=list)


class Driver:
    """One replay.

    Args:
        program: the placement at the start.
        trace: the requests.
        testbed: the workers and where their links begin.
        options: how it is watched.
        faults: what is broken, and when.
        replace: places anew after a loss; ``None``: requests that need a lost device are dropped.
        ended: called once for each request that has ended.
    """

    def __init__(
        self,
        program: Program,
        trace: RequestTrace,
        testbed: Testbed,
        *,
        options: DriverOptions,
        faults: Sequence[Fault] = (),
        replace: Replace | None = None,
        ended: Callable[[], None] = lambda: None,
    ) -> None:
        self._trace, self._testbed, self._options = trace, testbed, options
        self._faults, self._replace, self._ended = faults, replace, ended
        self._clients: dict[str, WorkerClient] = {}
        self._down: dict[str, str] = {}
        self._broken_s: dict[str, float] = {}
        self._program: Program | None = program
        self._outcome = Outcome()
        self._result = Replayed(self._outcome, {program.epoch: program})
        self._began_s = 0.0
        self._left = len(trace)
        self._finished = asyncio.Event()
        self._placing = asyncio.Lock()

    async def run(self) -> Replayed:
        """Replay the trace.

        Raises:
            WorkError: a worker cannot be reached or configured, or requests were lost.
        """
        tasks: list[asyncio.Task[Any]] = []
        try:
            for device, address in self._testbed.workers.items():
                self._clients[device] = WorkerClient(device, address, self._testbed.credentials)
                await self._clients[device].read_clock()
            assert self._program is not None
            await configure(self._clients, self._testbed.links, self._program)
            self._began_s = time.monotonic() + START_S
            if self._testbed.faults is not None:
                self._testbed.faults.begin(self._began_s)
            for client in self._clients.values():
                tasks += [asyncio.create_task(self._listen(client)), asyncio.create_task(self._watch(client))]
            tasks += [asyncio.create_task(self._break(fault)) for fault in self._faults]
            tasks.append(asyncio.create_task(self._expire()))
            issuing = asyncio.create_task(self._issue_all())
            tasks.append(issuing)
            finished = asyncio.create_task(self._finished.wait())
            tasks.append(finished)
            while not finished.done():
                done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    task.result()  # a task that failed ends the run
                tasks = [task for task in tasks if not task.done()]
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            for client in self._clients.values():
                await client.__aexit__(None, None, None)
        self._outcome.counts(len(self._trace))
        return self._result

    def _now_s(self) -> float:
        return time.monotonic() - self._began_s

    async def _issue_all(self) -> None:
        pending: set[asyncio.Task[None]] = set()
        for i, arrival_s in enumerate(self._trace.arrival_s.tolist()):
            await asyncio.sleep(arrival_s - LEAD_S - self._now_s())
            task = asyncio.create_task(self._issue(i, arrival_s))
            pending.add(task)
            task.add_done_callback(pending.discard)
        await asyncio.gather(*pending)

    async def _issue(self, i: int, arrival_s: float) -> None:
        name = self._trace.classes[self._trace.request_class[i]]
        program = self._program
        request_class = next((c for c in program.classes if c.name == name), None) if program else None
        missing = (
            sorted({d for s in request_class.steps for d in (s.begin, s.end)} & set(self._down))
            if request_class
            else []
        )
        if program is None or request_class is None or missing:
            reason = f"no placement without {', '.join(missing or sorted(self._down))}"
            self._end(i, "dropped", arrival_s, reason)
            return
        self._outcome.epoch[i] = program.epoch
        client = self._clients[request_class.source]
        due_s = self._began_s + arrival_s + client.offset_s
        header = {"r": i, "c": name, "n": program.epoch, "s": float(self._trace.size[i]), "due": due_s}
        try:
            await client.call("Issue", header, timeout_s=self._options.deadline_s)
        except WorkError as error:
            self._end(i, "failed", max(arrival_s, self._now_s()), str(error))

    async def _listen(self, client: WorkerClient) -> None:
        async for event in client.events():
            self._take(client, event)
        await self._lose(client.device, "its process has ended")

    def _take(self, client: WorkerClient, event: Header) -> None:
        request, kind = int(event["r"]), event["e"]
        shift_s = self._began_s + client.offset_s
        if kind == "stage":
            self._take_stage(client, request, event)
            if "c" in event:
                self._outcome.computed[request, int(event["p"])] = Took(*event["c"])
        elif kind == "ok":
            ended_s = float(event["t"]) - shift_s
            if self._end(request, "ok", ended_s):
                for recovery in self._result.recoveries:
                    if recovery.recovered_s is None and self._trace.arrival_s[request] >= recovery.detected_s:
                        recovery.recovered_s = ended_s
        elif self._end(request, str(kind), self._now_s(), str(event["why"])):
            self._forget(request)

    def _take_stage(self, client: WorkerClient, request: int, event: Header) -> None:
        place, times = int(event["p"]), event["t"]
        program = self._result.programs[self._outcome.epoch[request]]
        name = self._trace.classes[self._trace.request_class[request]]
        step = next(c for c in program.classes if c.name == name).steps[place]
        began = client if step.computes else self._clients[step.begin]  # who read the clock when it became ready
        ready_s = times[0] - self._began_s - began.offset_s
        start_s, finish_s = (t - self._began_s - client.offset_s for t in times[1:])
        self._outcome.stages[request, place] = StageTimes(ready_s, max(ready_s, start_s), finish_s, int(event["b"]))

    async def _watch(self, client: WorkerClient) -> None:
        while client.device not in self._down:
            await asyncio.sleep(self._options.heartbeat_s)
            if not await client.healthy(self._options.heartbeat_timeout_s):
                await self._lose(client.device, f"no health check in {self._options.heartbeat_timeout_s:g} s")

    async def _expire(self) -> None:
        for i, arrival_s in enumerate(self._trace.arrival_s.tolist()):
            await asyncio.sleep(arrival_s + self._options.deadline_s - self._now_s())
            if self._end(i, "failed", self._now_s(), f"not answered in {self._options.deadline_s:g} s"):
                self._forget(i)

    async def _break(self, fault: Fault) -> None:
        await asyncio.sleep(fault.at_s - self._now_s())
        faults = self._testbed.faults
        if fault.kind == "slow":
            await self._clients[fault.where[0]].call("Slow", {"factor": fault.factor})
        elif faults is None:
            raise WorkError(f"{fault.kind}: real devices are not broken on purpose; do it by hand")
        elif fault.kind == "kill":
            self._broken_s[fault.where[0]] = self._now_s()
            faults.kill(fault.where[0])
        elif fault.kind == "stick":
            self._broken_s[fault.where[0]] = self._now_s()
            faults.stick(fault.where[0])
        else:
            faults.cut(fault.where[0], fault.where[1], restored=fault.kind == "restore")

    async def _lose(self, device: str, reason: str) -> None:
        if device in self._down or self._finished.is_set():
            return
        reason = self._testbed.explain(device) or reason
        self._down[device] = reason
        recovery = Recovery(device, reason, self._broken_s.get(device), self._now_s())
        self._result.recoveries.append(recovery)
        for i, epoch in list(self._outcome.epoch.items()):
            steps = self._steps(epoch, i)
            if device in steps and self._end(i, "failed", self._now_s(), f"{device}: {reason}"):
                recovery.failed += 1
                self._forget(i)
        if self._replace is None:
            return
        async with self._placing:
            epoch = max(self._result.programs) + 1
            program = await asyncio.to_thread(self._replace, frozenset(self._down), epoch)
            if program is None:
                self._program = None
                return
            alive = {name: client for name, client in self._clients.items() if name not in self._down}
            try:
                await configure(alive, self._testbed.links, program)
            except SplitshareError:
                self._program = None  # another device is lost meanwhile; its own loss places anew
                return
            self._result.programs[epoch] = self._program = program
            recovery.replaced_s = self._now_s()

    def _steps(self, epoch: int, i: int) -> set[str]:
        name = self._trace.classes[self._trace.request_class[i]]
        request_class = next(c for c in self._result.programs[epoch].classes if c.name == name)
        return {device for step in request_class.steps for device in (step.begin, step.end)}

    def _end(self, i: int, status: str, time_s: float, reason: str = "") -> bool:
        first = self._outcome.end(i, status, time_s, reason)
        if first:
            self._left -= 1
            self._ended()
            if not self._left:
                self._finished.set()
        return first

    def _forget(self, request: int) -> None:
        """Tell the workers to give a request up; one that does not answer has forgotten it anyway."""
        for device in self._clients.keys() - self._down.keys():
            task = asyncio.ensure_future(self._clients[device].call("Forget", {"r": request}, timeout_s=5.0))
            task.add_done_callback(lambda done: done.cancelled() or done.exception())


async def configure(
    clients: Mapping[str, WorkerClient], links: Mapping[tuple[str, str], str], program: Program
) -> None:
    """Give all workers a program and the addresses of their peers.

    Raises:
        WorkError: a worker refuses, or does not answer.
    """
    body = program.to_json().encode()
    for device, client in clients.items():
        peers = {b: address for (a, b), address in links.items() if a == device and b in clients}
        await client.call("Configure", {"peers": peers}, body)
