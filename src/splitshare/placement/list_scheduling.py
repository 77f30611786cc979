"""List scheduling of a task graph on unlike processors: HEFT and CPOP.

Source: H. Topcuoglu, S. Hariri, M.-Y. Wu, *Performance-effective and low-complexity task scheduling for heterogeneous
computing*, IEEE Trans. Parallel Distrib. Syst. 13 (2002) 260-274. Ours: a task may be unable to run on a processor,
and a ``Binding`` may narrow where a task can go in view of what is scheduled already; ties go to the task and to the
processor of the lower number (the paper breaks them at random).
"""

from __future__ import annotations

import heapq
import math
from bisect import insort
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Protocol

Matrix = Sequence[Sequence[float]]


@dataclass(frozen=True)
class TaskGraph:
    """Tasks, numbered so that every edge leads from a lower to a higher number."""

    compute_s: Matrix
    """Seconds by task and processor; infinite where the task cannot run. Every task can run somewhere."""
    transfer_s: dict[tuple[int, int], Matrix]
    """By edge (task, later task), seconds from processor to processor: 0 on the diagonal, infinite without a link."""

    def __post_init__(self) -> None:
        if any(a >= b for a, b in self.transfer_s):
            raise ValueError("an edge must lead from a task to one of higher number")

    @cached_property
    def predecessors(self) -> list[list[int]]:
        """By task, the tasks whose results it needs."""
        before: list[list[int]] = [[] for _ in self.compute_s]
        for a, b in self.transfer_s:
            before[b].append(a)
        return before

    @cached_property
    def successors(self) -> list[list[int]]:
        """By task, the tasks that need its result."""
        after: list[list[int]] = [[] for _ in self.compute_s]
        for a, b in self.transfer_s:
            after[a].append(b)
        return after

    @cached_property
    def mean_compute_s(self) -> list[float]:
        """By task, mean seconds over the processors that can run it."""
        return [_finite_mean(row) for row in self.compute_s]

    @cached_property
    def mean_transfer_s(self) -> dict[tuple[int, int], float]:
        """By edge, mean seconds over the pairs of different processors that are linked."""
        return {
            edge: _finite_mean([s for p, row in enumerate(seconds) for q, s in enumerate(row) if p != q])
            for edge, seconds in self.transfer_s.items()
        }


@dataclass(frozen=True)
class Slot:
    """When and where a task runs."""

    start_s: float
    finish_s: float
    processor: int


class Binding(Protocol):
    """Where tasks can go, told as scheduling proceeds."""

    def processors(self, task: int) -> Sequence[int]:
        """Processors that can take ``task`` now; those where it cannot run need not be left out."""
        ...

    def common_processors(self, tasks: Sequence[int]) -> Sequence[int]:
        """Processors that can take all of ``tasks`` together."""
        ...

    def bind(self, task: int, processor: int) -> None:
        """Take note that ``task`` goes to ``processor``."""
        ...


class Unbound:
    """Every task may go to every processor."""

    def __init__(self, processors: int) -> None:
        self._all = range(processors)

    def processors(self, task: int) -> Sequence[int]:
        """All."""
        return self._all

    def common_processors(self, tasks: Sequence[int]) -> Sequence[int]:
        """All."""
        return self._all

    def bind(self, task: int, processor: int) -> None:
        """Nothing changes."""


@dataclass
class Timeline:
    """Slots as they are given out.

    With ``insertion`` a task may go between slots that are given out; without, only behind the last one of its
    processor.
    """

    graph: TaskGraph
    insertion: bool = True
    slots: dict[int, Slot] = field(default_factory=dict)
    busy: dict[int, list[tuple[float, float]]] = field(default_factory=dict)
    """By processor, start and finish of its slots, in order."""

    def slot(self, task: int, processor: int) -> Slot:
        """The earliest slot for ``task`` on ``processor``; it ends at infinity where the task cannot run there."""
        duration = self.graph.compute_s[task][processor]
        start = 0.0
        for before in self.graph.predecessors[task]:
            slot = self.slots[before]
            start = max(start, slot.finish_s + self.graph.transfer_s[before, task][slot.processor][processor])
        for busy_from, busy_until in self.busy.get(processor, ()):
            if self.insertion and start + duration <= busy_from:
                break
            start = max(start, busy_until)
        return Slot(start, start + duration, processor)

    def schedule(self, task: int, processors: Sequence[int], binding: Binding) -> bool:
        """Give ``task`` the slot on ``processors`` that ends earliest; ``False`` where none can take it."""
        best = min((self.slot(task, p) for p in processors), key=lambda slot: slot.finish_s, default=None)
        if best is None or math.isinf(best.finish_s):
            return False
        self.take(task, best, binding)
        return True

    def take(self, task: int, slot: Slot, binding: Binding) -> None:
        """Give ``task`` this slot."""
        self.slots[task] = slot
        insort(self.busy.setdefault(slot.processor, []), (slot.start_s, slot.finish_s))
        binding.bind(task, slot.processor)


