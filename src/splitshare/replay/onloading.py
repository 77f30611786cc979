"""Replay of an onloading decision: queries routed by its fractions, batches formed at the edge (rules ours).

Queries of each client and task arrive as a Poisson process and are routed at random by the decision's fractions; what
is left of the fractions is not served. Then, on the way:

- an uplink carries one query at a time, first come, first served, and a backhaul as well, each backhaul on the way
  when the query has arrived there; latencies of links are delays that block nobody;
- a processor works on one query or batch at a time; a client, a server and the cloud have as many processors as their
  computing limit in seconds per second, rounded up (the limit itself is a share of their time), with one queue;
- a server collects queries of a model until its batch is full or the first of them has waited for the longest time
  that the batch size allows; then the batch, full or not, joins the processors' queue.

The plan knows no queues, so a replay is later than the plan; at limits that the plan uses up queues grow without end.

Where decisions change over time (``splitshare.adaptation.onloading_replay``), each query goes the way that stood when
it came: its server, its model and the batch size that it waits for are its own.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from splitshare.onloading.arrays import Arrays, Floats, Ints
from splitshare.onloading.objective import CLIENT, EDGE, Hosts, Offloading

PLACE_TITLES = ("client", "edge", "cloud", "unserved")
UNSERVED = 3


@dataclass(frozen=True)
class Queries:
    """Queries in order of arrival; every array has the shape (queries,)."""

    arrival_s: Floats
    row: Ints
    """Client and task, as a row of the instance's arrays."""
    model: Ints
    """-1 for a query that nobody serves."""
    place: Ints
    server: Ints
    """The server of a query that is answered at the edge, -1 elsewhere."""


@dataclass(frozen=True)
class Ways:
    """Queries in order of arrival with all that their way takes; every array has the shape (queries,)."""

    arrival_s: Floats
    client: Ints
    server: Ints
    """Its client's own when it is asked: the first on the way."""
    answers: Ints
    """At which an edge query is answered, -1 elsewhere."""
    model: Ints
    """-1 for a query that nobody serves."""
    place: Ints
    batch: Ints
    """Position of the batch size with which the server runs the model; 0 but at the edge."""
    size_bytes: Floats
    limit_s: Floats
    accuracy: Floats
    """0 where nobody serves it."""
    ends_s: Floats
    """When its server is lost: what is not answered by then is not answered at all. Infinite: never."""


@dataclass
class _Station:
    """Processors, or a link, that serve what comes in the order in which it comes."""

    free_s: list[float]
    """When each is free next; a heap."""

    def serve(self, ready_s: float, seconds: float) -> float:
        """Take the next in line; returns when it is done."""
        start = max(ready_s, heapq.heappop(self.free_s))
        heapq.heappush(self.free_s, start + seconds)
        return start + seconds


@dataclass
class _Collecting:
    """Queries that wait for their batch, and how many batches there were before."""

    queries: list[int] = field(default_factory=list)
    number: int = 0


def draw_queries(arrays: Arrays, offloading: Offloading, *, load: float, horizon_s: float, seed: int) -> Queries:
    """Draw arrivals and routes.

    Args:
        arrays: the instance.
        offloading: the decision's fractions.
        load: share of the planned demand that arrives.
        horizon_s: until when queries arrive.
        seed: the same seed gives the same queries.
    """
    row, arrival_s, chance = draw_arrivals(load * arrays.rate, horizon_s, np.random.Generator(np.random.PCG64(seed)))
    return Queries(arrival_s, row, *routes_of(offloading, row, chance))


def draw_arrivals(rate: Floats, horizon_s: float, draw: np.random.Generator) -> tuple[Ints, Floats, Floats]:
    """Poisson arrivals of each row until a horizon, in order of time.

    Returns:
        Their rows, times in seconds, and a number from 0 to 1 by which each is routed; each of shape (queries,).
    """
    counts = draw.poisson(rate * horizon_s)
    row = np.repeat(np.arange(len(counts)), counts)
    arrival_s = draw.random(len(row)) * horizon_s
    order = np.argsort(arrival_s, kind="stable")
    return row[order], arrival_s[order], draw.random(len(row))


def routes_of(offloading: Offloading, row: Ints, chance: Floats) -> tuple[Ints, Ints, Ints]:
    """Model (-1: none), place and server of queries by their rows and drawn numbers; each of shape (queries,)."""
    model, place, server = np.full(len(row), -1), np.full(len(row), UNSERVED), np.full(len(row), -1)
    for r in np.unique(row):
        mine = np.flatnonzero(offloading.row == r)
        queries = np.flatnonzero(row == r)
        upto = np.cumsum(offloading.fraction[mine])
        if len(upto) and upto[-1] > 1 - 1e-6:
            upto[-1] = 1.0  # a solver's rounding is no unserved query
        choice = np.searchsorted(upto, chance[queries], side="right")
        served = choice < len(mine)
        model[queries[served]] = offloading.model[mine[choice[served]]]
        place[queries[served]] = offloading.place[mine[choice[served]]]
        server[queries[served]] = offloading.server[mine[choice[served]]]
    return model, place, server


