"""An onloading instance as arrays: the one reading of it that the evaluator, the programs and the algorithms share.

A *row* is a pair of a client and a task that it asks (demand above 0); rows stand server by server, and client by
client within a server, so that each has a slice of them. Where servers stand above servers, the rows of all that are
below one stand together, so that it has a slice, too. A *stop* is a pair of a row and a server on the row's way to the
cloud; stops stand by the server's level (those whose backhaul leads to the cloud first), then by row, so that each
server has a slice of them. Without servers above servers there is one stop a row, in the same order.

Sizes: R rows, P stops, C clients, S servers, D servers on the longest way, T tasks, J models, K backbones, B batch
sizes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from splitshare.onloading.instance import Compute, OnloadingInstance

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Arrays:
    """See the module; clients and servers are numbered as in the instance."""

    instance: OnloadingInstance
    row_client: Ints
    """Shape (R,)."""
    row_task: Ints
    row_server: Ints
    """The client's own server."""
    rate: Floats
    """Queries a second, shape (R,)."""
    size: Floats
    """Bytes of a query, shape (R,)."""
    accuracy: Floats
    """Of a model on the row's task, 0 where it does not serve it, shape (R, J)."""
    serves: Flags
    """Whether the model serves the row's task, shape (R, J)."""
    memory: Floats
    """Bytes of each model, without its backbone, shape (J,)."""
    backbone: Ints
    """Position of each model's backbone, -1 where it shares none, shape (J,)."""
    backbone_memory: Floats
    """Bytes of each backbone, shape (K,)."""
    variant: Ints
    """Position of the group that each model is a variant of, -1 where it is of none, shape (J,)."""
    client_memory: Floats
    server_memory: Floats
    client_s: Floats
    """Seconds of a query on each client, infinite where the model cannot run, shape (C, J)."""
    edge_s: Floats
    """Seconds of a query's share in a batch on each server, shape (S, J, B)."""
    cloud_s: Floats
    """Shape (J,)."""
    client_allowed: Flags
    """Whether the client may answer the row with a model (it serves the task within the limit), shape (R, J)."""
    edge_allowed: Flags
    """The same for each stop's server, by batch size, shape (P, J, B)."""
    cloud_allowed: Flags
    """The same for the cloud, nothing where it may not compute, shape (R, J)."""
    least_rate: Floats
    """Queries a second that fill batches in time, shape (B,)."""
    client_limit: Floats
    """Seconds of computing a second that a plan may use, shape (C,)."""
    server_limit: Floats
    cloud_limit: float
    uplink: Floats
    """Bytes a second that a plan may use, shape (C,)."""
    backhaul: Floats
    client_server: Ints
    """Each client's server, shape (C,)."""
    client_rows: Ints
    """First row of each client in the order of the rows, and one past the last, shape (C, 2)."""
    server_rows: Ints
    """The same for servers, of all rows whose way passes them, shape (S, 2)."""
    way: Ints
    """Servers from each server to the cloud, itself first, filled with -1; shape (S, D)."""
    stop_row: Ints
    """Shape (P,)."""
    stop_server: Ints
    stop_hops: Ints
    """Backhauls that a query of the row has passed there, shape (P,)."""
    server_stops: Ints
    """First stop of each server, and one past the last, shape (S, 2)."""

    @property
    def tiers(self) -> bool:
        """Whether any server stands above another."""
        return len(self.way[0]) > 1

    @property
    def above(self) -> Ints:
        """The server that each server's backhaul leads to, -1 for the cloud, shape (S,)."""
        above: Ints = self.way[:, 1] if self.tiers else np.full(len(self.way), -1)
        return above

    def at_stops(self, of_rows: Floats) -> Floats:
        """For each stop what is its row's, shape (P, ...); the same array where every row has one stop."""
        return of_rows[self.stop_row] if self.tiers else of_rows

    def passed(self, row: Ints, hops: Ints) -> Ints:
        """The servers whose backhauls queries pass, filled with -1; shape (queries, D).

        Args:
            row: of each query, shape (queries,).
            hops: how many it passes; more than there are on its way: all of them.
        """
        way = self.way[self.row_server[row]]
        return np.where(np.arange(way.shape[1]) < hops[:, None], way, -1)

    def hops(self, row: Ints, server: Ints) -> Ints:
        """Backhauls between each row's own server and a server on its way, shape (queries,)."""
        length = (self.way >= 0).sum(axis=1)
        hops: Ints = length[self.row_server[row]] - length[server]
        return hops

    @property
    def demand(self) -> float:
        """Queries a second over all rows."""
        return float(self.rate.sum())

    @property
    def alone(self) -> Floats:
        """Bytes of each model where no other that shares its backbone stands, shape (J,)."""
        alone: Floats = self.memory.copy()
        shares = self.backbone >= 0
        alone[shares] += self.backbone_memory[self.backbone[shares]]
        return alone

    def used_bytes(self, held: Flags) -> Floats:
        """Bytes of the models that locations hold, a backbone once at each, shape (locations,).

        Args:
            held: whether a location holds a model, shape (locations, J).
        """
        used: Floats = np.where(held, self.memory, 0.0).sum(axis=1)
        for position, size in enumerate(self.backbone_memory):
            used += size * held[:, self.backbone == position].any(axis=1)
        return used


