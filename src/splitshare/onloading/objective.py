"""The one evaluator of the onloading problem: what a decision is worth, and whether it keeps the rules (ours).

The objective is the mean accuracy over all queries: ``sum(rate x accuracy x fraction) / sum(rate)``, where a query
that nobody answers counts as wrong. The rules:

1. the models at a client or a server fit its memory, a backbone that several of them use counted once; the cloud
   holds every model;
2. a query is answered by a model that serves its task and stands where it is answered: at its client, at its client's
   server, at a server above that one on the way to the cloud, or in the cloud; the fractions of a client's queries of a
   task sum to at most 1;
3. the idle latency of a query keeps its task's limit: transfers, the longest wait for its batch, and the batch;
4. computing at each client, each server and in the cloud, uplinks (edge and cloud queries) and backhauls (queries
   that are answered above that server) stay within their limits; a query in a batch of B costs ``(start + per_query x
   B) / B`` seconds;
5. where a server batches a model, queries arrive often enough to fill batches in time: ``rate >= (B - 1) / wait``.
   A model that answers nothing need not fill any;
6. of each task that states them, and that anybody asks, the least accuracy and the least share served are reached, over
   all clients' queries of that task; one that nobody answers counts as wrong;
7. where the instance limits energy, the mean joules a query, over all queries asked, stay within the limit: those of
   the model where it runs (a query in a batch of B takes ``(start + per_query x B) / B``), and of the client's uplink
   for queries that leave it. A query that nobody answers takes none;
8. of the models that are variants of one (``variant_of``), at most one stands at a client, and at most one at a
   server, whatever its batch size; the cloud holds all of them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from splitshare.errors import WorkError
from splitshare.onloading.arrays import Arrays, Floats, Ints
from splitshare.onloading.instance import PLACES, Flow, Onloading, OnloadingInstance
from splitshare.onloading.side_constraints import SideConstraints, side_constraints_of
from splitshare.records import nearest

TOLERANCE = 1e-7
"""Largest relative excess over a limit that counts as rounding."""
USED = 1e-9
"""Fractions up to this are a solver's rounding."""
CLIENT, EDGE, CLOUD = range(3)
"""Positions in ``PLACES``."""


class InfeasibleDecisionError(WorkError):
    """A decision breaks a rule of its instance; the message names the rule."""


@dataclass(frozen=True)
class Hosts:
    """Onloaded models as arrays."""

    client: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]
    """Whether a client holds a model, shape (C, J)."""
    server: Ints
    """Position of the batch size that a server runs a model with, -1 where it does not hold it, shape (S, J)."""


@dataclass(frozen=True)
class Offloading:
    """Who answers which queries: one entry a row, model, place and server with a fraction above 0; shape (entries,)."""

    row: Ints
    model: Ints
    place: Ints
    """Position in ``PLACES``."""
    server: Ints
    """The server of an answer at the edge, -1 elsewhere."""
    fraction: Floats


@dataclass(frozen=True)
class Evaluation:
    """The worth of a decision."""

    objective: float
    """Mean accuracy over all queries."""
    unserved: float
    """Share of the queries that nobody answers."""
    accuracy: dict[str, float]
    """Mean accuracy by task, over the queries of that task."""
    served: dict[str, float]
    """Share of the queries that are answered, by task."""
    energy_j: float | None
    """Mean joules a query, over all queries asked; ``None`` where the instance tells none."""
    answered_at: dict[str, float]
    """Share of the queries answered at each place."""
    utilisation: dict[str, float]
    """Busiest client, server, uplink and backhaul, and the cloud, as shares of their limits."""


def hosts_of(instance: OnloadingInstance, onloading: Onloading) -> Hosts:
    """Read onloaded models by name.

    Raises:
        InfeasibleDecisionError: a location, a model or a batch size that the instance does not have.
    """
    clients = {client.name: i for i, client in enumerate(instance.clients)}
    servers = {server.name: i for i, server in enumerate(instance.servers)}
    models = {model.name: j for j, model in enumerate(instance.models)}
    sizes = {batch.size: b for b, batch in enumerate(instance.batches)}
    hosts = Hosts(
        np.zeros((len(clients), len(models)), dtype=bool), np.full((len(servers), len(models)), -1, dtype=np.int64)
    )
    for location, held in onloading.items():
        if location not in clients and location not in servers:
            hint = nearest(location, [*clients, *servers])
            raise InfeasibleDecisionError(f"unknown client or server {location!r}; {hint}")
        for model, size in held.items():
            if model not in models:
                raise InfeasibleDecisionError(f"{location}: unknown model {model!r}; {nearest(model, list(models))}")
            if location in clients:
                if size != 1:
                    raise InfeasibleDecisionError(f"{location}: clients do not batch; {model!r} has batch size {size}")
                hosts.client[clients[location], models[model]] = True
            elif size not in sizes:
                offered = ", ".join(map(str, sizes))
                raise InfeasibleDecisionError(f"{location}: no batch size {size}; the instance offers {offered}")
            else:
                hosts.server[servers[location], models[model]] = sizes[size]
    return hosts