def ways_of(arrays: Arrays, hosts: Hosts, queries: Queries) -> Ways:
    """What the ways of queries take under one decision."""
    row, model = queries.row, np.maximum(queries.model, 0)
    served = queries.place != UNSERVED
    limits = np.array([task.latency_limit_s for task in arrays.instance.tasks])
    return Ways(
        arrival_s=queries.arrival_s,
        client=arrays.row_client[row],
        server=arrays.row_server[row],
        answers=queries.server,
        model=queries.model,
        place=queries.place,
        batch=np.where(queries.place == EDGE, hosts.server[queries.server, model], 0),
        size_bytes=arrays.size[row],
        limit_s=limits[arrays.row_task[row]],
        accuracy=np.where(served, arrays.accuracy[row, model], 0.0),
        ends_s=np.full(len(row), np.inf),
    )


def replay(arrays: Arrays, hosts: Hosts, queries: Queries) -> pd.DataFrame:
    """Replay queries; a row each, in order of arrival.

    Args:
        arrays: the instance.
        hosts: its onloaded models, with batch sizes.
        queries: the queries.

    Returns:
        ``row``, ``model``, ``place`` (by name), ``arrival_s``, ``finish_s`` and ``latency_s`` (NaN where unserved),
        ``batch`` (queries of the batch that it was answered in), ``limit_s`` (of its task), ``accuracy`` (of its
        model on its task; 0 where unserved).
    """
    table = travel(arrays, ways_of(arrays, hosts, queries))
    table.insert(0, "row", queries.row)
    return table


def travel(arrays: Arrays, ways: Ways, lost: Sequence[tuple[float, int]] = ()) -> pd.DataFrame:
    """Replay queries that each have a way of their own; a row each, in order of arrival.

    Args:
        arrays: processors and links; its rows are not looked at.
        ways: the queries.
        lost: times (s) at which servers (by number) are lost: what they work on, collect and send on is gone, and they
            are idle from then on.

    Returns:
        The columns of ``replay`` but ``row``; a query that was cut off has its place, no latency, and accuracy 0.
    """
    return _Replay(arrays, ways, lost).run()


