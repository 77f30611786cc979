"""The onloading problem once more, from the instance's own fields, in plain loops and by scipy."""

import itertools

import numpy as np
from scipy.optimize import linprog

from splitshare.onloading.instance import OnloadingInstance


def way_of(instance: OnloadingInstance, client):
    """Names of the servers between a client and the cloud."""
    above = {s.name: s.upstream for s in instance.servers}
    way = [client.server]
    while above[way[-1]] is not None:
        way.append(above[way[-1]])
    return way


def passes(instance: OnloadingInstance, client, place, server):
    """Whether a query that is answered at ``place`` travels over the backhaul of ``server``."""
    way = way_of(instance, client)
    if place == "client" or server not in way:
        return False
    return place == "cloud" or way.index(server) < way.index(place)


def answers(instance: OnloadingInstance, onloading):
    """Every (client, task, model, place, batch, accuracy, seconds of computing per query) that the rules allow.

    A place is ``client``, ``cloud`` or a server's name.
    """
    servers = {s.name: s for s in instance.servers}
    batches = {b.size: b for b in instance.batches}
    found = []
    for client in instance.clients:
        for task in instance.tasks:
            if client.demand_per_s.get(task.name, 0) <= 0:
                continue
            up = client.uplink_latency_s + task.query_bytes / client.uplink_bytes_per_s
            arrived, at_s = {}, up
            for name in way_of(instance, client):
                arrived[name] = at_s
                at_s += servers[name].backhaul_latency_s + task.query_bytes / servers[name].backhaul_bytes_per_s
            for model in instance.models:
                if task.name not in model.accuracy:
                    continue
                places = [("cloud", instance.cloud.device, 1, at_s)]
                if model.name in onloading.get(client.name, {}):
                    places.append(("client", client.device, 1, 0.0))
                for name, here_s in arrived.items():
                    if model.name in onloading.get(name, {}):
                        size = onloading[name][model.name]
                        places.append((name, servers[name].device, size, here_s + batches[size].wait_s))
                for place, device, size, before in places:
                    if device not in model.compute:
                        continue
                    c = model.compute[device]
                    whole = c.start_s + c.per_query_s * size
                    if before + whole <= task.latency_limit_s:
                        found.append((client, task, model, place, size, model.accuracy[task.name], whole / size))
    return found


def best_offloading(instance: OnloadingInstance, onloading) -> float | None:  # noqa: PLR0912 - one limit after the other
    """Mean accuracy of the best offloading; ``None`` where batches cannot fill, or side constraints not be kept."""
    columns = answers(instance, onloading)
    demand = sum(rate for c in instance.clients for rate in c.demand_per_s.values())
    rows, right = [], []

    def limit(use, bound):
        row = [use(*column) for column in columns]
        rows.append(row)
        right.append(bound)

    for client in instance.clients:
        for task in instance.tasks:
            limit(lambda c, t, *_, a=client, b=task: float(c is a and t is b), 1.0)
        limit(
            lambda c, t, m, p, b, a, s, x=client: (c is x and p == "client") * c.demand_per_s[t.name] * s,
            client.compute_limit,
        )
        limit(
            lambda c, t, m, p, b, a, s, x=client: (c is x and p != "client") * c.demand_per_s[t.name] * t.query_bytes,
            client.uplink_bytes_per_s,
        )
    for server in instance.servers:
        limit(
            lambda c, t, m, p, b, a, s, x=server.name: (p == x) * c.demand_per_s[t.name] * s,
            server.compute_limit,
        )
        limit(
            lambda c, t, m, p, b, a, s, x=server.name: (
                passes(instance, c, p, x) * c.demand_per_s[t.name] * t.query_bytes
            ),
            server.backhaul_bytes_per_s,
        )
        for model in instance.models:
            size = onloading.get(server.name, {}).get(model.name, 1)
            if size > 1:
                (batch,) = [b for b in instance.batches if b.size == size]
                limit(
                    lambda c, t, m, p, b, a, s, x=server.name, y=model: (
                        -float(m is y and p == x) * c.demand_per_s[t.name]
                    ),
                    -(size - 1) / batch.wait_s,
                )
    limit(lambda c, t, m, p, b, a, s: (p == "cloud") * c.demand_per_s[t.name] * s, instance.cloud.compute_limit)
    for task in instance.tasks:
        asked = sum(c.demand_per_s.get(task.name, 0) for c in instance.clients)
        for least, right_only in ((task.least_accuracy, True), (task.least_served, False)):
            if least is not None and asked > 0:
                limit(
                    lambda c, t, m, p, b, a, s, x=task, y=right_only, z=asked: (
                        -float(t is x) * c.demand_per_s[t.name] / z * (a if y else 1)
                    ),
                    -least,
                )
    if instance.energy_limit_j is not None:
        limit(
            lambda c, t, m, p, b, a, s: c.demand_per_s[t.name] * joules(instance, c, t, m, p, b) / demand,
            instance.energy_limit_j,
        )
    if not columns:
        return 0.0 if min(right) >= 0 else None
    gains = [c.demand_per_s[t.name] * a for c, t, _, _, _, a, _ in columns]
    for method in ("highs-ipm", "highs-ds"):  # the first now and then ends undecided
        result = linprog(-np.array(gains), A_ub=np.array(rows), b_ub=np.array(right), bounds=(0, None), method=method)
        if result.status in (0, 2):
            break
    if result.status == 2:
        return None
    assert result.fun is not None
    return float(-result.fun / demand)


def joules(instance: OnloadingInstance, client, task, model, place, size) -> float:
    """Joules of a query: its share of the batch where it is answered, and its way over the uplink."""
    devices = {"client": client.device, "cloud": instance.cloud.device}
    device = (devices | {s.name: s.device for s in instance.servers})[place]
    compute = model.compute[device]
    sent = 0.0 if place == "client" else task.query_bytes * client.uplink_j_per_byte
    return float(compute.start_j / size + compute.per_query_j + sent)


def bytes_of(instance: OnloadingInstance, held) -> float:
    """Bytes of models that stand together, each backbone once."""
    backbones = {m.backbone for m in instance.models if m.name in held}
    own = sum(m.memory_bytes for m in instance.models if m.name in held)
    return own + sum(b.memory_bytes for b in instance.backbones if b.name in backbones)


def onloadings(instance: OnloadingInstance):
    """Every way to hold models that fits memory, with at most one variant of a group at a place."""
    places = [(c.name, c.memory_bytes, [1]) for c in instance.clients]
    places += [(s.name, s.memory_bytes, [b.size for b in instance.batches]) for s in instance.servers]
    per_place = []
    for name, memory, sizes in places:
        ways = []
        for choice in itertools.product([0, *sizes], repeat=len(instance.models)):
            held = {m.name: size for m, size in zip(instance.models, choice, strict=True) if size}
            groups = [m.variant_of for m in instance.models if m.name in held and m.variant_of]
            if bytes_of(instance, held) <= memory and len(set(groups)) == len(groups):
                ways.append((name, held))
        per_place.append(ways)
    for combination in itertools.product(*per_place):
        yield {name: held for name, held in combination if held}


def optimum_if_any(instance: OnloadingInstance) -> float | None:
    """Mean accuracy of the best decision, by trying every onloading; ``None`` where no decision keeps the limits."""
    values = (best_offloading(instance, onloading) for onloading in onloadings(instance))
    return max((value for value in values if value is not None), default=None)


def optimum(instance: OnloadingInstance) -> float:
    """Mean accuracy of the best decision of an instance that has one."""
    best = optimum_if_any(instance)
    assert best is not None
    return best