def onloading_of(instance: OnloadingInstance, hosts: Hosts) -> Onloading:
    """Onloaded models by name: clients and servers in the instance's order, those that hold nothing left out."""
    onloading: Onloading = {}
    for c, j in zip(*np.nonzero(hosts.client), strict=True):
        onloading.setdefault(instance.clients[c].name, {})[instance.models[j].name] = 1
    for s, j in zip(*np.nonzero(hosts.server >= 0), strict=True):
        size = instance.batches[hosts.server[s, j]].size
        onloading.setdefault(instance.servers[s].name, {})[instance.models[j].name] = size
    return onloading


def flows_of(arrays: Arrays, offloading: Offloading) -> tuple[Flow, ...]:
    """The offloading by name, ordered by client, task, place, hops to the server, and model."""
    instance = arrays.instance
    client, task = arrays.row_client[offloading.row], arrays.row_task[offloading.row]
    own = arrays.row_server[offloading.row]
    hops = np.where(offloading.place == EDGE, arrays.hops(offloading.row, offloading.server), 0)
    order = np.lexsort((offloading.model, hops, offloading.place, task, client))
    return tuple(
        Flow(
            client=instance.clients[client[i]].name,
            task=instance.tasks[task[i]].name,
            model=instance.models[offloading.model[i]].name,
            place=PLACES[offloading.place[i]],
            server=None if offloading.server[i] in (-1, own[i]) else instance.servers[offloading.server[i]].name,
            fraction=float(min(offloading.fraction[i], 1.0)),
        )
        for i in order
    )


def offloading_of(arrays: Arrays, flows: tuple[Flow, ...]) -> Offloading:
    """Read an offloading by name.

    Raises:
        InfeasibleDecisionError: a client, a model, a server, or a task that the client does not ask, is unknown.
    """
    instance = arrays.instance
    asked = {
        (instance.clients[c].name, instance.tasks[t].name): r
        for r, (c, t) in enumerate(zip(arrays.row_client, arrays.row_task, strict=True))
    }
    models = {model.name: j for j, model in enumerate(instance.models)}
    servers = {server.name: s for s, server in enumerate(instance.servers)}
    own = {client.name: client.server for client in instance.clients}
    seen: set[tuple[str, str, str, str, str]] = set()
    for flow in flows:
        key = (flow.client, flow.task, flow.model, flow.place, flow.server or own.get(flow.client, ""))
        if (flow.client, flow.task) not in asked:
            raise InfeasibleDecisionError(f"no client {flow.client!r} that asks {flow.task!r}")
        if flow.model not in models:
            raise InfeasibleDecisionError(f"unknown model {flow.model!r}; {nearest(flow.model, list(models))}")
        if flow.server is not None and flow.server not in servers:
            raise InfeasibleDecisionError(f"unknown server {flow.server!r}; {nearest(flow.server, list(servers))}")
        if key in seen:
            raise InfeasibleDecisionError(f"{flow.client}, {flow.task}: {flow.model} ({flow.place}) stands twice")
        seen.add(key)
    return Offloading(
        np.array([asked[flow.client, flow.task] for flow in flows], dtype=np.int64),
        np.array([models[flow.model] for flow in flows], dtype=np.int64),
        np.array([PLACES.index(flow.place) for flow in flows], dtype=np.int64),
        np.array(
            [servers[flow.server or own[flow.client]] if flow.place == "edge" else -1 for flow in flows],
            dtype=np.int64,
        ),
        np.array([flow.fraction for flow in flows], dtype=float),
    )


def check_memory(arrays: Arrays, hosts: Hosts) -> None:
    """Hold onloaded models against memory.

    Raises:
        InfeasibleDecisionError: a client or a server holds more than fits.
    """
    instance = arrays.instance
    held = (
        (instance.clients, arrays.used_bytes(hosts.client), arrays.client_memory),
        (instance.servers, arrays.used_bytes(hosts.server >= 0), arrays.server_memory),
    )
    for locations, used, limit in held:
        over = np.flatnonzero(used > limit * (1 + TOLERANCE))
        if over.size:
            i = int(over[0])
            raise InfeasibleDecisionError(
                f"{locations[i].name}: models of {used[i]:.6g} bytes do not fit {limit[i]:.6g} bytes of memory"
            )


