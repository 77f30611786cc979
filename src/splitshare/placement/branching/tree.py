"""The tree of the branch and bound: best bound first, a node is what devices are left to each module (ours).

A node's bound is raised by a few steps from its parent's prices; what would cost more than the best placement is ruled
out; children are the device that a module's slots choose most, and all others.
"""

from __future__ import annotations

import heapq
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from splitshare.placement.arrays import Arrays, Bools, Floats, Numbered, open_to
from splitshare.placement.branching.dual import ascend, dual, lower_bound
from splitshare.placement.branching.fixing import costs, exclude, settle
from splitshare.placement.branching.incumbent import Incumbent
from splitshare.placement.branching.relaxation import Relaxation
from splitshare.placement.branching.symmetry import equal_devices, one_of_equals
from splitshare.placement.instance import Assignment

CLOSE = 1e-7
"""Relative distance of a bound to the best placement at which a node is closed."""
ROOT_STEPS, NODE_STEPS = 1000, 60
"""Steps of the ascent at the root and in another node."""
FIRST_CHUNK, LAST_CHUNK = 20, 100
"""Steps between two tries to rule out and to place: twice as many each time."""
ROOT_PACE, NODE_PACE, LEAST_PACE = 0.05, 0.03, 1e-3
BURST = 2000
"""Trials of annealing a module, after the root and then whenever it has had less than its share of the time."""
BURST_SHARE = 0.15
SMALL = 400
"""Modules times devices up to which every node looks for a placement; else each of so many nodes."""
SELDOM = 8


@dataclass(order=True)
class Node:
    """What is left of the choices, and from where the bound goes on."""

    bound: float
    number: int
    """Negative, so that of equal bounds the youngest comes first."""
    may: Bools = field(compare=False)
    """(M, N): where modules may stand."""
    must: Bools = field(compare=False)
    """(M, N): where they do."""
    price: Floats = field(compare=False)
    weight: Floats = field(compare=False)


@dataclass(frozen=True)
class Progress:
    """Where a search stands."""

    elapsed_s: float
    objective: float
    bound: float
    nodes: int


@dataclass(frozen=True)
class Found:
    """How a search ended."""

    assignment: Assignment | None
    objective: float
    """Infinite where nothing was found."""
    bound: float
    """No placement is worth less; infinite where there is none."""
    proved: bool
    nodes: int


def ceiling_s(arrays: Arrays) -> float:
    """More than any placement's latency: all encoders one after another at their slowest, the slowest links."""

    def finite(seconds: Floats) -> Floats:
        return np.where(np.isfinite(seconds), seconds, 0.0)

    encoders = finite(arrays.ready_s).max(axis=1) + finite(arrays.compute_s).max(axis=1)
    transfers = finite(arrays.latency_s).max() + arrays.output_bytes / arrays.bytes_per_s.min()
    spans = zip(arrays.first[:-1], arrays.first[1:], strict=True)
    before = np.array([encoders[i:j].sum() + transfers[i:j].max() for i, j in spans])
    after = finite(arrays.head_s).max(axis=1) + finite(arrays.back_s).max(axis=1)
    return float((before + after).max()) * 1.001 + 1e-9


