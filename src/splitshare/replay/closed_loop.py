"""A closed loop: so many users, each of whom thinks, asks, waits for the answer, and thinks again.

What comes out is a trace like any other: replayed as such it has the same latencies, so that what users of one
placement asked can be put to another one. Queues are first come, first served.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from splitshare.choices import Think
from splitshare.compilation import compiled
from splitshare.errors import InputError
from splitshare.placement.instance import PlacementInstance
from splitshare.placement.objective import Route
from splitshare.ranges import MOST_SECONDS
from splitshare.replay.event_loop import bits_of, drop_first, push
from splitshare.replay.generators import trace_at
from splitshare.replay.plan import LinkModel, build_plan
from splitshare.replay.traces import RequestTrace

_Floats = NDArray[np.float64]
_Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class ClosedLoop:
    """What users asked, and when they were answered; arrays of the shape (requests,)."""

    trace: RequestTrace
    finish_s: _Floats
    user: _Ints

    @property
    def throughput_per_s(self) -> float:
        """Answers a second, from time 0 to the last arrival."""
        last_s = float(self.trace.arrival_s[-1])
        return float((self.finish_s <= last_s).sum()) / last_s if last_s > 0 else float("inf")


# Long, and with many arguments: see `splitshare.replay.event_loop.run_events`.
@compiled
def run_users(  # noqa: PLR0913, PLR0915, PLR0917 - one loop over flat arrays is what compiles
    users: int,
    request_class: _Ints,
    think_s: _Floats,
    first: _Ints,
    waits: _Ints,
    resource: _Ints,
    service_s: _Floats,
    delay_s: _Floats,
    next_a: _Ints,
    next_b: _Ints,
    signal_s: _Floats,
    resources: int,
) -> tuple[_Floats, _Floats, _Ints]:
    """Let users ask until all requests are asked, and those under way end.

    Args:
        users: how many; each has one request under way at most.
        request_class: of each request, in the order in which they are asked; shape (requests,).
        think_s: seconds that a user thinks before each of them, shape (requests + users,): the first ``users`` before
            their first, then after the answer to each.
        first: this and what follows: as ``run_events`` takes it.
        waits: as there.
        resource: as there.
        service_s: as there.
        delay_s: as there.
        next_a: as there.
        next_b: as there.
        signal_s: as there.
        resources: as there.

    Returns:
        Seconds of each arrival and answer, and who asked; each of shape (requests,).
    """
    requests = len(request_class)
    arrival = np.empty(requests)
    finish = np.empty(requests)
    who = np.empty(requests, dtype=np.int64)
    free = np.zeros(resources)
    shift = bits_of(first) + 1  # room for a place that no class has: a user who asks
    width = 1 << shift
    asks = width - 1
    ready = np.zeros(users * width)
    missing = np.zeros(users * width, dtype=np.int64)
    asked = np.empty(users, dtype=np.int64)
    times = np.empty(users * width)
    ids = np.empty(users * width, dtype=np.int64)
    count = 0
    for user in range(users):
        push(times, ids, count, think_s[user], (user << shift) | asks)
        count += 1
    request = 0
    while count > 0:
        now = times[0]
        user = ids[0] >> shift
        place = ids[0] & asks
        drop_first(times, ids, count)
        count -= 1
        base = user * width
        if place == asks:
            if request == requests:
                continue
            arrival[request] = now
            who[request] = user
            asked[user] = request
            begin = first[request_class[request]]
            for one in range(first[request_class[request] + 1] - begin):
                missing[base + one] = waits[begin + one]
                ready[base + one] = 0.0
                if missing[base + one] == 0:
                    ready[base + one] = now
                    push(times, ids, count, now, (user << shift) | one)
                    count += 1
            request += 1
            continue
        klass = request_class[asked[user]]
        stage = first[klass] + place
        freed = now + service_s[stage]
        if resource[stage] >= 0:
            freed = max(now, free[resource[stage]]) + service_s[stage]
            free[resource[stage]] = freed
        done = freed + delay_s[stage]
        for after, known_s in ((next_a[stage], done), (next_b[stage], done + signal_s[stage])):
            if after >= 0:
                ready[base + after] = max(ready[base + after], known_s)
                missing[base + after] -= 1
                if missing[base + after] == 0:
                    push(times, ids, count, ready[base + after], (user << shift) | after)
                    count += 1
        if stage == first[klass + 1] - 1:
            finish[asked[user]] = done
            push(times, ids, count, done + think_s[users + asked[user]], (user << shift) | asks)
            count += 1
    return arrival, finish, who


def closed_loop(
    instance: PlacementInstance,
    routes: Mapping[str, Route],
    *,
    users: int,
    think_s: float,
    requests: int,
    think: Think = "exponential",
    link_model: LinkModel = "serial",
    seed: int = 0,
) -> ClosedLoop:
    """Let users ask.

    Args:
        instance: what is placed; classes are drawn by its rates.
        routes: of its classes.
        users: how many.
        think_s: mean seconds between an answer and the same user's next request; at first each thinks as long.
        requests: after how many nobody asks any more.
        think: how thinking times are drawn.
        link_model: how transfers share links.
        seed: of classes and thinking times.

    Raises:
        InputError: it would last longer than a replay may.
    """
    names = [request.name for request in instance.requests]
    plan = build_plan(instance, routes, names, link_model)
    drawn = trace_at(instance, np.zeros(requests), seed=seed, kind="closed-loop")
    stream = np.random.Generator(np.random.PCG64(np.random.SeedSequence(seed).spawn(4)[3]))
    count = requests + users
    thinks = stream.exponential(think_s, count) if think == "exponential" else np.full(count, think_s)
    order = np.array([names.index(name) for name in drawn.classes], dtype=np.int64)
    arrival_s, finish_s, user = run_users(users, order[drawn.request_class], thinks, *plan.flat, plan.resources)
    if arrival_s[-1] > MOST_SECONDS:
        problem = f"makes it last {arrival_s[-1]:.3g} s; {MOST_SECONDS:g} is the most"
        raise InputError("--think-s", f"{think_s:g}", problem)
    return ClosedLoop(replace(drawn, arrival_s=arrival_s), finish_s, user)