def check_variants(arrays: Arrays, hosts: Hosts) -> None:
    """Hold onloaded models against the rule of variants.

    Raises:
        InfeasibleDecisionError: two variants of one model stand at a client or a server.
    """
    instance = arrays.instance
    for locations, held in ((instance.clients, hosts.client), (instance.servers, hosts.server >= 0)):
        for group in range(arrays.variant.max() + 1):
            members = np.flatnonzero(arrays.variant == group)
            over = np.flatnonzero(held[:, members].sum(axis=1) > 1)
            if over.size:
                i = int(over[0])
                first, second = (instance.models[j] for j in members[held[i, members]][:2])
                raise InfeasibleDecisionError(
                    f"{locations[i].name}: {first.name} and {second.name} are variants of {first.variant_of}; at most "
                    "one of them may stand there"
                )


def check_held(arrays: Arrays, hosts: Hosts) -> None:
    """Hold onloaded models against the rules that speak of them alone: memory and variants.

    Raises:
        InfeasibleDecisionError: one is broken.
    """
    check_memory(arrays, hosts)
    check_variants(arrays, hosts)


def evaluate(arrays: Arrays, hosts: Hosts, offloading: Offloading) -> Evaluation:
    """Check a decision in plain arithmetic and say what it is worth.

    Raises:
        InfeasibleDecisionError: a rule is broken.
    """
    check_held(arrays, hosts)
    row, model, place, fraction = offloading.row, offloading.model, offloading.place, offloading.fraction
    _check_answers(arrays, hosts, offloading)
    total: Floats = np.bincount(row, fraction, minlength=len(arrays.rate)).astype(float)
    _check(arrays, "row", total, np.ones(len(total)))
    queries = arrays.rate[row] * fraction
    utilisation = _utilisation(arrays, hosts, offloading, queries)
    _check_rates(arrays, hosts, offloading, queries)
    side = side_constraints_of(arrays)
    server = offloading.server
    batch = np.where(place == EDGE, hosts.server[server, model], 0)
    _check_side(arrays, side, offloading, batch)
    energy_j = None
    if side.joules is not None:
        energy_j = float((queries * side.joules_of(arrays, row, model, place, server, batch)).sum() / arrays.demand)
    right = queries * arrays.accuracy[row, model]
    demand = arrays.demand
    unserved = float(1 - queries.sum() / demand)
    tasks = range(len(arrays.instance.tasks))
    asked = np.bincount(arrays.row_task, arrays.rate, minlength=len(tasks))
    right_by_task = np.bincount(arrays.row_task[row], right, minlength=len(tasks))
    answered_by_task = np.bincount(arrays.row_task[row], queries, minlength=len(tasks))
    at = np.bincount(place, queries, minlength=len(PLACES)) / demand
    return Evaluation(
        objective=float(right.sum() / demand),
        unserved=unserved if unserved > USED else 0.0,
        accuracy={arrays.instance.tasks[t].name: float(right_by_task[t] / asked[t]) for t in tasks if asked[t] > 0},
        served={
            arrays.instance.tasks[t].name: min(1.0, float(answered_by_task[t] / asked[t]))
            for t in tasks
            if asked[t] > 0
        },
        energy_j=energy_j,
        answered_at={name: float(share) for name, share in zip(PLACES, at, strict=True)},
        utilisation=utilisation,
    )


def _check_answers(arrays: Arrays, hosts: Hosts, offloading: Offloading) -> None:
    row, model, place, server = offloading.row, offloading.model, offloading.place, offloading.server
    if (offloading.fraction < 0).any():
        raise InfeasibleDecisionError("a fraction is negative")
    passes = (arrays.way[arrays.row_server[row]] == server[:, None]).any(axis=1) | (place != EDGE)
    stop = arrays.server_stops[server, 0] + row - arrays.server_rows[server, 0]
    stop = np.where(passes & (place == EDGE), stop, 0)
    batch = hosts.server[server, model]
    stands = np.where(
        place == CLIENT, hosts.client[arrays.row_client[row], model], np.where(place == EDGE, batch >= 0, True)
    )
    allowed = np.where(
        place == CLIENT,
        arrays.client_allowed[row, model],
        np.where(
            place == EDGE, arrays.edge_allowed[stop, model, np.maximum(batch, 0)], arrays.cloud_allowed[row, model]
        ),
    )
    for holds, rule in (
        (passes, "is not on the client's way to the cloud"),
        (stands, "is not there"),
        (allowed, "does not serve the task, or not within its latency limit, or may not compute"),
    ):
        broken = np.flatnonzero(~holds)
        if broken.size:
            i = int(broken[0])
            instance = arrays.instance
            client = instance.clients[arrays.row_client[row[i]]].name
            task = instance.tasks[arrays.row_task[row[i]]].name
            at = PLACES[place[i]]
            if place[i] == EDGE and server[i] != arrays.row_server[row[i]]:
                at += f", {instance.servers[server[i]].name}"
            where = f"{instance.models[model[i]].name} ({at})"
            raise InfeasibleDecisionError(f"{client}, {task}: {where} {rule}")


