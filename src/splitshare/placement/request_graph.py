"""The requests of an instance as one task graph, for list scheduling (adaptation ours).

List schedulers place tasks that run once; here modules are placed once and serve every request. The graph is that of
one request of each class, all arriving at time 0: an entry task at the source that sends the inputs, a task for each
encoder, one for the head, and an exit task at the source that receives the result. Tasks of one module go together:
the first that is scheduled takes the module to a device with room, the others find it there. Devices run one task at
a time across requests, as the schedulers assume, though the objective is the latency of each request alone; rates
play no part. With sequential routing each encoder also waits for the one before it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from splitshare.placement.feasible import OpenPlacement
from splitshare.placement.instance import Assignment, PlacementInstance, Request
from splitshare.placement.list_scheduling import Matrix, TaskGraph


class RequestGraph:
    """The task graph of an instance and, as a ``list_scheduling.Binding``, the placement that scheduling it makes."""

    def __init__(self, instance: PlacementInstance) -> None:
        self._instance = instance
        self._names = [d.name for d in instance.devices]
        self._number = {name: i for i, name in enumerate(self._names)}
        self._open = OpenPlacement(instance)
        self._module: list[str | None] = []
        self._compute_s: list[list[float]] = []
        self._transfer_s: dict[tuple[int, int], Matrix] = {}
        for request in instance.requests:
            self._add_request(request)
        self.graph = TaskGraph(self._compute_s, self._transfer_s)

    def processors(self, task: int) -> Sequence[int]:
        """The device of the task's module, or those with room for it; all for entry and exit tasks."""
        module = self._module[task]
        if module is None:
            return range(len(self._names))
        if module in self._open.host:
            return [self._number[self._open.host[module]]]
        return [self._number[device] for device in self._open.candidates(module)]

    def common_processors(self, tasks: Sequence[int]) -> Sequence[int]:
        """Devices with room for the modules of all of ``tasks`` at once."""
        modules = dict.fromkeys(module for task in tasks if (module := self._module[task]) is not None)
        common: list[int] = []
        for i, device in enumerate(self._names):
            trial = self._open.copy()
            for module in modules:
                if device not in trial.candidates(module):
                    break
                trial.place(module, device)
            else:
                common.append(i)
        return common

    def bind(self, task: int, processor: int) -> None:
        """Place the task's module, if it is not placed yet."""
        module = self._module[task]
        if module is not None and module not in self._open.host:
            self._open.place(module, self._names[processor])

    def assignment(self) -> Assignment | None:
        """The placement, unused modules on the first device with room; ``None`` where there is none."""
        for module in self._instance.modules:
            if module.name not in self._open.host:
                candidates = self._open.candidates(module.name)
                if not candidates:
                    return None
                self._open.place(module.name, candidates[0])
        return self._open.assignment()

    def _add_request(self, request: Request) -> None:
        instance = self._instance
        at_source = {request.source: 0.0}
        entry = self._add_task(None, at_source)
        encoders: list[int] = []
        for position, use in enumerate(request.encoders):
            task = self._add_task(use.module, instance.encoder_compute_s(request, position))
            self._transfer_s[entry, task] = self._seconds(use.input_bytes)
            if encoders and instance.routing == "sequential":
                self._transfer_s[encoders[-1], task] = [[0.0] * len(self._names)] * len(self._names)
            encoders.append(task)
        head = self._add_task(request.head, instance.head_compute_s(request))
        for position, task in enumerate(encoders):
            self._transfer_s[task, head] = self._seconds(instance.encoder_output_bytes(request, position))
        leave = self._add_task(None, at_source)
        self._transfer_s[head, leave] = self._seconds(request.result_bytes)

    def _add_task(self, module: str | None, compute_s: dict[str, float | None] | dict[str, float]) -> int:
        seconds = [compute_s.get(name) for name in self._names]
        self._module.append(module)
        self._compute_s.append([math.inf if s is None else s for s in seconds])
        return len(self._module) - 1

    def _seconds(self, size_bytes: float) -> Matrix:
        return [[self._instance.comm_s(a, b, size_bytes) for b in self._names] for a in self._names]
