import itertools
import math
import random

import pytest

from splitshare.placement.algorithms.cpop import Cpop
from splitshare.placement.algorithms.heft import Heft
from splitshare.placement.batch_mapping import map_batches, max_min, min_min, most_suffering, sufferage
from splitshare.placement.instance import PlacementInstance
from splitshare.placement.list_scheduling import (
    TaskGraph,
    Unbound,
    cpop,
    critical_path,
    downward_rank_s,
    heft,
    upward_rank_s,
)
from splitshare.placement.peft import peft
from tests.replay.examples import fields, module, request

# The example of Topcuoglu, Hariri and Wu (2002): figure 2 and its table of computation costs; tasks from 1.
COMPUTE = [
    (14, 16, 9),
    (13, 19, 18),
    (11, 13, 19),
    (13, 8, 17),
    (12, 13, 10),
    (13, 16, 9),
    (7, 15, 11),
    (5, 11, 14),
    (18, 12, 20),
    (21, 7, 16),
]
COMMUNICATION = {
    (1, 2): 18, (1, 3): 12, (1, 4): 9, (1, 5): 11, (1, 6): 14, (2, 8): 19, (2, 9): 16, (3, 7): 23,
    (4, 8): 27, (4, 9): 23, (5, 9): 13, (6, 8): 15, (7, 10): 17, (8, 10): 11, (9, 10): 13,
}  # fmt: skip


def graph(compute, communication, first=0):
    """A task graph whose transfers between different processors take the same time."""
    processors = range(len(compute[0]))
    return TaskGraph(
        compute,
        {
            (a - first, b - first): [[0 if p == q else seconds for q in processors] for p in processors]
            for (a, b), seconds in communication.items()
        },
    )


PUBLISHED = graph(COMPUTE, COMMUNICATION, first=1)


def makespan(slots):
    return max(slot.finish_s for slot in slots)


def tasks_by_processor(slots):
    return [[i + 1 for i, slot in enumerate(slots) if slot.processor == p] for p in range(3)]


def test_published_ranks():
    assert upward_rank_s(PUBLISHED) == pytest.approx(
        [108, 77, 80, 80, 69, 63.333, 42.667, 35.667, 44.333, 14.667], abs=5e-4
    )
    assert downward_rank_s(PUBLISHED) == pytest.approx(
        [0, 31, 25, 22, 24, 27, 62.333, 66.667, 63.667, 93.333], abs=5e-4
    )


def test_published_heft_schedule():
    slots = heft(PUBLISHED, Unbound(3))
    assert slots is not None
    assert makespan(slots) == 80
    assert tasks_by_processor(slots) == [[2, 8], [4, 6, 9, 10], [1, 3, 5, 7]]


def test_published_cpop_schedule():
    assert [task + 1 for task in critical_path(PUBLISHED)] == [1, 2, 9, 10]
    slots = cpop(PUBLISHED, Unbound(3))
    assert slots is not None
    assert makespan(slots) == 86
    assert tasks_by_processor(slots) == [[3, 7], [1, 2, 5, 9, 10], [4, 6, 8]]


def test_a_gap_is_used():
    """Task 2 waits on processor 0 for the result of 1; task 3, of least rank, fits in before it."""
    inf = math.inf
    problem = graph([(2, inf), (inf, 4), (3, inf), (4, inf)], {(0, 1): 0, (1, 2): 0})
    slots = heft(problem, Unbound(2))
    assert slots is not None
    assert [(slot.start_s, slot.finish_s) for slot in slots] == [(0, 2), (2, 6), (6, 9), (2, 6)]


def test_edges_lead_forward():
    with pytest.raises(ValueError, match="higher number"):
        graph([(1,), (1,)], {(1, 0): 1})


def batches(choose):
    return lambda graph, binding: map_batches(graph, binding, choose, refill=False)


@pytest.mark.parametrize("schedule", [heft, cpop, peft, *map(batches, (min_min, max_min, sufferage, most_suffering))])
def test_schedules_hold(schedule):
    """Nothing starts before its inputs are there, and a processor does one thing at a time."""
    draw = random.Random(0)
    for _ in range(60):
        tasks, processors = draw.randint(1, 12), draw.randint(1, 4)
        compute = [[draw.choice([0.0, 1.0, draw.random() * 9]) for _ in range(processors)] for _ in range(tasks)]
        for row in compute:
            if draw.random() < 0.3:
                row[draw.randrange(processors)] = math.inf if processors > 1 else 1.0
        edges = {pair: draw.random() * 5 for pair in itertools.combinations(range(tasks), 2) if draw.random() < 0.3}
        slots = schedule(graph(compute, edges), Unbound(processors))
        for task, slot in enumerate(slots):
            assert slot.finish_s - slot.start_s == pytest.approx(compute[task][slot.processor])
        for (a, b), seconds in edges.items():
            moved = slots[a].processor != slots[b].processor
            assert slots[b].start_s >= slots[a].finish_s + seconds * moved - 1e-9
        for one, other in itertools.combinations(slots, 2):
            if one.processor == other.processor:
                assert min(one.finish_s, other.finish_s) <= max(one.start_s, other.start_s) + 1e-9


def _two_towers(**fixed):
    """Source a computes slowly, b and c quickly; a way of 1 s (0.5 s for the text) between any two."""
    return PlacementInstance.parse(
        fields(
            devices=[{"name": d, "memory_bytes": 10.0} for d in "abc"],
            links=[
                {"a": x, "b": y, "latency_s": 0.0, "bandwidth_bytes_per_s": 1000.0}
                for x, y in itertools.combinations("abc", 2)
            ],
            modules=[
                module("vision", a=9.0, b=2.0, c=3.0) | {"memory_bytes": 8},
                module("text", a=4.0, b=1.0, c=2.0) | {"memory_bytes": 8},
                module("head", a=0.5, b=0.5, c=0.5),
            ],
            requests=[request("k", {"vision": 1000.0, "text": 500.0}, result_bytes=0.0)],
            **fixed,
        ),
        "two towers",
    )


def test_heft_on_an_instance_by_hand():
    """Vision ranks first: b at 1 + 2. Text: b is full, c at 0.5 + 2 beats a at 4. Head: b, at 3 + 0.5."""
    placed = Heft().place(_two_towers(), seed=0, time_limit=None)
    assert placed == {"vision": ("b",), "text": ("c",), "head": ("b",)}


def test_cpop_on_an_instance_by_hand():
    """The critical path, vision and head, has room on b together and is soonest there; text goes as with HEFT."""
    placed = Cpop().place(_two_towers(), seed=0, time_limit=None)
    assert placed == {"vision": ("b",), "head": ("b",), "text": ("c",)}


def test_a_shared_module_stands_once_and_later_tasks_find_it():
    """Both requests use both towers; the second finds them where the first has put them."""
    two = [request(name, {"vision": 1000.0, "text": 500.0}, result_bytes=0.0) for name in ("k", "l")]
    shared = PlacementInstance.parse(_two_towers().model_dump(mode="json", by_alias=True) | {"requests": two}, "shared")
    for algorithm in (Heft(), Cpop()):
        placed = algorithm.place(shared, seed=0, time_limit=None)
        assert placed is not None
        assert {m: len(hosts) for m, hosts in placed.items()} == {"vision": 1, "text": 1, "head": 1}
