"""Everything on the device that asks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from splitshare.placement.feasible import if_feasible
from splitshare.placement.instance import Assignment, PlacementInstance


@dataclass(frozen=True)
class Local:
    """Every module on the source of the requests that use it: the baseline without any distribution (ours)."""

    name: ClassVar[str] = "local"

    def place(self, instance: PlacementInstance, *, seed: int, time_limit: float | None) -> Assignment | None:
        """Place on the sources; ``None`` where memory is short, or sources differ and may not each have a copy."""
        sources: Assignment = {m.name: () for m in instance.modules}
        for request in instance.requests:
            for name in (*(e.module for e in request.encoders), request.head):
                if request.source not in sources[name]:
                    sources[name] += (request.source,)
        first = instance.requests[0].source
        placed = {name: hosts or (first,) for name, hosts in sources.items()}
        return if_feasible(instance, placed)
