"""By what rules devices serve a replay's requests, as a record that is empty where all is as it always was.

Queues: a device serves one module run at a time, first come, first served, or the one of highest priority that waits
(non-preemptive: what runs is finished first; first come, first served within a priority); or it shares itself, in
equal parts, among all that are there (processor sharing). Links are first come, first served always.

Routing: a placement may hold a module on several devices. By plan, a class always takes the evaluator's route. By
least completion, a request takes the route by which it would be done first if each device and link first served all
that was sent to it (at its own priority and above) and nothing came after: minimum completion time (Maheswaran et al.
1999) of a whole route; on an idle system that is the evaluator's. By the shortest queue, it takes the route with the
fewest unfinished runs on the devices of its modules (Winston 1977). Ties go to the route that is faster on an idle
system. A request is routed at its arrival and stays on its route.

Memory: where a device is given more than fits, a module that is not there when its turn comes is loaded first; the
device is held meanwhile, and what was used least recently goes out. At the start the modules are there in the
instance's order, as far as they fit.

Deadlines: no run or transfer of a request starts later than its class's deadline after its arrival. When the next one
would, the request is dropped; what is under way ends. A handover inside a device takes nothing and is never refused.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from splitshare.choices import Queue, Routing
from splitshare.errors import InputError
from splitshare.placement.instance import PlacementInstance
from splitshare.records import nearest


@dataclass(frozen=True)
class Swapping:
    """Memory that is short."""

    load_s: Mapping[tuple[str, str], float]
    """Seconds of loading by device and module; of all that stand on a device which cannot hold them all."""
    memory_bytes: Mapping[str, float] = field(default_factory=dict)
    """Bytes for modules by device, where they are others than the instance's."""


@dataclass(frozen=True)
class Serving:
    """Rules of a replay (ours); the default is what the simulator always does."""

    queues: Mapping[str, Queue] = field(default_factory=dict)
    """By device; others are first come, first served."""
    priority: Mapping[str, int] = field(default_factory=dict)
    """By request class, where some device serves by priority; the greatest number goes first."""
    routing: Routing = "plan"
    hosts: Mapping[str, Sequence[str]] | None = None
    """Devices by module, as placed; for routing among copies, and for swapping."""
    swapping: Swapping | None = None
    deadline_s: Mapping[str, float] = field(default_factory=dict)
    """Seconds after the arrival by request class; others have none."""

    @property
    def plain(self) -> bool:
        """Whether all is first come, first served on one route."""
        return not (set(self.queues.values()) - {"fcfs"} or self.routing != "plan" or self.swapping or self.deadline_s)

    @property
    def runs_as_planned(self) -> bool:
        """Whether every request runs what the plan says, and nothing else is done: only the order may be another."""
        return self.routing == "plan" and self.swapping is None and not self.deadline_s

    def check(self, instance: PlacementInstance) -> None:
        """See that the rules fit each other and the instance.

        Raises:
            InputError: they do not; says which and the mend.
        """
        for device in self.queues:
            if device not in instance.devices_by_name:
                raise InputError(
                    "--queue", device, f"unknown device; {nearest(device, list(instance.devices_by_name))}"
                )
        chosen = set(self.queues.values())
        if "priority" in chosen:
            lacking = [request.name for request in instance.requests if request.name not in self.priority]
            if lacking:
                raise InputError("--priorities", lacking[0], "has none, and a device serves by priority; add a row")
        elif self.priority:
            raise InputError("--priorities", "", "no device serves by priority; say --queue priority, or leave it out")
        if "ps" in chosen and self.routing == "least-completion":
            problem = "tells no completion of devices that share themselves (ps); choose shortest-queue or plan"
            raise InputError("--routing", self.routing, problem)
        if "ps" in chosen and self.swapping is not None:
            problem = "modules are loaded by devices that serve one run at a time; leave out ps, or the load times"
            raise InputError("--queue", "ps", problem)
        if self.hosts is None and (self.routing != "plan" or self.swapping is not None):
            raise InputError("hosts", "", "routing among copies and swapping need the devices of each module")


AS_ALWAYS = Serving()
"""First come, first served, on one route a class, all modules in memory, no deadline."""
