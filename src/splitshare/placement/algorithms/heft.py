"""Heterogeneous earliest finish time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from splitshare.placement.instance import Assignment, PlacementInstance
from splitshare.placement.list_scheduling import heft
from splitshare.placement.request_graph import RequestGraph


@dataclass(frozen=True)
class Heft:
    """HEFT: tasks in descending upward rank, each to the device where it finishes earliest, gaps used.

    Source: Topcuoglu, Hariri, Wu, *Performance-effective and low-complexity task scheduling for heterogeneous
    computing*, IEEE Trans. Parallel Distrib. Syst. 13 (2002). Adapted: modules are placed once and serve every request,
    devices have memory; ``placement.request_graph`` says how.
    """

    name: ClassVar[str] = "heft"

    def place(self, instance: PlacementInstance, *, seed: int, time_limit: float | None) -> Assignment | None:
        """Place every module, or ``None`` at a dead end; deterministic, so ``seed`` is not used."""
        requests = RequestGraph(instance)
        return None if heft(requests.graph, requests) is None else requests.assignment()