def _utilisation(arrays: Arrays, hosts: Hosts, offloading: Offloading, queries: Floats) -> dict[str, float]:
    """Check every limit, and say how close the busiest of each kind comes to it."""
    row, model, place, server = offloading.row, offloading.model, offloading.place, offloading.server
    client = arrays.row_client[row]
    clients, servers = len(arrays.client_limit), len(arrays.server_limit)
    here, edge, cloud = (place == p for p in (CLIENT, EDGE, CLOUD))
    batch = hosts.server[server, model]
    sent = queries * arrays.size[row]
    hops = np.where(edge, arrays.hops(row, server), np.where(cloud, arrays.way.shape[1], 0))
    backhaul = np.zeros(servers)
    for link in arrays.passed(row, hops).T:
        backhaul += np.bincount(link[link >= 0], sent[link >= 0], minlength=servers)
    loads = {
        "client": (
            np.bincount(client[here], queries[here] * arrays.client_s[client[here], model[here]], minlength=clients),
            arrays.client_limit,
        ),
        "server": (
            np.bincount(
                server[edge], queries[edge] * arrays.edge_s[server[edge], model[edge], batch[edge]], minlength=servers
            ),
            arrays.server_limit,
        ),
        "cloud": (np.array([(queries[cloud] * arrays.cloud_s[model[cloud]]).sum()]), np.array([arrays.cloud_limit])),
        "uplink": (np.bincount(client[~here], sent[~here], minlength=clients), arrays.uplink),
        "backhaul": (backhaul, arrays.backhaul),
    }
    share = {}
    for name, (used, limit) in loads.items():
        _check(arrays, name, used, limit)
        share[name] = float(np.divide(used, limit, out=np.zeros(len(limit)), where=limit > 0).max())
    return share


def _check_rates(arrays: Arrays, hosts: Hosts, offloading: Offloading, queries: Floats) -> None:
    at_edge = offloading.place == EDGE
    arriving = np.zeros(hosts.server.shape)
    np.add.at(arriving, (offloading.server[at_edge], offloading.model[at_edge]), queries[at_edge])
    least = np.where(hosts.server >= 0, arrays.least_rate[np.maximum(hosts.server, 0)], 0.0)
    late = np.argwhere((arriving > 0) & (arriving < least * (1 - TOLERANCE) - TOLERANCE))
    if late.size:
        s, j = late[0]
        instance = arrays.instance
        raise InfeasibleDecisionError(
            f"{instance.servers[s].name}: {arriving[s, j]:.4g} queries a second of {instance.models[j].name} do not "
            f"fill batches in time; {least[s, j]:.4g} would"
        )


def _check_side(arrays: Arrays, side: SideConstraints, offloading: Offloading, batch: Ints) -> None:
    if not len(side):
        return
    limit, use = side.terms(arrays, offloading.row, offloading.model, offloading.place, offloading.server, batch)
    used = np.bincount(limit.ravel(), (use * offloading.fraction[:, None]).ravel(), minlength=len(side) + 1)[:-1]
    excess = used - side.bound - TOLERANCE * np.where(side.bound < 0, np.maximum(-side.bound, 0.1), side.bound)
    if (excess > 0).any():
        k = int(np.argmax(excess))
        least, value, allowed = side.bound[k] < 0, abs(used[k]), abs(side.bound[k])
        raise InfeasibleDecisionError(
            f"{side.names[k]} is {value:.6g}, {'below its least' if least else 'above its limit'} {allowed:.6g}"
        )


def _check(arrays: Arrays, kind: str, used: Floats, limit: Floats) -> None:
    excess = used - limit * (1 + TOLERANCE) - TOLERANCE * 1e-3
    if (excess > 0).any():
        i = int(np.argmax(excess))
        raise InfeasibleDecisionError(f"{_what(arrays, kind, i)} is {used[i]:.9g}, above its limit {limit[i]:.9g}")


def _what(arrays: Arrays, kind: str, i: int) -> str:
    clients, servers, tasks = arrays.instance.clients, arrays.instance.servers, arrays.instance.tasks
    if kind == "row":
        return f"{clients[arrays.row_client[i]].name}, {tasks[arrays.row_task[i]].name}: the sum of the fractions"
    if kind == "cloud":
        return "the load of the cloud"
    return f"{(clients if kind in ('client', 'uplink') else servers)[i].name}: the load of the {kind}"
