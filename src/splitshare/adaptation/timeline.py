"""What changes when: devices leave, join or slow down, rates and links change; and the spans in which nothing does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from splitshare.adaptation.events import COLUMNS, event_rows, mark_away, refuse_value
from splitshare.errors import InputError, shown
from splitshare.placement.instance import PlacementInstance
from splitshare.placement.what_if import with_times
from splitshare.ranges import MOST_SECONDS
from splitshare.records import nearest
from splitshare.replay.link_changes import LinkChanges
from splitshare.replay.tables import at_row, parse_floats

KINDS = ("leaves", "joins", "slows", "rate")
"""A device goes, and what it held is lost; it comes back, empty; it takes ``value`` times as long for everything; a
request class comes ``value`` times a second, 0: not at all."""
MOST_SPANS = 10_000
_RANGES = {"slows": (1e-3, 1e6), "rate": (0.0, 1e12)}


@dataclass(frozen=True)
class Event:
    """Something that changes, but for links."""

    time_s: float
    what: str
    name: str
    """Of a device, or of a request class."""
    value: float | None = None


@dataclass(frozen=True)
class Span:
    """Time in which nothing changes."""

    start_s: float
    end_s: float
    away: frozenset[str] = frozenset()
    slowness: dict[str, float] = field(default_factory=dict)
    """By device that has slowed down: the factor on its compute times."""
    rate_per_s: dict[str, float] = field(default_factory=dict)
    """By request class whose rate is another than the instance's."""
    links: dict[tuple[str, str], tuple[float, float]] = field(default_factory=dict)
    """By pair as the instance has it: bytes a second (0: nothing passes) and seconds of latency, where changed."""
    reason: str = ""
    """What changed at its start."""


@dataclass(frozen=True, eq=False)
class State:
    """What there is to place in a span, and who cannot be served at all."""

    instance: PlacementInstance | None
    """Devices that are there, links as they are, classes that some placement could serve, and their modules; ``None``
    where no class is left."""
    unserved_per_s: float
    """Rate of the classes that are asked for and that no placement could serve, memory aside."""


def read_events(path: Path, instance: PlacementInstance) -> tuple[Event, ...]:
    """Read ``time_s,what,name,value``, a row an event, in order of time.

    Raises:
        InputError: names the row of the first mistake.
    """
    away: set[str] = set()
    found: list[Event] = []
    for i, (time_s, what, name, value) in enumerate(event_rows(path, KINDS)):
        known = [r.name for r in instance.requests] if what == "rate" else [d.name for d in instance.devices]
        if name not in known:
            kind = "request class" if what == "rate" else "device"
            raise InputError(path, at_row("name", i), f"{shown(name)} is no {kind}; {nearest(name, known)}")
        if what in _RANGES:
            low, most = _RANGES[what]
            number = float(parse_floats(path, "value", [value], most, first=i)[0])
            if number < low:
                raise InputError(path, at_row("value", i), f"must be {low:g} to {most:g}, not {shown(value)}")
            found.append(Event(time_s, what, name, number))
            continue
        refuse_value(path, i, what, value)
        mark_away(path, i, name, away, leaves=what == "leaves")
        found.append(Event(time_s, what, name))
    return tuple(found)


def spans(
    instance: PlacementInstance, events: Sequence[Event], changes: LinkChanges | None, horizon_s: float
) -> tuple[Span, ...]:
    """The time from 0 to the horizon, cut wherever something changes.

    Args:
        instance: its devices, links and classes.
        events: in order of time; those at or after the horizon are left out.
        changes: how links change, the same both ways.
        horizon_s: where the time ends.

    Raises:
        InputError: a link changes in one direction only, or there are too many spans.
    """
    of_links = _link_changes(instance, changes)
    times = sorted({0.0, *(e.time_s for e in events), *(t for rows in of_links.values() for t, _, _ in rows)})
    times = [time for time in times if time < horizon_s]
    if len(times) > MOST_SPANS:
        raise InputError(
            "--link-changes", "", f"gives {len(times)} changes; {MOST_SPANS} is the most: take longer means"
        )
    found: list[Span] = []
    away: set[str] = set()
    slowness: dict[str, float] = {}
    rates: dict[str, float] = {}
    links: dict[tuple[str, str], tuple[float, float]] = {}
    for start_s, end_s in zip(times, [*times[1:], horizon_s], strict=True):
        reasons: list[str] = []
        for event in events:
            if event.time_s != start_s:
                continue
            reasons.append(_words(event))
            if event.what in {"leaves", "joins"}:
                (away.add if event.what == "leaves" else away.discard)(event.name)
            else:
                assert event.value is not None
                (slowness if event.what == "slows" else rates)[event.name] = event.value
        for pair, rows in of_links.items():
            for time, rate, latency in rows:
                if time == start_s:
                    links[pair] = (rate, latency)
                    reasons.append(f"{pair[0]}--{pair[1]} has {rate:.4g} bytes/s")
        found.append(
            Span(start_s, end_s, frozenset(away), dict(slowness), dict(rates), dict(links), "; ".join(reasons))
        )
    return tuple(found)