def upward_rank_s(graph: TaskGraph) -> list[float]:
    """By task, mean length of the longest path from it to the end, itself included (the paper's rank_u)."""
    rank = [0.0] * len(graph.compute_s)
    for task in reversed(range(len(rank))):
        after = (graph.mean_transfer_s[task, later] + rank[later] for later in graph.successors[task])
        rank[task] = graph.mean_compute_s[task] + max(after, default=0.0)
    return rank


def downward_rank_s(graph: TaskGraph) -> list[float]:
    """By task, mean length of the longest path from the beginning to it, itself left out (the paper's rank_d)."""
    rank = [0.0] * len(graph.compute_s)
    for task in range(len(rank)):
        rank[task] = max(
            (rank[b] + graph.mean_compute_s[b] + graph.mean_transfer_s[b, task] for b in graph.predecessors[task]),
            default=0.0,
        )
    return rank


def critical_path(graph: TaskGraph) -> list[int]:
    """The tasks of a longest path by mean compute and transfer seconds, in order; ties to the lower number."""
    rank = upward_rank_s(graph)
    entries = [task for task, before in enumerate(graph.predecessors) if not before]
    path = [max(entries, key=lambda task: rank[task])]
    while graph.successors[path[-1]]:
        here = path[-1]
        path.append(max(graph.successors[here], key=lambda later: graph.mean_transfer_s[here, later] + rank[later]))
    return path


def heft(graph: TaskGraph, binding: Binding) -> list[Slot] | None:
    """Heterogeneous earliest finish time: tasks in descending upward rank, each to its earliest finish.

    Returns:
        A slot a task; ``None`` where a task finds no processor.
    """
    rank = upward_rank_s(graph)
    timeline = Timeline(graph)
    # A task ranks no lower than those after it, and the sort is stable: the order respects the edges.
    for task in sorted(range(len(rank)), key=lambda task: -rank[task]):
        if not timeline.schedule(task, binding.processors(task), binding):
            return None
    return [timeline.slots[task] for task in range(len(rank))]


def cpop(graph: TaskGraph, binding: Binding) -> list[Slot] | None:
    """Critical path on a processor: the longest path goes to the processor that computes it soonest.

    The other tasks go to their earliest finish; ready tasks are taken in descending sum of upward and downward rank.
    Ours: tasks of the path that can run on one processor only stay there, and where no processor can take the rest of
    the path, the path has no processor of its own.

    Returns:
        A slot a task; ``None`` where a task finds no processor.
    """
    priority = [up + down for up, down in zip(upward_rank_s(graph), downward_rank_s(graph), strict=True)]
    on_path = _critical_path_processor(graph, binding)
    for task, processor in on_path.items():
        binding.bind(task, processor)
    timeline = Timeline(graph)
    waits_for = [len(before) for before in graph.predecessors]
    ready = [(-priority[task], task) for task, count in enumerate(waits_for) if count == 0]
    heapq.heapify(ready)
    while ready:
        _, task = heapq.heappop(ready)
        processors = [on_path[task]] if task in on_path else binding.processors(task)
        if not timeline.schedule(task, processors, binding):
            return None
        for later in graph.successors[task]:
            waits_for[later] -= 1
            if waits_for[later] == 0:
                heapq.heappush(ready, (-priority[later], later))
    return [timeline.slots[task] for task in range(len(priority))]


def _critical_path_processor(graph: TaskGraph, binding: Binding) -> dict[int, int]:
    """By task of the critical path that has a choice, the processor with the least compute seconds over all of them."""
    path = [task for task in critical_path(graph) if sum(map(math.isfinite, graph.compute_s[task])) > 1]
    seconds = {p: math.fsum(graph.compute_s[task][p] for task in path) for p in binding.common_processors(path)}
    best = min(seconds, key=lambda p: seconds[p], default=None)
    return {} if best is None or math.isinf(seconds[best]) else dict.fromkeys(path, best)


def _finite_mean(seconds: Sequence[float]) -> float:
    finite = [s for s in seconds if math.isfinite(s)]
    return math.fsum(finite) / len(finite) if finite else 0.0
