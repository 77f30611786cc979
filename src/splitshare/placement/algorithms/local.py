"""Everything on the device that asks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from splitshare.placement.instance import Assignment, PlacementInstance


@dataclass(frozen=True)
class Local:
    """Every module on the source of the requests that use it: the baseline without any distribution (ours)."""

    name: ClassVar[str] = "local"

    def place(self, instance: PlacementInstance, *, seed: int, time_limit: float | None) -> Assignment | None:
        """Place on the sources; ``None`` where sources differ and the instance does not allow replication."""
        sources: Assignment = {m.name: () for m in instance.modules}
        for request in instance.requests:
            for name in (*(e.module for e in request.encoders), request.head):
                if request.source not in sources[name]:
                    sources[name] += (request.source,)
        first = instance.requests[0].source
        placed = {name: hosts or (first,) for name, hosts in sources.items()}
        if not instance.replication and any(len(hosts) > 1 for hosts in placed.values()):
            return None
        return placed