def state_of(instance: PlacementInstance, span: Span) -> State:
    """What there is to place in a span."""
    asked = [
        request.model_copy(update={"rate_per_s": rate})
        for request in instance.requests
        if (rate := span.rate_per_s.get(request.name, request.rate_per_s)) > 0 and request.source not in span.away
    ]
    devices = [d for d in instance.devices if d.name not in span.away]
    here = {d.name for d in devices}
    links = []
    for link in instance.links:
        rate, latency = span.links.get((link.a, link.b), (link.bandwidth_bytes_per_s, link.latency_s))
        if {link.a, link.b} <= here and rate > 0:
            links.append(link.model_copy(update={"bandwidth_bytes_per_s": rate, "latency_s": latency}))

    def left(compute_s: dict[str, float | None] | None) -> dict[str, float | None] | None:
        return None if compute_s is None else {d: s for d, s in compute_s.items() if d in here}

    modules = {m.name: m.model_copy(update={"compute_s": left(m.compute_s)}) for m in instance.modules}
    left_over = {"devices": tuple(devices), "links": tuple(links)}
    served = []
    for request in asked:
        encoders = tuple(e.model_copy(update={"compute_s": left(e.compute_s)}) for e in request.encoders)
        one = request.model_copy(update={"encoders": encoders, "head_compute_s": left(request.head_compute_s)})
        used = tuple(modules[name] for name in dict.fromkeys((*(e.module for e in one.encoders), one.head)))
        try:
            alone = instance.with_changes(**left_over, modules=used, requests=(one,))
        except ValueError:  # no path of links leads to devices that could serve it
            continue
        if _runs_somewhere(alone):
            served.append(one)
    lost = {request.name for request in asked} - {request.name for request in served}
    unserved = sum(request.rate_per_s for request in asked if request.name in lost)
    if not served:
        return State(None, unserved)
    used_names = {name for r in served for name in (*(e.module for e in r.encoders), r.head)}
    kept = tuple(m for name, m in modules.items() if name in used_names)
    state = instance.with_changes(**left_over, modules=kept, requests=tuple(served))
    return State(with_times(state, lambda device, _: span.slowness.get(device, 1.0)), unserved)


def _runs_somewhere(instance: PlacementInstance) -> bool:
    (request,) = instance.requests
    uses = [instance.head_compute_s(request)]
    uses += [instance.encoder_compute_s(request, i) for i in range(len(request.encoders))]
    return all(any(seconds is not None for seconds in use.values()) for use in uses)


def _link_changes(
    instance: PlacementInstance, changes: LinkChanges | None
) -> dict[tuple[str, str], list[tuple[float, float, float]]]:
    found: dict[tuple[str, str], list[tuple[float, float, float]]] = {}
    if changes is None:
        return found
    for link in instance.links:
        there, back = (changes.by_link.get(f"{a}->{b}") for a, b in ((link.a, link.b), (link.b, link.a)))
        if there is None and back is None:
            continue
        if there is None or back is None or any(not np.array_equal(x, y) for x, y in zip(there, back, strict=True)):
            problem = "changes in one direction, or in each its own way; placements are decided with links that are "
            raise InputError("--link-changes", f"{link.a}--{link.b}", f"{problem}the same both ways")
        found[link.a, link.b] = list(zip(*(column.tolist() for column in there), strict=True))
    return found


def _words(event: Event) -> str:
    if event.what == "slows":
        return f"{event.name} takes {event.value:g} times as long"
    if event.what == "rate":
        return f"{event.name} comes {event.value:g} times a second"
    return f"{event.name} {event.what}"


def churn_table(
    instance: PlacementInstance,
    *,
    devices: Sequence[str],
    horizon_s: float,
    stay_s: float,
    away_s: float,
    seed: int,
) -> pd.DataFrame:
    """Devices that come and go: there and away for exponential times, each device by a stream of its own (ours).

    Args:
        instance: whose devices.
        devices: which of them; none: all that are no request's source.
        horizon_s: until when.
        stay_s: mean seconds of being there.
        away_s: mean seconds of being away.
        seed: of all draws.

    Returns:
        The table that ``read_events`` reads: ``time_s, what, name``.

    Raises:
        InputError: a device is unknown, or there would be too many events.
    """
    sources = {request.source for request in instance.requests}
    known = [d.name for d in instance.devices]
    for name in devices:
        if name not in known:
            raise InputError("--device", name, f"is no device of {instance.name}; {nearest(name, known)}")
    chosen = list(devices) or [name for name in known if name not in sources]
    if horizon_s / min(stay_s, away_s) * len(chosen) > MOST_SPANS or horizon_s > MOST_SECONDS:
        raise InputError("--horizon-s", f"{horizon_s:g}", f"gives more than {MOST_SPANS} events; ask for fewer")
    rows: list[tuple[float, str, str]] = []
    for sequence, name in zip(np.random.SeedSequence(seed).spawn(len(known)), known, strict=True):
        if name not in chosen:
            continue
        stream = np.random.Generator(np.random.PCG64(sequence))
        now, here = 0.0, True
        while (now := now + float(stream.exponential(stay_s if here else away_s))) < horizon_s:
            rows.append((now, "leaves" if here else "joins", name))
            here = not here
    return pd.DataFrame(sorted(rows), columns=list(COLUMNS[:3]))
