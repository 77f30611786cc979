"""Onloading as things change: demand over hours, clients that come, go and move, servers that are lost (ours)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from splitshare.adaptation.events import event_rows, mark_away, refuse_value
from splitshare.choices import DemandShape
from splitshare.errors import InputError, shown
from splitshare.onloading.arrays import Flags, Floats
from splitshare.onloading.instance import OnloadingInstance
from splitshare.records import nearest
from splitshare.replay.tables import at_row, parse_floats

KINDS = ("goes", "comes", "moves", "lost", "back", "demand")
"""A client goes, comes back, moves to the server ``value``; a server is lost, is back; a client's demand, or that of
all clients where the name is ``*``, is ``value`` times what the instance says."""
MOST_FACTOR = 1e6
BURST_SHARE = 0.1
"""Of the time that is spent in bursts."""
LOST_LIMIT, LOST_BYTES_PER_S = 1e-6, 1e-3
"""What a lost server computes and carries: as good as nothing, and the least that an instance may say."""


@dataclass(frozen=True)
class Event:
    """Something that changes."""

    time_s: float
    what: str
    name: str
    value: str = ""


@dataclass(frozen=True)
class Span:
    """Time for which one decision holds."""

    start_s: float
    end_s: float
    factor: dict[str, float]
    """On the demand of each client; 0 for one that is not there."""
    server: dict[str, str] = field(default_factory=dict)
    """Of clients that have moved."""
    lost: frozenset[str] = frozenset()
    reason: str = ""
    of_task: dict[str, dict[str, float]] = field(default_factory=dict)
    """A further factor on a client's demand for a task, where a trace says so; 1 where it is left out."""


def read_changes(path: Path, instance: OnloadingInstance) -> tuple[Event, ...]:
    """Read ``time_s,what,name,value``, a row an event, in order of time.

    Raises:
        InputError: names the row of the first mistake.
    """
    away: set[str] = set()
    found: list[Event] = []
    for i, row in enumerate(event_rows(path, KINDS)):
        event = _checked(path, i, Event(*row), instance)
        if event.what in {"goes", "comes", "lost", "back"}:
            mark_away(path, i, event.name, away, leaves=event.what in {"goes", "lost"})
        found.append(event)
    return tuple(found)


def _checked(path: Path, row: int, event: Event, instance: OnloadingInstance) -> Event:
    clients, servers = [c.name for c in instance.clients], [s.name for s in instance.servers]
    known = servers if event.what in {"lost", "back"} else clients
    if event.name not in known and not (event.what == "demand" and event.name == "*"):
        kind = "server" if known is servers else "client"
        raise InputError(path, at_row("name", row), f"{shown(event.name)} is no {kind}; {nearest(event.name, known)}")
    if event.what == "moves" and event.value not in servers:
        problem = f"{shown(event.value)} is no server; {nearest(event.value, servers)}"
        raise InputError(path, at_row("value", row), problem)
    if event.what == "demand":
        parse_floats(path, "value", [event.value], MOST_FACTOR, first=row)
    elif event.what != "moves":
        refuse_value(path, row, event.what, event.value)
    return event


def demand_over_time(
    instance: OnloadingInstance,
    shape: DemandShape,
    spans: int,
    every_s: float,
    *,
    period_s: float,
    depth: float,
    seed: int,
) -> Floats:
    """Factors on each client's demand, shape (spans, clients), 1 in the long run.

    ``flat``: 1. ``diurnal``: a sine of the period, those of one server alike, servers apart by their share of the
    period. ``bursts``: each client is calm (1 - depth) or in a burst; it is in a burst for a tenth of the period in the
    mean and calm for the rest, and a burst makes up for the calm.

    Args:
        instance: its clients and servers.
        shape: see above.
        spans: how many.
        every_s: how long each is.
        period_s: of the sine, or of calm and burst together.
        depth: how far below the mean it goes, up to 1.
        seed: of bursts.
    """
    clients = len(instance.clients)
    middle_s = (np.arange(spans) + 0.5) * every_s
    if shape == "flat":
        return np.ones((spans, clients))
    if shape == "diurnal":
        number = {server.name: i for i, server in enumerate(instance.servers)}
        phase = np.array([number[c.server] / len(number) for c in instance.clients])
        wave: Floats = 1 + depth * np.sin(2 * np.pi * (middle_s[:, None] / period_s - phase))
        return wave
    factors = np.empty((spans, clients))
    for client, sequence in enumerate(np.random.SeedSequence(seed).spawn(clients)):
        stream = np.random.Generator(np.random.PCG64(sequence))
        burst = bool(stream.random() < BURST_SHARE)
        left_s = stream.exponential(period_s * (BURST_SHARE if burst else 1 - BURST_SHARE))
        for span in range(spans):
            while left_s < every_s / 2:  # what holds at the middle of the span holds for it
                burst = not burst
                left_s += stream.exponential(period_s * (BURST_SHARE if burst else 1 - BURST_SHARE))
            factors[span, client] = 1 + depth * (1 - BURST_SHARE) / BURST_SHARE if burst else 1 - depth
            left_s -= every_s
    return factors