class _Replay:
    """The event loop of one replay: a heap of (time, number, what happens then)."""

    def __init__(self, arrays: Arrays, ways: Ways, lost: Sequence[tuple[float, int]]) -> None:
        self._arrays, self._ways, self._lost = arrays, ways, lost
        instance = arrays.instance
        self._finish = np.full(len(ways.client), np.nan)
        self._batch = np.zeros(len(ways.client), dtype=np.int64)
        self._above = arrays.above
        self._client = [_processors(limit) for limit in arrays.client_limit]
        self._server = [_processors(limit) for limit in arrays.server_limit]
        self._cloud = _processors(arrays.cloud_limit)
        self._uplink = [_Station([0.0]) for _ in instance.clients]
        self._backhaul = [_Station([0.0]) for _ in instance.servers]
        self._collecting: dict[tuple[int, int, int], _Collecting] = {}
        self._events: list[tuple[float, int, Callable[[float], None]]] = []
        self._number = 0

    def run(self) -> pd.DataFrame:
        """Until nothing is left to happen."""
        for time_s, server in self._lost:
            self._at(time_s, lambda now, s=server: self._lose(s, now))  # type: ignore[misc]
        for query, arrival in enumerate(self._ways.arrival_s):
            if self._ways.place[query] != UNSERVED:
                self._at(float(arrival), lambda now, q=query: self._arrive(q, now))  # type: ignore[misc]
        while self._events:
            now, _, happen = heapq.heappop(self._events)
            happen(now)
        return self._table()

    def _at(self, time_s: float, happen: Callable[[float], None]) -> None:
        heapq.heappush(self._events, (time_s, self._number, happen))
        self._number += 1

    def _arrive(self, query: int, now: float) -> None:
        arrays, ways = self._arrays, self._ways
        client = int(ways.client[query])
        if ways.place[query] == CLIENT:
            self._done([query], self._client[client].serve(now, float(arrays.client_s[client, ways.model[query]])))
            return
        sent = self._uplink[client].serve(now, float(ways.size_bytes[query] / arrays.uplink[client]))
        latency = arrays.instance.clients[client].uplink_latency_s
        self._at(sent + latency, lambda there: self._at_server(query, int(ways.server[query]), there))

    def _at_server(self, query: int, server: int, now: float) -> None:
        arrays, ways = self._arrays, self._ways
        if now >= ways.ends_s[query]:
            return
        model = int(ways.model[query])
        if server != ways.answers[query]:
            sent = self._backhaul[server].serve(now, float(ways.size_bytes[query] / arrays.backhaul[server]))
            latency = arrays.instance.servers[server].backhaul_latency_s
            above = int(self._above[server])
            if above >= 0:
                self._at(sent + latency, lambda there: self._at_server(query, above, there))
            else:
                self._at(sent + latency, lambda there: self._at_cloud(query, there))
            return
        key = (server, model, int(ways.batch[query]))
        batch = arrays.instance.batches[key[2]]
        waiting = self._collecting.setdefault(key, _Collecting())
        waiting.queries.append(query)
        if len(waiting.queries) == batch.size:
            self._start(key, now)
        elif len(waiting.queries) == 1:
            number = waiting.number
            self._at(now + batch.wait_s, lambda then: self._time_is_up(key, number, then))

    def _at_cloud(self, query: int, now: float) -> None:
        if now < self._ways.ends_s[query]:
            self._done([query], self._cloud.serve(now, float(self._arrays.cloud_s[self._ways.model[query]])))

    def _time_is_up(self, key: tuple[int, int, int], number: int, now: float) -> None:
        waiting = self._collecting[key]
        if waiting.number == number and waiting.queries:
            self._start(key, now)

    def _start(self, key: tuple[int, int, int], now: float) -> None:
        waiting, instance = self._collecting[key], self._arrays.instance
        server, model, _ = key
        compute = instance.models[model].compute[instance.servers[server].device]
        queries, waiting.queries = waiting.queries, []
        waiting.number += 1
        self._done(queries, self._server[server].serve(now, compute.batch_s(len(queries))))

    def _lose(self, server: int, now: float) -> None:
        for key, waiting in self._collecting.items():
            if key[0] == server:
                waiting.queries = []
                waiting.number += 1
        for station in (self._server[server], self._backhaul[server]):
            station.free_s = [now] * len(station.free_s)

    def _done(self, queries: list[int], finish_s: float) -> None:
        self._finish[queries] = finish_s
        self._batch[queries] = len(queries)

    def _table(self) -> pd.DataFrame:
        ways = self._ways
        finish_s = np.where(self._finish < ways.ends_s, self._finish, np.nan)
        return pd.DataFrame(
            {
                "model": ways.model,
                "place": pd.Categorical(np.array(PLACE_TITLES)[ways.place], categories=PLACE_TITLES),
                "arrival_s": ways.arrival_s,
                "finish_s": finish_s,
                "latency_s": finish_s - ways.arrival_s,
                "batch": np.where(np.isnan(finish_s), 0, self._batch),
                "limit_s": ways.limit_s,
                "accuracy": np.where(np.isnan(finish_s), 0.0, ways.accuracy),
            }
        )


def summary(table: pd.DataFrame) -> dict[str, float]:
    """Replayed accuracy and latency of the queries in ``table``.

    ``accuracy`` counts every answer, ``accuracy_in_time`` only those within their task's limit; a query without an
    answer counts as wrong in both.
    """
    late = table["latency_s"] > table["limit_s"]
    edge = table[(table["place"] == "edge") & (table["batch"] > 0)]  # what was cut off was in no batch
    return {
        "queries": len(table),
        "accuracy": float(table["accuracy"].mean()),
        "accuracy_in_time": float(table["accuracy"].where(~late, 0.0).mean()),
        "unserved": float((table["place"] == "unserved").mean()),
        "late": float(late.mean()),
        "latency_mean_s": float(table["latency_s"].mean()),
        "latency_p95_s": float(table["latency_s"].quantile(0.95)),
        "batch_mean": float(edge["batch"].mean()) if len(edge) else 0.0,
    }


def _processors(limit: float) -> _Station:
    return _Station([0.0] * max(1, math.ceil(limit - 1e-9)))


def planned_latency_s(arrays: Arrays, hosts: Hosts, offloading: Offloading) -> Floats:
    """What the plan allows each entry of the offloading, the longest wait for a batch included; shape (entries,)."""
    instance, above = arrays.instance, arrays.above
    latency_s = np.zeros(len(offloading.row))
    entries = zip(offloading.row, offloading.model, offloading.place, offloading.server, strict=True)
    for i, (row, model, place, answering) in enumerate(entries):
        client = instance.clients[arrays.row_client[row]]
        if place == CLIENT:
            latency_s[i] = arrays.client_s[arrays.row_client[row], model]
            continue
        latency_s[i] = client.uplink_latency_s + arrays.size[row] / client.uplink_bytes_per_s
        at = int(arrays.row_server[row])
        while at not in (-1, answering):
            link = instance.servers[at]
            latency_s[i] += link.backhaul_latency_s + arrays.size[row] / link.backhaul_bytes_per_s
            at = int(above[at])
        if place == EDGE:
            batch, device = instance.batches[hosts.server[at, model]], instance.servers[at].device
            latency_s[i] += batch.wait_s + instance.models[model].compute[device].batch_s(batch.size)
        else:
            latency_s[i] += arrays.cloud_s[model]
    return latency_s