# Long: one array after the other, each in two or three lines of the same kind.
def arrays_of(instance: OnloadingInstance, *, batching: bool = True) -> Arrays:
    """Read ``instance`` into arrays.

    Args:
        instance: the instance.
        batching: whether servers may batch; if not, batches of one are all that there is.
    """
    batches = instance.batches if batching else instance.batches[:1]
    tasks = {task.name: i for i, task in enumerate(instance.tasks)}
    servers = {server.name: i for i, server in enumerate(instance.servers)}
    backbones = {backbone.name: i for i, backbone in enumerate(instance.backbones)}
    groups = {group: i for i, group in enumerate(dict.fromkeys(m.variant_of for m in instance.models if m.variant_of))}
    client_server = np.array([servers[client.server] for client in instance.clients], dtype=np.int64)
    upstream = [-1 if server.upstream is None else servers[server.upstream] for server in instance.servers]
    rows = [
        (c, task, rate)
        for c in np.argsort(_together(upstream)[client_server], kind="stable").tolist()
        for name, task in tasks.items()
        if (rate := instance.clients[c].demand_per_s.get(name, 0.0)) > 0
    ]
    row_client = np.array([c for c, _, _ in rows], dtype=np.int64)
    row_task = np.array([t for _, t, _ in rows], dtype=np.int64)
    row_server = client_server[row_client]
    limit = np.array([task.latency_limit_s for task in instance.tasks])[row_task]
    size = np.array([task.query_bytes for task in instance.tasks])[row_task]
    shares = [model.accuracy for model in instance.models]
    accuracy = np.array([[share.get(name, 0.0) for share in shares] for name in tasks])
    serves = np.array([[name in share for share in shares] for name in tasks])

    devices = [client.device for client in instance.clients] + [server.device for server in instance.servers]
    # Start and per-query seconds, infinite where a model cannot run.
    start, each = per_device(
        instance,
        [*devices, instance.cloud.device],
        lambda compute: (compute.start_s, compute.per_query_s),
        np.inf,
    )
    clients, here = len(instance.clients), slice(len(instance.clients), -1)
    client_s, cloud_s = start[:clients] + each[:clients], start[-1] + each[-1]
    sizes = np.array([batch.size for batch in batches])
    batch_s = start[here, :, None] + each[here, :, None] * sizes
    may_use = 1.0 if instance.utilisation is None else instance.utilisation
    uplink = np.array([client.uplink_bytes_per_s for client in instance.clients])
    uplink_latency = np.array([client.uplink_latency_s for client in instance.clients])
    backhaul = np.array([server.backhaul_bytes_per_s for server in instance.servers])
    backhaul_latency = np.array([server.backhaul_latency_s for server in instance.servers])
    wait = np.array([batch.wait_s for batch in batches])
    way = _ways(upstream)
    stop_row, stop_server, stop_hops = _stops(way, row_server)
    server_stops = _slices(stop_server, len(instance.servers))
    server_rows = server_stops if way.shape[1] == 1 else _rows_of(server_stops, stop_row)
    arriving = [uplink_latency[row_client] + size / uplink[row_client]]
    for above in way[row_server].T:
        further = arriving[-1] + backhaul_latency[above] + size / backhaul[above]
        arriving.append(np.where(above >= 0, further, arriving[-1]))
    row_serves = serves[row_task]
    at_stop = np.stack(arriving, axis=1)[stop_row, stop_hops]
    edge_latency = at_stop[:, None, None] + wait + batch_s[stop_server]
    return Arrays(
        instance=instance,
        row_client=row_client,
        row_task=row_task,
        row_server=row_server,
        rate=np.array([rate for _, _, rate in rows]),
        size=size,
        accuracy=accuracy[row_task],
        serves=row_serves,
        memory=np.array([model.memory_bytes for model in instance.models], dtype=float),
        backbone=np.array([backbones.get(model.backbone or "", -1) for model in instance.models], dtype=np.int64),
        backbone_memory=np.array([backbone.memory_bytes for backbone in instance.backbones], dtype=float),
        variant=np.array([groups.get(model.variant_of or "", -1) for model in instance.models], dtype=np.int64),
        client_memory=np.array([client.memory_bytes for client in instance.clients], dtype=float),
        server_memory=np.array([server.memory_bytes for server in instance.servers], dtype=float),
        client_s=client_s,
        edge_s=batch_s / sizes,
        cloud_s=cloud_s,
        client_allowed=row_serves & (client_s[row_client] <= limit[:, None]),
        edge_allowed=row_serves[stop_row][:, :, None] & (edge_latency <= limit[stop_row][:, None, None]),
        # A cloud that may not compute answers nothing: no price would say so, as nothing ever runs into its limit.
        cloud_allowed=(instance.cloud.compute_limit > 0)
        & row_serves
        & (arriving[-1][:, None] + cloud_s <= limit[:, None]),
        least_rate=np.array([batch.least_rate_per_s for batch in batches]),
        client_limit=may_use * np.array([client.compute_limit for client in instance.clients]),
        server_limit=may_use * np.array([server.compute_limit for server in instance.servers]),
        cloud_limit=may_use * instance.cloud.compute_limit,
        uplink=may_use * uplink,
        backhaul=may_use * backhaul,
        client_server=client_server,
        client_rows=_slices(row_client, len(instance.clients)),
        server_rows=server_rows,
        way=way,
        stop_row=stop_row,
        stop_server=stop_server,
        stop_hops=stop_hops,
        server_stops=server_stops,
    )


