"""Batch-mode heuristics and PEFT, held against their papers: pseudo-code written again, and a published example."""

import math
import random

import pytest

from splitshare.placement.batch_mapping import map_batches, max_min, min_min, most_suffering, sufferage
from splitshare.placement.list_scheduling import TaskGraph, Unbound, heft
from splitshare.placement.peft import optimistic_cost_s, peft
from tests.placement.test_list_scheduling import graph, makespan, tasks_by_processor

# The example of Arabnejad and Barbosa (2014), figure 1: tasks from 1.
COMPUTE = [
    (22, 21, 36), (22, 18, 18), (32, 27, 43), (7, 10, 4), (29, 27, 35), (26, 17, 24), (14, 25, 30), (29, 23, 36),
    (15, 21, 8), (13, 16, 33),
]  # fmt: skip
COMMUNICATION = {
    (1, 2): 17, (1, 3): 31, (1, 4): 29, (1, 5): 13, (1, 6): 7, (2, 8): 3, (2, 9): 30, (3, 7): 16, (4, 8): 11,
    (4, 9): 7, (5, 9): 57, (6, 8): 5, (7, 10): 9, (8, 10): 42, (9, 10): 7,
}  # fmt: skip
PUBLISHED = graph(COMPUTE, COMMUNICATION, first=1)


def test_published_optimistic_costs():
    assert optimistic_cost_s(PUBLISHED) == [
        [64, 68, 86], [42, 39, 42], [27, 41, 43], [42, 39, 50], [28, 37, 28], [42, 39, 44], [13, 16, 22], [13, 16, 33],
        [13, 16, 20], [0, 0, 0],
    ]  # fmt: skip


def test_published_peft_schedule():
    """The paper's makespans: 122 by PEFT, 133 by HEFT."""
    slots, without = peft(PUBLISHED, Unbound(3)), heft(PUBLISHED, Unbound(3))
    assert slots is not None
    assert without is not None
    assert makespan(slots) == 122
    assert makespan(without) == 133
    assert tasks_by_processor(slots) == [[1, 2, 3, 4, 7], [6, 8, 10], [5, 9]]


def independent(tasks, processors, draw):
    """Seconds of independent tasks, of the kind of the papers: no two alike."""
    return [[draw.uniform(1, 100) for _ in range(processors)] for _ in range(tasks)]


def greedy_minimum(seconds, *, largest):
    """Figures 1 and 2 of Maheswaran et al. (1999): min-min, or with ``largest`` max-min; processor by task."""
    free = [0.0] * len(seconds[0])
    left, mapped = set(range(len(seconds))), {}
    while left:
        done = {t: min((free[p] + seconds[t][p], p) for p in range(len(free))) for t in left}
        task = (max if largest else min)(left, key=lambda t: done[t][0])
        mapped[task] = done[task][1]
        free[done[task][1]] = done[task][0]
        left.remove(task)
    return mapped


def contended(seconds):
    """Figure 3 of Maheswaran et al. (1999), sufferage; processor by task."""
    free = [0.0] * len(seconds[0])
    left: list[int] = list(range(len(seconds)))
    mapped: dict[int, int] = {}
    while left:
        assigned: dict[int, tuple[float, int]] = {}
        for task in left:
            done = sorted((free[p] + seconds[task][p], p) for p in range(len(free)))
            loss, best = done[1][0] - done[0][0], done[0][1]
            if best not in assigned or assigned[best][0] < loss:
                assigned[best] = (loss, task)
        for processor, (_, task) in assigned.items():
            mapped[task] = processor
            free[processor] += seconds[task][processor]
            left.remove(task)
    return mapped


@pytest.mark.parametrize(
    ("choose", "refill", "expected"),
    [
        (min_min, False, lambda s: greedy_minimum(s, largest=False)),
        (max_min, False, lambda s: greedy_minimum(s, largest=True)),
        (sufferage, True, contended),
    ],
    ids=["min-min", "max-min", "sufferage"],
)
def test_independent_tasks_are_mapped_as_in_the_papers(choose, refill, expected):
    draw = random.Random(0)
    for _ in range(60):
        seconds = independent(draw.randint(1, 14), draw.randint(2, 5), draw)
        slots = map_batches(TaskGraph(seconds, {}), Unbound(len(seconds[0])), choose, refill=refill)
        assert slots is not None
        assert {task: slot.processor for task, slot in enumerate(slots)} == expected(seconds)


def test_one_task_at_a_time_is_another_sufferage():
    """SAGA looks at all times again after each task, the paper after each round: mostly, not always, another
    mapping."""
    draw = random.Random(1)
    same = 0
    for _ in range(40):
        seconds = independent(8, 3, draw)
        one = map_batches(TaskGraph(seconds, {}), Unbound(3), most_suffering, refill=True)
        rounds = map_batches(TaskGraph(seconds, {}), Unbound(3), sufferage, refill=True)
        same += one == rounds
    assert 0 < same < 40


def test_a_task_that_can_run_nowhere_is_a_dead_end():
    stuck = graph([(1, 1), (math.inf, math.inf)], {(0, 1): 1})
    for choose in (min_min, max_min, sufferage, most_suffering):
        assert map_batches(stuck, Unbound(2), choose, refill=False) is None
    assert peft(stuck, Unbound(2)) is None


def test_what_depends_on_a_batch_waits_for_the_next():
    """Without refilling, task 2, ready after task 0, is mapped after task 1 though it could finish before it."""
    chained = graph([(1,), (9,), (1,)], {(0, 2): 0})
    waits = map_batches(chained, Unbound(1), min_min, refill=False)
    joins = map_batches(chained, Unbound(1), min_min, refill=True)
    assert waits is not None
    assert joins is not None
    assert [slot.start_s for slot in waits] == [0, 1, 10]
    assert [slot.start_s for slot in joins] == [0, 2, 1]