class Search:
    """One search.

    Args:
        problem: the instance.
        relaxed: its relaxation.
        seed: of annealing.
        stop: asked between pieces of work of a second at most; the search ends when it says so.
        report: told where the search stands.
    """

    def __init__(
        self,
        problem: Numbered,
        relaxed: Relaxation,
        *,
        seed: int = 0,
        stop: Callable[[], bool] = lambda: False,
        report: Callable[[Progress], None] = lambda _: None,
    ) -> None:
        arrays = problem.arrays
        self._problem, self._relaxed, self._arrays = problem, relaxed, arrays
        self._stop, self._report = stop, report
        self._dual = dual(relaxed)
        self._extra = np.zeros(arrays.may.shape)
        self._equal = equal_devices(arrays)
        self._ceiling_s = ceiling_s(arrays)
        self._closed = math.inf
        self._nodes = 0
        self._began = time.perf_counter()
        self._annealed_s = 0.0
        self.incumbent = Incumbent(problem, relaxed, seed)

    @property
    def _target(self) -> float:
        """A bound of so much closes a node."""
        return min(self.incumbent.worth * (1 - CLOSE), self._ceiling_s)

    @property
    def _cut_s(self) -> float:
        """Latencies of so much are in no better placement."""
        return self._target if self._arrays.worst else math.inf

    def run(self, start: Assignment | None) -> Found:
        """Search to a proof, or until told to stop; ``start`` is a placement with one device a module, if known."""
        if start is not None:
            self.incumbent.offer(self._problem.hosts(start))
        may = open_to(self._arrays, replicas=self._relaxed.replicas)
        nodes = [Node(0.0, 0, may, np.zeros_like(may), self._dual.price.copy(), self._dual.weight.copy())]
        numbers = 0
        while nodes and nodes[0].bound < self._target:
            if self._stop():
                return self._end(min(self._closed, nodes[0].bound), proved=False)
            self._report(self._progress(min(self._closed, nodes[0].bound)))
            self._nodes += 1
            node = heapq.heappop(nodes)
            for child in self._expand(node):
                numbers -= 1
                child.number = numbers
                heapq.heappush(nodes, child)
            if nodes and nodes[0].bound < self._target and self._due():
                self._anneal(node.may)
        return self._end(min([self._closed, *(node.bound for node in nodes[:1])]), proved=True)

    def _progress(self, bound: float) -> Progress:
        return Progress(time.perf_counter() - self._began, self.incumbent.worth, bound, self._nodes)

    def _end(self, bound: float, *, proved: bool) -> Found:
        best = self.incumbent
        return Found(best.assignment, best.worth, min(bound, best.worth), proved, self._nodes)

    def _due(self) -> bool:
        return self._annealed_s < BURST_SHARE * (time.perf_counter() - self._began)

    def _anneal(self, may: Bools) -> None:
        begun = time.perf_counter()
        self.incumbent.anneal(may & self._arrays.may, BURST * len(may))
        self._annealed_s += time.perf_counter() - begun

    def _close(self, bound: float) -> list[Node]:
        """A node is done with: nothing in it is worth less than ``bound``, or than the best placement."""
        self._closed = min(self._closed, bound)
        return []

    def _expand(self, node: Node) -> list[Node]:
        """Raise the node's bound and rule out what it can; returns its children."""
        root = self._nodes == 1
        if not settle(self._relaxed, node.may, node.must):
            return []
        self._dual.price[:], self._dual.weight[:] = node.price, node.weight
        chunk = FIRST_CHUNK if root else NODE_STEPS
        pace, left = (ROOT_PACE, ROOT_STEPS) if root else (NODE_PACE, NODE_STEPS)
        bound = node.bound
        while left > 0 and pace >= LEAST_PACE:
            steps = min(left, chunk)
            left, chunk = left - steps, min(2 * chunk, LAST_CHUNK)
            raised, pace = ascend(
                self._relaxed, self._dual, node.may, node.must, self._cut_s, self._target, steps, pace
            )
            bound = max(bound, min(raised, self._cut_s))
            if bound < self._target and (root or node.may.size <= SMALL or self._nodes % SELDOM == 0):
                self.incumbent.offer_votes(self._dual.vote, self._arrays.may)
                if self._relaxed.replicas:
                    self.incumbent.offer_packing(self._dual.packed, self._dual.vote)
            if bound >= self._target or not self._rule_out(node):
                return self._close(bound if bound >= self._target else self._target)
            if self._stop():
                break
            self._report(self._progress(node.bound if not root else bound))
        return self._children(node, bound)

    def _rule_out(self, node: Node) -> bool:
        """Take out choices that cost too much; whether any placement may be left."""
        now = lower_bound(self._relaxed, self._dual, node.may, node.must, self._cut_s)
        slack = self._target - now
        if slack <= 0:
            return False
        costs(self._relaxed, self._dual, node.may, node.must, self._cut_s, slack, self._extra)
        removed = exclude(node.may, node.must, slack, self._extra)
        return not removed or settle(self._relaxed, node.may, node.must)

    def _children(self, node: Node, bound: float) -> list[Node]:
        open_ = node.may & ~node.must
        if not open_.any():
            return self._leaf(node, bound)
        module, device = self._choice(node, open_)
        if not self._relaxed.replicas:
            one_of_equals(self._equal, node.may, node.must, module)
            if not node.may[module, device]:
                device = int(np.where(node.may[module], self._dual.vote[module], -1.0).argmax())
        here, elsewhere = node.may.copy(), node.may.copy()
        here_must = node.must.copy()
        here_must[module, device] = True
        elsewhere[module, device] = False
        price, weight = self._dual.price.copy(), self._dual.weight.copy()
        return [
            Node(bound, 0, elsewhere, node.must, price, weight),
            Node(bound, 0, here, here_must, price, weight),
        ]

    def _choice(self, node: Node, open_: Bools) -> tuple[int, int]:
        """Module and device to branch on: where requests and knapsacks have agreed least of late, as the ascent saw it.

        With one device a module, the module whose slots are off most in all, and the device that they choose most; with
        replicas, the pair that slots choose most and that its knapsack leaves out.
        """
        apart = self._dual.along if not self._relaxed.replicas else np.maximum(self._dual.along, 0.0)
        score = np.zeros_like(self._dual.vote)
        np.add.at(score, self._relaxed.slot, np.abs(apart))
        share = np.where(node.may, self._dual.vote, 0.0)
        share /= share.sum(axis=1, keepdims=True) + 1e-12
        if not self._relaxed.replicas:
            score = np.repeat(score.sum(axis=1, keepdims=True), score.shape[1], axis=1)
        users = np.diff(self._arrays.first_user)[:, None]
        score += 1e-3 * users + 1e-4 * share  # where nothing is apart
        best = int(np.where(open_, score, -1.0).argmax())
        return best // open_.shape[1], best % open_.shape[1]

    def _leaf(self, node: Node, bound: float) -> list[Node]:
        """All is decided: the placement is worth what it is worth."""
        worth = self.incumbent.worth_of(node.must)
        return self._close(max(bound, worth))
