"""A readable replay of queues, copies, short memory and deadlines, written from the rules, with plain lists.

At one moment arrivals come first, then stages that become ready, then resources that are done or free.
"""

import heapq
import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from splitshare.placement.instance import PlacementInstance, Request
from splitshare.placement.objective import Route
from tests.placement import judge

Key = tuple[int, int, int]
"""Request, kind of stage (input, encode, send, head, result), position of the encoder."""
ARRIVES, READY, FREE = range(3)


class Times(NamedTuple):
    """Of a stage; NaN where it never came to that."""

    ready: float
    start: float = math.nan
    finish: float = math.nan
    load: float = 0.0


@dataclass
class Job:
    """A stage of a request."""

    key: Key
    place: str | None
    """Device, direction of a link, or cell; ``None``: nothing is queued for."""
    seconds: float
    delay: float
    before: list[Key]
    module: str | None = None
    """That runs."""
    priority: int = 0
    travels: bool = False
    """Over a link."""
    ready: float = math.nan


@dataclass
class Rules:
    """What the replay is told."""

    queues: Mapping[str, str] = field(default_factory=dict)
    priority: Mapping[str, int] = field(default_factory=dict)
    routing: str = "plan"
    hosts: Mapping[str, Sequence[str]] = field(default_factory=dict)
    load_s: Mapping[tuple[str, str], float] = field(default_factory=dict)
    memory: Mapping[str, float] | None = None
    deadline_s: Mapping[str, float] = field(default_factory=dict)


