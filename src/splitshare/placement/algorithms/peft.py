"""Predict earliest finish time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from splitshare.placement.instance import Assignment, PlacementInstance
from splitshare.placement.peft import peft
from splitshare.placement.request_graph import RequestGraph


@dataclass(frozen=True)
class Peft:
    """PEFT: a task goes where its finish, and what must follow it at the least, are soonest together.

    Source: Arabnejad, Barbosa, *List Scheduling Algorithm for Heterogeneous Systems by an Optimistic Cost Table*, IEEE
    Trans. Parallel Distrib. Syst. 25 (2014). Adapted: modules are placed once and serve every request, devices have
    memory; ``placement.request_graph`` says how.
    """

    name: ClassVar[str] = "peft"

    def place(self, instance: PlacementInstance, *, seed: int, time_limit: float | None) -> Assignment | None:
        """Place every module, or ``None`` at a dead end; deterministic, so ``seed`` is not used."""
        requests = RequestGraph(instance)
        return None if peft(requests.graph, requests) is None else requests.assignment()
