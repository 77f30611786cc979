"""Batch-mode mapping of a task graph on unlike processors: min-min, max-min and sufferage.

Sources: min-min and max-min are heuristics D and E of O. H. Ibarra, C. E. Kim, *Heuristic Algorithms for Scheduling
Independent Tasks on Nonidentical Processors*, J. ACM 24 (1977) 280-289; the names and sufferage are those of
M. Maheswaran, S. Ali, H. J. Siegel, D. Hensgen, R. F. Freund, *Dynamic Mapping of a Class of Independent Tasks onto
Heterogeneous Computing Systems*, J. Parallel Distrib. Comput. 59 (1999) 107-131.

They map independent tasks. Here tasks depend on each other, so a batch is made of the tasks whose predecessors are
all mapped, and a task may start when its inputs have arrived (as in SAGA, the library of Coleman and Krishnamachari).
Ours: a task may be unable to run on a processor, a ``Binding`` may narrow where it can go, and ties go to the task,
and then to the processor, of the lower number.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

from splitshare.placement.list_scheduling import Binding, Slot, TaskGraph, Timeline

Slots = Mapping[int, Sequence[Slot]]
"""By unmapped task, where it could run, soonest finish first."""
Choose = Callable[[Slots], Sequence[int]]
"""Which tasks of a batch are mapped next, each to its first slot; no two of them on one processor."""


def map_batches(graph: TaskGraph, binding: Binding, choose: Choose, *, refill: bool) -> list[Slot] | None:
    """Map the tasks of ``graph`` batch by batch, each where it finishes soonest, behind what is mapped there.

    Args:
        graph: the tasks.
        binding: where they can go.
        choose: the heuristic.
        refill: whether tasks join the batch as soon as their predecessors are mapped; else when it is empty.

    Returns:
        A slot a task; ``None`` where a task finds no processor.
    """
    timeline = Timeline(graph, insertion=False)
    batch: list[int] = []
    while len(timeline.slots) < len(graph.compute_s):
        if refill or not batch:
            batch = _ready(graph, timeline)
        slots = {task: _soonest_first(timeline, task, binding) for task in batch}
        if not all(slots.values()):
            return None
        for task in choose(slots):
            # The module of one chosen before may have taken the room that this one counted on.
            if slots[task][0].processor in binding.processors(task):
                timeline.take(task, slots[task][0], binding)
                batch.remove(task)
    return [timeline.slots[task] for task in range(len(graph.compute_s))]


def min_min(slots: Slots) -> Sequence[int]:
    """The task that can finish soonest."""
    return [min(slots, key=lambda task: (slots[task][0].finish_s, task))]


def max_min(slots: Slots) -> Sequence[int]:
    """The task whose soonest finish is the latest."""
    return [min(slots, key=lambda task: (-slots[task][0].finish_s, task))]


def most_suffering(slots: Slots) -> Sequence[int]:
    """The one task that loses most where it does not get its best processor (SAGA's reading of sufferage)."""
    return [min(slots, key=lambda task: (-sufferage_s(slots[task]), task))]


def sufferage(slots: Slots) -> Sequence[int]:
    """For each processor that is the best of some tasks, the one of them that suffers most without it (figure 3).

    A task that suffers as much as the one that holds the processor does not displace it.
    """
    holder: dict[int, int] = {}
    for task in sorted(slots):
        best = slots[task][0].processor
        if best not in holder or sufferage_s(slots[holder[best]]) < sufferage_s(slots[task]):
            holder[best] = task
    return sorted(holder.values())


def sufferage_s(slots: Sequence[Slot]) -> float:
    """Seconds by which a task finishes later on its second best processor; infinite where it has no second."""
    return slots[1].finish_s - slots[0].finish_s if len(slots) > 1 else math.inf


def _ready(graph: TaskGraph, timeline: Timeline) -> list[int]:
    """Unmapped tasks whose predecessors are all mapped."""
    mapped = timeline.slots
    unmapped = (task for task in range(len(graph.compute_s)) if task not in mapped)
    return [task for task in unmapped if all(before in mapped for before in graph.predecessors[task])]


def _soonest_first(timeline: Timeline, task: int, binding: Binding) -> list[Slot]:
    """Slots of ``task`` on the processors where it can run, soonest finish first."""
    slots = (timeline.slot(task, processor) for processor in binding.processors(task))
    return sorted((s for s in slots if math.isfinite(s.finish_s)), key=lambda s: (s.finish_s, s.processor))
