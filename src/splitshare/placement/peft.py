"""List scheduling that looks ahead: predict earliest finish time (PEFT).

Source: H. Arabnejad, J. G. Barbosa, *List Scheduling Algorithm for Heterogeneous Systems by an Optimistic Cost Table*,
IEEE Trans. Parallel Distrib. Syst. 25 (2014) 682-694. Ours: a task may be unable to run on a processor, a ``Binding``
may narrow where it can go, and ties go to the lower number. Transfers in the table are means over linked processors, as
the paper has them, also where a link is missing between these two.
"""

from __future__ import annotations

import heapq
import math

from splitshare.placement.list_scheduling import Binding, Slot, TaskGraph, Timeline


def optimistic_cost_s(graph: TaskGraph) -> list[list[float]]:
    """By task and processor, the most optimistic seconds from the task's end there to the end of all (equation 5).

    Every later task may take the processor that suits it best, as if it were free.
    """
    processors = range(len(graph.compute_s[0]) if graph.compute_s else 0)
    cost = [[0.0 for _ in processors] for _ in graph.compute_s]
    for task in reversed(range(len(cost))):
        for here in processors:
            cost[task][here] = max(
                (
                    min(
                        cost[later][there]
                        + graph.compute_s[later][there]
                        + (graph.mean_transfer_s[task, later] if here != there else 0.0)
                        for there in processors
                    )
                    for later in graph.successors[task]
                ),
                default=0.0,
            )
    return cost


def peft(graph: TaskGraph, binding: Binding) -> list[Slot] | None:
    """Ready tasks in descending mean optimistic cost, each where its finish and that cost are least together.

    Returns:
        A slot a task; ``None`` where a task finds no processor.
    """
    cost = optimistic_cost_s(graph)
    rank = [math.fsum(row) / len(row) for row in cost]
    timeline = Timeline(graph)
    waits_for = [len(before) for before in graph.predecessors]
    ready = [(-rank[task], task) for task, count in enumerate(waits_for) if count == 0]
    heapq.heapify(ready)
    while ready:
        _, task = heapq.heappop(ready)
        slots = [timeline.slot(task, processor) for processor in binding.processors(task)]
        best = min(slots, key=lambda slot: slot.finish_s + cost[task][slot.processor], default=None)
        if best is None or math.isinf(best.finish_s):
            return None
        timeline.take(task, best, binding)
        for later in graph.successors[task]:
            waits_for[later] -= 1
            if waits_for[later] == 0:
                heapq.heappush(ready, (-rank[later], later))
    return [timeline.slots[task] for task in range(len(rank))]
