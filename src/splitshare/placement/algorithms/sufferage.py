"""Sufferage."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from splitshare.placement.batch_mapping import map_batches, most_suffering, sufferage
from splitshare.placement.instance import Assignment, PlacementInstance
from splitshare.placement.request_graph import RequestGraph


@dataclass(frozen=True)
class Sufferage:
    """Sufferage: tasks that want the same device contend for it; it goes to the one that would suffer most without.

    Source: Maheswaran, Ali, Siegel, Hensgen, Freund, *Dynamic Mapping of a Class of Independent Tasks onto
    Heterogeneous Computing Systems*, J. Parallel Distrib. Comput. 59 (1999). Adapted: tasks depend on each other
    (``placement.batch_mapping``), modules are placed once and serve every request, devices have memory
    (``placement.request_graph``).
    """

    name: ClassVar[str] = "sufferage"
    mapped: Literal["winners", "one"] = "winners"
    """What is mapped before times are looked at again: the winner of each device, as in the paper, or only the task
    that suffers most, as SAGA does it."""

    def place(self, instance: PlacementInstance, *, seed: int, time_limit: float | None) -> Assignment | None:
        """Place every module, or ``None`` at a dead end; deterministic, so ``seed`` is not used."""
        requests = RequestGraph(instance)
        choose = sufferage if self.mapped == "winners" else most_suffering
        slots = map_batches(requests.graph, requests, choose, refill=True)
        return None if slots is None else requests.assignment()
