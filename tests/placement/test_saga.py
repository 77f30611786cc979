"""List schedulers against SAGA's (Coleman and Krishnamachari), on 200 task graphs without memory limits.

SAGA is no dependency: it brings 800 MB, among them z3 and a compiled graphviz. Install `anrg-saga` beside the project
and run `pytest -m slow tests/placement/test_saga.py`; what stands here was found with its version 2.0.2. Compared are
all of ours that SAGA has too.

Min-min, max-min and sufferage (``mapped=one``) make schedules as long as SAGA's on every graph. The paper's sufferage,
with a winner a processor in each round, is another one.

HEFT and CPOP differ on some graphs, for two reasons, and for these only: with SAGA's ranks computed as the paper has
them, every schedule is as long.

1. SAGA's mean transfer time counts the way of each processor to itself, which takes no time, as a link; ours and the
   paper's is over pairs of different processors.
2. SAGA's downward rank, which only CPOP uses, adds the seconds of the task itself, by the mean speed; the paper's adds
   those of the task before it, the mean over processors. SAGA's tasks of highest rank are then hardly ever a whole
   path, fewer tasks are tied to one processor, and its schedules are shorter in the mean.

That SAGA adds a source and a sink without costs where there are several changes nothing.
"""

import functools
import math
import random
from collections.abc import Callable
from statistics import mean
from typing import Any

import pytest

from splitshare.placement.batch_mapping import map_batches, max_min, min_min, most_suffering, sufferage
from splitshare.placement.list_scheduling import TaskGraph, Unbound, cpop, heft
from tests.placement.test_list_scheduling import makespan

pytestmark = pytest.mark.slow
saga = pytest.importorskip("saga", reason="SAGA is not installed: pip install anrg-saga")
schedulers = pytest.importorskip("saga.schedulers")

Edges = dict[tuple[int, int], float]
Schedule = Callable[[TaskGraph, Unbound], Any]


class Case:
    """A random layered graph on related processors: as ours, and as SAGA's."""

    def __init__(self, seed: int) -> None:
        draw = random.Random(seed)
        self.speeds = [draw.uniform(0.5, 4) for _ in range(draw.randint(2, 6))]
        self.costs = [draw.uniform(1, 10) for _ in range(draw.randint(2, 20))]
        tasks = range(len(self.costs))
        self.sizes: Edges = {(a, b): draw.uniform(0, 8) for b in tasks for a in range(b) if draw.random() < 0.25}
        p = range(len(self.speeds))
        self.rates = {(i, j): draw.uniform(0.3, 3) for i in p for j in p if i < j}

    def ours(self) -> TaskGraph:
        p = range(len(self.speeds))
        rate = {**self.rates, **{(j, i): r for (i, j), r in self.rates.items()}}
        return TaskGraph(
            [[cost / speed for speed in self.speeds] for cost in self.costs],
            {edge: [[0.0 if i == j else size / rate[i, j] for j in p] for i in p] for edge, size in self.sizes.items()},
        )

    def saga(self) -> tuple[Any, Any]:
        network = saga.Network.create(
            nodes=[(f"n{i}", speed) for i, speed in enumerate(self.speeds)],
            edges=[(f"n{i}", f"n{j}", rate) for (i, j), rate in self.rates.items()],
        )
        graph = saga.TaskGraph.create(
            tasks=[(f"t{i:02}", cost) for i, cost in enumerate(self.costs)],
            dependencies=[(f"t{a:02}", f"t{b:02}", size) for (a, b), size in self.sizes.items()],
        )
        return network, graph


def ratios(schedule: Schedule, scheduler: Any) -> list[float]:
    """Our makespan over SAGA's, on 200 graphs."""
    found = []
    for seed in range(200):
        case = Case(seed)
        slots = schedule(case.ours(), Unbound(len(case.speeds)))
        found.append(makespan(slots) / scheduler().schedule(*case.saga()).makespan)
    return found


def equal(found: list[float]) -> int:
    return sum(math.isclose(ratio, 1.0, rel_tol=1e-9) for ratio in found)


@pytest.mark.parametrize(
    ("choose", "refill", "scheduler"),
    [
        (min_min, False, "MinMinScheduler"),
        (max_min, False, "MaxMinScheduler"),
        (most_suffering, True, "SufferageScheduler"),
    ],
)
def test_same_batches_as_saga(choose, refill, scheduler):
    schedule = functools.partial(map_batches, choose=choose, refill=refill)
    assert equal(ratios(schedule, getattr(schedulers, scheduler))) == 200


def test_the_papers_sufferage_is_another():
    found = ratios(functools.partial(map_batches, choose=sufferage, refill=True), schedulers.SufferageScheduler)
    assert equal(found) == 153
    assert mean(found) == pytest.approx(1.0037, abs=5e-5)


@pytest.mark.parametrize(
    ("schedule", "scheduler", "as_long", "shorter", "ratio"),
    [(heft, "HeftScheduler", 161, 20, 1.0023), (cpop, "CpopScheduler", 90, 42, 1.0382)],
)
def test_list_scheduling_differs_by_ranks_only(schedule, scheduler, as_long, shorter, ratio, monkeypatch):
    plain = ratios(schedule, getattr(schedulers, scheduler))
    assert (equal(plain), sum(r < 1 - 1e-9 for r in plain)) == (as_long, shorter)
    assert mean(plain) == pytest.approx(ratio, abs=5e-5)
    for module in (saga.schedulers.heft, saga.schedulers.cpop):
        monkeypatch.setattr(module, "upward_rank", papers_upward_rank)
    monkeypatch.setattr(saga.schedulers.cpop, "downward_rank", papers_downward_rank)
    monkeypatch.setattr(saga.schedulers.cpop, "cpop_ranks", saga.schedulers.cpop.cpop_ranks.__wrapped__)
    assert equal(ratios(schedule, getattr(schedulers, scheduler))) == 200


def mean_compute(network: Any, task: Any) -> float:
    return float(mean(task.cost / node.speed for node in network.nodes))


def mean_transfer(network: Any, edge: Any) -> float:
    links = [link for link in network.edges if link.source != link.target]
    return float(mean(edge.size / link.speed for link in links))


def papers_upward_rank(network: Any, graph: Any) -> dict[str, float]:
    rank: dict[str, float] = {}
    for task in reversed(graph.topological_sort()):
        after = [rank[e.target] + mean_transfer(network, e) for e in graph.out_edges(task.name)]
        rank[task.name] = mean_compute(network, task) + max(after, default=0.0)
    return rank


def papers_downward_rank(network: Any, graph: Any) -> dict[str, float]:
    rank: dict[str, float] = {}
    tasks = {task.name: task for task in graph.tasks}
    for task in graph.topological_sort():
        before = graph.in_edges(task.name)
        rank[task.name] = max(
            (rank[e.source] + mean_compute(network, tasks[e.source]) + mean_transfer(network, e) for e in before),
            default=0.0,
        )
    return rank