class QueueReplay:
    """All requests, each on one route."""

    def __init__(self, instance: PlacementInstance, routes: Mapping[str, Route], link_model: str, rules: Rules) -> None:
        self.instance, self.rules, self.link_model = instance, rules, link_model
        self.requests = {r.name: r for r in instance.requests}
        self.routes = {
            r.name: self._routes(r) if rules.routing != "plan" else [routes[r.name]] for r in self.requests.values()
        }
        self.events: list[tuple[float, int, Key]] = []
        self.jobs: dict[Key, Job] = {}
        self.times: dict[Key, Times] = {}
        self.sent: list[Job] = []
        """Routed, not started, of no request that was dropped."""
        self.waiting: dict[str, list[Job]] = {}
        self.running: dict[str, Job] = {}
        self.until: dict[str, float] = {}
        self.shared: dict[str, dict[Key, float]] = {}
        """Seconds left of each run on a device that shares itself."""
        self.seen: dict[str, float] = {}
        self.dropped: dict[int, float] = {}
        self.taken: dict[int, Route] = {}
        self.loads: list[tuple[str, str]] = []
        self.inside = {d.name: self._at_the_start(d.name) for d in instance.devices}
        """Modules in memory, the one used least recently first."""
        self.places = [d.name for d in instance.devices]
        for link in instance.links:
            self.places += [f"{link.a}->{link.b}", f"{link.b}->{link.a}", f"cell {link.cell}"]

    def run(self, arrivals: Sequence[tuple[float, str, float]]) -> dict[Key, Times]:
        self.arrivals = arrivals
        for i, (time, _, _) in enumerate(arrivals):
            heapq.heappush(self.events, (time, ARRIVES, (i, 0, 0)))
        while self.events or any(self.shared.values()):
            leaving = self._next_to_leave()
            if leaving is not None and (not self.events or leaving < (*self.events[0][:2], self.events[0][2][0])):
                self._leave(leaving[0], self.places[leaving[2]])
                continue
            now, kind, key = heapq.heappop(self.events)
            if kind == ARRIVES:
                self._arrive(key[0], now)
            elif kind == READY:
                self._ready(self.jobs[key], now)
            else:
                self._free(self.places[key[0]], now)
        return self.times

    def _arrive(self, i: int, now: float) -> None:
        _, name, size = self.arrivals[i]
        best = min(self.routes[name], key=lambda route: self._worth(i, route, now))
        self.taken[i] = best
        for job in self._jobs(i, self.requests[name], best, size):
            self.jobs[job.key] = job
            self.sent.append(job)
            if not job.before:
                heapq.heappush(self.events, (now, READY, job.key))

    def _worth(self, i: int, route: Route, now: float) -> float:
        _, name, size = self.arrivals[i]
        jobs = self._jobs(i, self.requests[name], route, size)
        if self.rules.routing == "plan":
            return 0.0
        if self.rules.routing == "shortest-queue":
            return sum(self._unfinished(job.place) for job in jobs if job.module)
        free = {job.place: self._free_at(job, now) for job in jobs if job.place}
        done: dict[Key, float] = {}
        left = list(jobs)
        while left:
            able = [job for job in left if all(key in done for key in job.before)]
            ready = {job.key: max([now, *(done[key] for key in job.before)]) for job in able}
            job = min(able, key=lambda job: (ready[job.key], job.key))
            start = ready[job.key]
            if job.place:
                start = max(start, free[job.place])
                if job.module and job.module not in self.inside[job.place]:
                    start += self.rules.load_s[job.place, job.module]
                free[job.place] = start + job.seconds
            done[job.key] = start + job.seconds + job.delay
            left.remove(job)
        return max(done.values())

    def _unfinished(self, place: str | None) -> int:
        there = sum(job.place == place for job in self.sent)
        return there + (place in self.running) + len(self.shared.get(str(place), ()))

    def _free_at(self, job: Job, now: float) -> float:
        ahead = [other for other in self.sent if other.place == job.place]
        if self.rules.queues.get(str(job.place)) == "priority":
            ahead = [other for other in ahead if other.priority >= job.priority]
        return max(now, self.until.get(str(job.place), 0.0)) + sum(other.seconds for other in ahead)

    def _ready(self, job: Job, now: float) -> None:
        job.ready = now
        self.times[job.key] = Times(now)
        if job.key[0] in self.dropped:
            return
        if job.place is None:
            if not (job.travels and self._late(job, now)):
                self._start(job, now)
                self._done(job, now + job.seconds + job.delay)
        elif self.rules.queues.get(job.place) == "ps":
            if not self._late(job, now):
                self._catch_up(job.place, now)
                self._start(job, now)
                self.shared[job.place][job.key] = job.seconds
        else:
            self.waiting.setdefault(job.place, []).append(job)
            if job.place not in self.running:
                heapq.heappush(self.events, (now, FREE, (self.places.index(job.place), 0, 0)))

    def _free(self, place: str, now: float) -> None:
        if place in self.running:
            if self.until[place] > now:
                return
            del self.running[place]
        while self.waiting.get(place):
            by_priority = self.rules.queues.get(place) == "priority"
            job = max(self.waiting[place], key=lambda job: job.priority) if by_priority else self.waiting[place][0]
            self.waiting[place].remove(job)
            if not self._late(job, now):
                break
        else:
            return
        load = self._load(place, job.module) if job.module else 0.0
        self._start(job, now, load)
        self.running[place] = job
        self.until[place] = now + (job.seconds + load)
        heapq.heappush(self.events, (self.until[place], FREE, (self.places.index(place), 0, 0)))
        self._done(job, self.until[place] + job.delay)

    def _late(self, job: Job, now: float) -> bool:
        """Whether a stage that would start now is not to; its request is then dropped."""
        i = job.key[0]
        arrival, name, _ = self.arrivals[i]
        if now <= arrival + self.rules.deadline_s.get(name, math.inf):
            return False
        self.dropped.setdefault(i, now)
        self.sent = [other for other in self.sent if other.key[0] != i]
        for place, jobs in self.waiting.items():
            self.waiting[place] = [other for other in jobs if other.key[0] != i]
        return True

    def _start(self, job: Job, now: float, load: float = 0.0) -> None:
        self.sent.remove(job)
        self.times[job.key] = Times(job.ready, now, load=load)

    def _done(self, job: Job, finish: float) -> None:
        self.times[job.key] = self.times[job.key]._replace(finish=finish)
        for other in self.jobs.values():
            if job.key in other.before:
                ends = [self.times[key].finish if key in self.times else math.nan for key in other.before]
                if not any(math.isnan(end) for end in ends):
                    heapq.heappush(self.events, (max(ends), READY, other.key))

    def _load(self, device: str, module: str) -> float:
        inside = self.inside[device]
        if module in inside:
            inside.remove(module)
            inside.append(module)
            return 0.0
        while sum(self._bytes(device, m) for m in [*inside, module]) > self._memory(device) and inside:
            inside.pop(0)
        inside.append(module)
        self.loads.append((device, module))
        return self.rules.load_s[device, module]

    def _at_the_start(self, device: str) -> list[str]:
        inside: list[str] = []
        for module in self.instance.modules:
            placed = self.rules.memory is None or device in self.rules.hosts[module.name]
            if placed and sum(self._bytes(device, m) for m in [*inside, module.name]) <= self._memory(device):
                inside.append(module.name)
        return inside

    def _bytes(self, device: str, module: str) -> float:
        return self.instance.modules_by_name[module].bytes_on(device) if self.rules.memory is not None else 0.0

    def _memory(self, device: str) -> float:
        return (self.rules.memory or {}).get(device, self.instance.devices_by_name[device].memory_bytes)

    def _catch_up(self, place: str, now: float) -> None:
        """Everything that is there has had its equal part of the time since."""
        there = self.shared.setdefault(place, {})
        for key in there:
            there[key] -= (now - self.seen[place]) / len(there)
        self.seen[place] = now

    def _next_to_leave(self) -> tuple[float, int, int] | None:
        ends = [
            (self.seen[place] + min(there.values()) * len(there), FREE, self.places.index(place))
            for place, there in self.shared.items()
            if there
        ]
        return min(ends, default=None)

    def _leave(self, now: float, place: str) -> None:
        key = min(self.shared[place], key=lambda key: (self.shared[place][key], key))
        self._catch_up(place, now)
        del self.shared[place][key]
        self._done(self.jobs[key], now)

    def _jobs(self, i: int, request: Request, route: Route, size: float) -> list[Job]:
        instance, count = self.instance, len(request.encoders)
        head = str(route.head)
        hosts = [str(host) for host in route.encoders]
        jobs = [
            self._travel((i, 0, j), request.source, hosts[j], use.input_bytes * size, [])
            for j, use in enumerate(request.encoders)
        ]
        for j, use in enumerate(request.encoders):
            before: list[Key] = [(i, 0, j)]
            if instance.routing == "sequential" and j:
                before.append((i, 1, j - 1))
            seconds = instance.encoder_compute_s(request, j)[hosts[j]]
            assert seconds is not None
            jobs.append(self._compute((i, 1, j), hosts[j], seconds * size, before, use.module, request.name))
        for j in range(count):
            sent = instance.encoder_output_bytes(request, j) * size
            jobs.append(self._travel((i, 2, j), hosts[j], head, sent, [(i, 1, j)]))
        seconds = instance.head_compute_s(request)[head]
        assert seconds is not None
        outputs: list[Key] = [(i, 2, j) for j in range(count)]
        jobs.append(self._compute((i, 3, 0), head, seconds * size, outputs, request.head, request.name))
        return [*jobs, self._travel((i, 4, 0), head, request.source, request.result_bytes * size, [(i, 3, 0)])]

    def _compute(self, key: Key, device: str, seconds: float, before: list[Key], module: str, request: str) -> Job:
        return Job(key, device, seconds, 0.0, before, module, self.rules.priority.get(request, 0))

    def _travel(self, key: Key, a: str, b: str, size_bytes: float, before: list[Key]) -> Job:
        if a == b:
            return Job(key, None, 0.0, 0.0, before)
        link = self.instance.link_between(a, b)
        assert link is not None
        place: str | None = f"{a}->{b}"
        if self.link_model == "independent":
            place = None
        elif self.link_model == "shared-medium" and link.cell is not None:
            place = f"cell {link.cell}"
        return Job(key, place, size_bytes / link.bandwidth_bytes_per_s, link.latency_s, before, travels=True)

    def _routes(self, request: Request) -> list[Route]:
        hosts = self.rules.hosts
        routes = [
            Route(encoders, head)
            for head in hosts[request.head]
            for encoders in itertools.product(*(hosts[use.module] for use in request.encoders))
        ]

        def idle_s(route: Route) -> float:
            return judge.latency(self.instance, request, tuple(map(str, route.encoders)), str(route.head))

        return sorted(routes, key=idle_s)