def _together(upstream: list[int]) -> Ints:
    """Position of each server in an order in which all that are below a server follow it; shape (S,).

    Where no server is above another this is the instance's order.
    """
    below: dict[int, list[int]] = {}
    for server, above in enumerate(upstream):
        below.setdefault(above, []).append(server)
    position = np.zeros(len(upstream), dtype=np.int64)
    left, number = below[-1][::-1], 0
    while left:
        server = left.pop()
        position[server] = number
        number += 1
        left += below.get(server, [])[::-1]
    return position


def _ways(upstream: list[int]) -> Ints:
    """Servers from each server to the cloud, itself first, filled with -1; shape (S, D)."""
    if max(upstream) < 0:
        return np.arange(len(upstream))[:, None]
    above = np.array([*upstream, -1], dtype=np.int64)
    steps = [np.arange(len(upstream), dtype=np.int64)]
    while (above[steps[-1]] >= 0).any():
        steps.append(above[steps[-1]])
    return np.stack(steps, axis=1)


def _stops(way: Ints, row_server: Ints) -> tuple[Ints, Ints, Ints]:
    """Row, server and hops of every stop, by level and row."""
    if way.shape[1] == 1:  # no server above another
        return np.arange(len(row_server)), row_server, np.zeros(len(row_server), dtype=np.int64)
    ways = way[row_server]
    row, hops = np.nonzero(ways >= 0)
    server = ways[row, hops]
    order = np.lexsort((row, (way >= 0).sum(axis=1)[server]))
    return row[order], server[order], hops[order]


def _rows_of(server_stops: Ints, stop_row: Ints) -> Ints:
    """First row of each server and one past its last, (0, 0) where no row passes it; shape (S, 2)."""
    rows = np.zeros(server_stops.shape, dtype=np.int64)
    passed = server_stops[:, 1] > 0
    rows[passed] = stop_row[server_stops[passed] - (0, 1)] + (0, 1)
    return rows


def per_device(
    instance: OnloadingInstance,
    devices: list[str],
    figures: Callable[[Compute], tuple[float, float]],
    otherwise: float,
) -> tuple[Floats, Floats]:
    """Two figures of every model on ``devices``, such as its start and per-query seconds; shape (devices, J) each.

    Args:
        instance: the instance.
        devices: device classes.
        figures: the two of what an instance says of a model and a class.
        otherwise: both of a model that cannot run there.
    """
    by_class = {
        name: [
            figures(model.compute[name]) if name in model.compute else (otherwise, otherwise)
            for model in instance.models
        ]
        for name in dict.fromkeys(devices)
    }
    number = {name: i for i, name in enumerate(by_class)}
    both = np.array(list(by_class.values()), dtype=float)[[number[name] for name in devices]]
    return both[:, :, 0], both[:, :, 1]


def _slices(owner: Ints, count: int) -> Ints:
    """First and one past the last position of each owner; owners stand together. (0, 0) where there is none."""
    slices = np.zeros((count, 2), dtype=np.int64)
    owners = owner.tolist()
    starts = [position for position, index in enumerate(owners) if position == 0 or index != owners[position - 1]]
    slices[owner[starts]] = np.array([starts, [*starts[1:], len(owners)]]).T
    return slices
