"""A readable replay, written from the rules and sharing nothing with the simulator but the instance's fields."""

import heapq
from collections import defaultdict
from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

from splitshare.placement.instance import PlacementInstance
from splitshare.placement.objective import Route

Times = tuple[float, float, float]
"""Ready, start, finish."""
Stages = dict[tuple[int, int, int], Times]
"""By request, kind of stage (input, encode, send, head, result) and position of the encoder (0 for the last two)."""


class Waiting(NamedTuple):
    """A stage in a device's queue."""

    kind: tuple[str, float, float]
    """Module, size of the request, seconds alone at size 1: those of one kind run together."""
    ready: float
    key: tuple[int, int, int]
    then: Callable[[float], None]


class Replay:
    """One request after another sends, queues and computes; simultaneous events go by (request, kind, position)."""

    def __init__(self, instance: PlacementInstance, routes: dict[str, Route], link_model: str) -> None:
        self.instance = instance
        self.routes = routes
        self.link_model = link_model
        self.requests = {r.name: r for r in instance.requests}
        self.free: dict[str, float] = defaultdict(float)
        self.events: list[tuple[float, tuple[int, int, int], Callable[[float], None]]] = []
        self.stages: Stages = {}

    def run(self, arrivals: Sequence[tuple[float, str, float]]) -> Stages:
        for i, (time, name, size) in enumerate(arrivals):
            self._request(i, time, name, size)
        while self.events:
            time, _, action = heapq.heappop(self.events)
            action(time)
        return self.stages

    def _request(self, i: int, arrival: float, name: str, size: float) -> None:
        instance, request, route = self.instance, self.requests[name], self.routes[name]
        sequential = instance.routing == "sequential"
        head = route.head
        assert head is not None
        inputs_there: dict[int, float] = {}
        encoded: dict[int, float] = {}
        outputs_there: list[float] = []

        def try_encode(j: int) -> None:
            if j not in inputs_there or (sequential and j > 0 and j - 1 not in encoded):
                return
            ready = max(inputs_there[j], encoded[j - 1]) if sequential and j > 0 else inputs_there[j]
            seconds = instance.encoder_compute_s(request, j)[str(route.encoders[j])]
            assert seconds is not None
            self._use(ready, (i, 1, j), str(route.encoders[j]), seconds * size, 0.0, lambda t: after_encode(j, t))

        def after_input(j: int, time: float) -> None:
            inputs_there[j] = time
            try_encode(j)

        def after_encode(j: int, time: float) -> None:
            encoded[j] = time
            output = instance.encoder_output_bytes(request, j) * size
            self._send(time, (i, 2, j), str(route.encoders[j]), head, output, after_send)
            if sequential and j + 1 < len(request.encoders):
                try_encode(j + 1)

        def after_send(time: float) -> None:
            outputs_there.append(time)
            if len(outputs_there) == len(request.encoders):
                seconds = instance.head_compute_s(request)[head]
                assert seconds is not None
                self._use(max(outputs_there), (i, 3, 0), head, seconds * size, 0.0, after_head)

        def after_head(time: float) -> None:
            self._send(time, (i, 4, 0), head, request.source, request.result_bytes * size, lambda _: None)

        for j, use in enumerate(request.encoders):
            there = str(route.encoders[j])
            self._send(arrival, (i, 0, j), request.source, there, use.input_bytes * size, partial(after_input, j))

    def _send(
        self, ready: float, key: tuple[int, int, int], a: str, b: str, size: float, then: Callable[[float], None]
    ) -> None:
        if a == b:
            self._use(ready, key, None, 0.0, 0.0, then)
            return
        link = self.instance.link_between(a, b)
        assert link is not None
        medium: str | None = f"{a} to {b}"
        if self.link_model == "independent":
            medium = None
        elif self.link_model == "shared-medium" and link.cell is not None:
            medium = f"cell {link.cell}"
        self._use(ready, key, medium, size / link.bandwidth_bytes_per_s, link.latency_s, then)

    def _use(
        self,
        ready: float,
        key: tuple[int, int, int],
        resource: str | None,
        seconds: float,
        delay: float,
        then: Callable[[float], None],
    ) -> None:
        """Queue for a resource at ``ready``; go on ``delay`` after it has been held for ``seconds``."""

        def enter(now: float) -> None:
            start = now if resource is None else max(now, self.free[resource])
            if resource is not None:
                self.free[resource] = start + seconds
            finish = start + seconds + delay
            self.stages[key] = (ready, start, finish)
            then(finish)

        heapq.heappush(self.events, (ready, key, enter))


class BatchReplay(Replay):
    """The same with devices that run batches; a batch of ``n`` takes ``factors[n]`` times as long as one stage."""

    def __init__(
        self,
        instance: PlacementInstance,
        routes: dict[str, Route],
        link_model: str,
        max_batch: int,
        factors: dict[int, float],
    ) -> None:
        super().__init__(instance, routes, link_model)
        self.max_batch = max_batch
        self.factors = factors
        self.waiting: dict[str, list[Waiting]] = defaultdict(list)
        self.held: set[str] = set()
        self.arrivals: Sequence[tuple[float, str, float]] = ()

    def run(self, arrivals: Sequence[tuple[float, str, float]]) -> Stages:
        self.arrivals = arrivals
        return super().run(arrivals)

    def _use(
        self,
        ready: float,
        key: tuple[int, int, int],
        resource: str | None,
        seconds: float,
        delay: float,
        then: Callable[[float], None],
    ) -> None:
        if resource is None or resource not in self.instance.devices_by_name:
            super()._use(ready, key, resource, seconds, delay, then)
            return
        i, kind, j = key
        _, name, size = self.arrivals[i]
        request = self.requests[name]
        module = request.encoders[j].module if kind == 1 else request.head
        alone = self.instance.encoder_compute_s(request, j) if kind == 1 else self.instance.head_compute_s(request)
        seconds_of_one = alone[resource]
        assert seconds_of_one is not None
        like = (module, size, seconds_of_one)

        def enter(now: float) -> None:
            self.waiting[resource].append(Waiting(like, ready, key, then))
            if resource not in self.held:
                self._hold(resource, now)

        heapq.heappush(self.events, (ready, key, enter))

    def _begin(self, device: str, now: float) -> None:
        """The device is free: it takes the first that waits, and those like it."""
        queue = self.waiting[device]
        if not queue:
            return
        like = [waiting for waiting in queue if waiting.kind == queue[0].kind][: self.max_batch]
        batch = like[: max(n for n in self.factors if n <= len(like))]
        _, size, alone = queue[0].kind
        end = now + alone * self.factors[len(batch)] * size
        self._hold(device, end)
        for waiting in batch:
            queue.remove(waiting)
            self.stages[waiting.key] = (waiting.ready, now, end)
            waiting.then(end)

    def _hold(self, device: str, end: float) -> None:
        """It is free again at ``end``, once all that becomes ready at that moment waits."""
        self.held.add(device)

        def release(now: float) -> None:
            self.held.remove(device)
            self._begin(device, now)

        last = (len(self.arrivals), 0, list(self.instance.devices_by_name).index(device))
        heapq.heappush(self.events, (end, last, release))
