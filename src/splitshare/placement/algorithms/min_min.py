"""Min-min."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from splitshare.placement.batch_mapping import map_batches, min_min
from splitshare.placement.instance import Assignment, PlacementInstance
from splitshare.placement.request_graph import RequestGraph


@dataclass(frozen=True)
class MinMin:
    """Min-min: of the tasks that are ready, the one that can finish soonest goes to where it does.

    Source: Ibarra, Kim, *Heuristic Algorithms for Scheduling Independent Tasks on Nonidentical Processors*, J. ACM 24
    (1977), heuristic D. Adapted: tasks depend on each other (``placement.batch_mapping``), modules are placed once and
    serve every request, devices have memory (``placement.request_graph``).
    """

    name: ClassVar[str] = "min-min"

    def place(self, instance: PlacementInstance, *, seed: int, time_limit: float | None) -> Assignment | None:
        """Place every module, or ``None`` at a dead end; deterministic, so ``seed`` is not used."""
        requests = RequestGraph(instance)
        slots = map_batches(requests.graph, requests, min_min, refill=False)
        return None if slots is None else requests.assignment()
