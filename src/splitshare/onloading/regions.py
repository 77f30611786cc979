"""Regional servers put over an instance's servers: how instances of more than one tier are had (rules ours).

Servers are taken in the instance's order, so many to a region. A region's server is of the device of the first of them.
Its memory and its computing are multiples of what its servers have in the mean, its backhaul is a share of what theirs
carry together. The way to the cloud takes as long as before, but for the one transfer more: of the least latency among
its servers' backhauls a share is the region's. Nothing is random.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from statistics import fmean

from splitshare.names import joined
from splitshare.onloading.instance import OnloadingInstance, Server


@dataclass(frozen=True)
class Regions:
    """What regional servers are like."""

    servers: int = 2
    """Most servers in a region."""
    memory: float = 2.0
    """Bytes, over the mean of its servers'."""
    compute: float = 1.0
    """Limit on computing, over the mean of its servers'."""
    backhaul: float = 1.0
    """Bytes a second of its backhaul, over the sum of its servers'."""
    latency: float = 0.5
    """Share of the least backhaul latency among its servers that lies between region and cloud."""


def with_regions(instance: OnloadingInstance, regions: Regions) -> OnloadingInstance:
    """The instance with a server over every ``regions.servers`` of those whose backhaul leads to the cloud.

    On an instance that has regions already these get servers above them in turn.
    """
    tops = [server for server in instance.servers if server.upstream is None]
    names = _free_names({server.name for server in instance.servers} | {c.name for c in instance.clients})
    above: list[Server] = []
    changed: dict[str, Server] = {}
    for first in range(0, len(tops), regions.servers):
        below = tops[first : first + regions.servers]
        latency_s = regions.latency * min(server.backhaul_latency_s for server in below)
        region = Server(
            name=next(names),
            device=below[0].device,
            memory_bytes=regions.memory * fmean(server.memory_bytes for server in below),
            compute_limit=regions.compute * fmean(server.compute_limit for server in below),
            backhaul_bytes_per_s=regions.backhaul * sum(server.backhaul_bytes_per_s for server in below),
            backhaul_latency_s=latency_s,
        )
        above.append(region)
        for server in below:
            update = {"upstream": region.name, "backhaul_latency_s": server.backhaul_latency_s - latency_s}
            changed[server.name] = server.model_copy(update=update)
    servers = tuple(changed.get(server.name, server) for server in instance.servers)
    return instance.with_changes(
        name=joined(instance.name, "regions", between="-"), size_class=None, servers=(*servers, *above)
    )


def _free_names(taken: set[str]) -> Iterator[str]:
    """``region-1`` and so on, as far as nobody is called so."""
    number = 0
    while True:
        number += 1
        if f"region-{number}" not in taken:
            yield f"region-{number}"