def spans_of(
    instance: OnloadingInstance,
    events: Sequence[Event],
    factors: Floats,
    every_s: float,
) -> tuple[Span, ...]:
    """Spans of one length; what happens within one counts from the next one's start, at time 0 from the first's.

    Args:
        instance: its clients and servers.
        events: in order of time.
        factors: on the demand, shape (spans, clients), or by task, too, shape (spans, clients, tasks).
        every_s: how long each is.
    """
    of_task = factors if factors.ndim == 3 else None
    if of_task is not None:
        factors = np.ones(factors.shape[:2])
    tasks = [task.name for task in instance.tasks]
    there = {c.name: True for c in instance.clients}
    own = {c.name: 1.0 for c in instance.clients}
    server: dict[str, str] = {}
    lost: set[str] = set()
    found: list[Span] = []
    left = list(events)
    for i in range(len(factors)):
        reasons = []
        while left and left[0].time_s <= i * every_s:
            event = left.pop(0)
            reasons.append(f"{event.name} {event.what} {event.value}".strip())
            if event.what in {"goes", "comes"}:
                there[event.name] = event.what == "comes"
            elif event.what == "moves":
                server[event.name] = event.value
            elif event.what == "demand":
                own |= {n: float(event.value) for n in own if event.name in {n, "*"}}
            else:
                (lost.add if event.what == "lost" else lost.discard)(event.name)
        factor = {c.name: float(factors[i, k]) * own[c.name] * there[c.name] for k, c in enumerate(instance.clients)}
        own_tasks = {}
        if of_task is not None:
            rows = zip(instance.clients, of_task[i].tolist(), strict=True)
            own_tasks = {c.name: dict(zip(tasks, row, strict=True)) for c, row in rows}
        reason = "; ".join(reasons)
        found.append(Span(i * every_s, (i + 1) * every_s, factor, dict(server), frozenset(lost), reason, own_tasks))
    return tuple(found)


def cut_off(instance: OnloadingInstance, span: Span) -> Flags:
    """Locations to which no model can be sent, clients first, shape (locations,): a server on their way is lost."""
    upstream = {server.name: server.upstream for server in instance.servers}

    def cut(server: str | None) -> bool:
        return server is not None and (server in span.lost or cut(upstream[server]))

    at = [span.server.get(c.name, c.server) for c in instance.clients] + [s.name for s in instance.servers]
    return np.array([cut(server) for server in at])


def left_out(timeline: Sequence[Span], events: Sequence[Event]) -> tuple[str, ...]:
    """A line on events that come too late to count, if there are any."""
    last_s = timeline[-1].start_s
    late = sum(event.time_s > last_s for event in events)
    if late == 0:
        return ()
    return (f"{late} of {len(events)} events come after the last span's start at {last_s:g} s and are left out",)


def state_of(instance: OnloadingInstance, span: Span) -> OnloadingInstance | None:
    """The instance in a span; clients, servers and models are the same ones. ``None``: nobody asks anything."""
    clients = tuple(
        c.model_copy(
            update={
                "server": span.server.get(c.name, c.server),
                "demand_per_s": {
                    t: min(rate * span.factor[c.name] * span.of_task.get(c.name, {}).get(t, 1.0), 1e12)
                    for t, rate in c.demand_per_s.items()
                },
            }
        )
        for c in instance.clients
    )
    if not any(rate > 0 for c in clients for rate in c.demand_per_s.values()):
        return None
    gone = {"compute_limit": LOST_LIMIT, "backhaul_bytes_per_s": LOST_BYTES_PER_S}
    servers = tuple(s.model_copy(update=gone) if s.name in span.lost else s for s in instance.servers)
    return instance.with_changes(clients=clients, servers=servers)
