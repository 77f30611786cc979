"""Critical path on a processor."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from splitshare.placement.instance import Assignment, PlacementInstance
from splitshare.placement.list_scheduling import cpop
from splitshare.placement.request_graph import RequestGraph


@dataclass(frozen=True)
class Cpop:
    """CPOP: the critical path to the device that computes it soonest, the rest where it finishes earliest.

    Source: Topcuoglu, Hariri, Wu, *Performance-effective and low-complexity task scheduling for heterogeneous
    computing*, IEEE Trans. Parallel Distrib. Syst. 13 (2002). Adapted: modules are placed once and serve every request,
    devices have memory; ``placement.request_graph`` says how.
    """

    name: ClassVar[str] = "cpop"

    def place(self, instance: PlacementInstance, *, seed: int, time_limit: float | None) -> Assignment | None:
        """Place every module, or ``None`` at a dead end; deterministic, so ``seed`` is not used."""
        requests = RequestGraph(instance)
        return None if cpop(requests.graph, requests) is None else requests.assignment()
