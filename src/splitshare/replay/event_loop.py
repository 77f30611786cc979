"""The compiled event loop: stages that become ready, queue at a resource, and make others ready.

It knows nothing of models: a request class is a little graph of stages. A stage is ready when all stages
before it are done; it takes its resource from the moment that this is free, in order of readiness, holds it
for its service time, and is done a fixed delay after that. Since every queue is first come, first served, and
events come in order of time, a resource is nothing but the time at which it is next free.

Simultaneous events go in order of request, then of the stage's place in its class. That order holds however
they came about, so that results never depend on the inside of the heap.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from splitshare.compilation import compiled

_Floats = NDArray[np.float64]
_Ints = NDArray[np.int64]


@compiled
def push(times: _Floats, ids: _Ints, count: int, time: float, event: int) -> None:
    """Add an event to the binary heap in ``times[:count], ids[:count]``, ordered by (time, id)."""
    i = count
    while i > 0:
        parent = (i - 1) >> 1
        if times[parent] < time or (times[parent] == time and ids[parent] < event):
            break
        times[i] = times[parent]
        ids[i] = ids[parent]
        i = parent
    times[i] = time
    ids[i] = event


@compiled
def drop_first(times: _Floats, ids: _Ints, count: int) -> None:
    """Remove the first event of a heap of ``count`` events."""
    last = count - 1
    time = times[last]
    event = ids[last]
    i = 0
    while True:
        child = 2 * i + 1
        if child >= last:
            break
        right = child + 1
        if right < last and (times[right] < times[child] or (times[right] == times[child] and ids[right] < ids[child])):
            child = right
        if time < times[child] or (time == times[child] and event < ids[child]):
            break
        times[i] = times[child]
        ids[i] = ids[child]
        i = child
    times[i] = time
    ids[i] = event


@compiled
def bits_of(first: _Ints) -> int:
    """Bits for a stage's place in its class; an event's id is ``(request << bits) | place``.

    That is also the order among simultaneous events.
    """
    bits = 0
    for k in range(len(first) - 1):
        while (1 << bits) < first[k + 1] - first[k]:
            bits += 1
    return bits


@compiled
def gone(
    begin: float, amount: float, at: int, last: int, time_s: _Floats, carried: _Floats, rate: _Floats
) -> tuple[float, int]:
    """When ``amount`` bytes that begin to leave at ``begin`` have left a link that changes, and what holds then.

    Its changes stand from ``at`` to ``last`` in ``time_s``, ``carried`` (bytes that could have left by then), ``rate``.
    """
    high = last
    while at < high:  # the change that holds at `begin`
        middle = (at + high + 1) >> 1
        if time_s[middle] <= begin:
            at = middle
        else:
            high = middle - 1
    if amount <= 0:
        return begin, at
    goal = carried[at] + (begin - time_s[at]) * rate[at] + amount
    high = last
    while at < high:  # the one during which the last byte leaves
        middle = (at + high + 1) >> 1
        if carried[middle] < goal:
            at = middle
        else:
            high = middle - 1
    freed = max(begin, time_s[at] + (goal - carried[at]) / rate[at])
    if at < last and time_s[at + 1] <= freed:
        at += 1
    return freed, at


# Long, and alike to `run_batches`: what the two do for an arrival and after a stage is written out in both, since a
# compiled call with so many arrays, inlined or not, makes the loop two to three times slower.
@compiled
def run_events(  # noqa: PLR0913, PLR0915, PLR0917 - flat arrays are what compiles; the caller holds them in one record
    arrival_s: _Floats,
    size: _Floats,
    request_class: _Ints,
    row_first: _Ints,
    first: _Ints,
    waits: _Ints,
    resource: _Ints,
    service_s: _Floats,
    delay_s: _Floats,
    next_a: _Ints,
    next_b: _Ints,
    signal_s: _Floats,
    resources: int,
    change_of: _Ints,
    change_bytes: _Floats,
    change_first: _Ints,
    change_time_s: _Floats,
    change_carried: _Floats,
    change_rate: _Floats,
    change_latency_s: _Floats,
) -> tuple[_Floats, _Floats, _Floats]:
    """Run all requests through the stages of their classes.

    Args:
        arrival_s: non-decreasing, not negative, shape (requests,).
        size: factor on a request's service times, shape (requests,).
        request_class: shape (requests,).
        row_first: where each request's rows start in the answer, and their number; shape (requests + 1,).
        first: where each class's stages start in the arrays that follow, and their number; shape (classes +
            1,).
        waits: how many stages must be done before this one; 0: ready at the arrival. Shape (stages,), like
            the rest.
        resource: which resource it needs; -1: none, it never waits.
        service_s: seconds for which it holds the resource, at size 1.
        delay_s: seconds from then until it is done, whatever the size.
        next_a: place within the class of a stage that waits for this one; -1: none.
        next_b: a second one.
        signal_s: seconds until that second one knows that this stage is done.
        resources: how many resources there are.
        change_of: which direction of a link that changes a stage's transfer goes over; -1: none.
        change_bytes: bytes that it carries, at size 1.
        change_first: where each direction's changes start in what follows (``splitshare.replay.link_changes``).
        change_time_s: when it changes.
        change_carried: bytes that it could have carried by then.
        change_rate: bytes a second from then on.
        change_latency_s: seconds of latency from then on.

    Returns:
        Seconds at which each row was ready, started and was done; each of shape (rows,).
    """
    requests = len(arrival_s)
    rows = row_first[requests]
    ready = np.zeros(rows)
    start = np.empty(rows)
    done = np.empty(rows)
    missing = np.empty(rows, dtype=np.int64)
    free = np.zeros(resources)

    shift = bits_of(first)
    mask = (1 << shift) - 1
    times = np.empty(rows)
    ids = np.empty(rows, dtype=np.int64)
    count = 0

    request = 0
    while request < requests or count > 0:
        # All events in the heap are of earlier requests, so at equal times they go before an arrival.
        if request < requests and (count == 0 or arrival_s[request] < times[0]):
            stage = first[request_class[request]]
            for place in range(row_first[request + 1] - row_first[request]):
                row = row_first[request] + place
                missing[row] = waits[stage + place]
                if missing[row] == 0:
                    ready[row] = arrival_s[request]
                    push(times, ids, count, arrival_s[request], (request << shift) | place)
                    count += 1
            request += 1
            continue

        now = times[0]
        owner = ids[0] >> shift
        place = ids[0] & mask
        drop_first(times, ids, count)
        count -= 1
        row = row_first[owner] + place
        stage = first[request_class[owner]] + place

        begin = now
        freed = now + service_s[stage] * size[owner]
        if resource[stage] >= 0:
            begin = max(now, free[resource[stage]])
            freed = begin + service_s[stage] * size[owner]
            free[resource[stage]] = freed
        delay = delay_s[stage]
        direction = change_of[stage]
        if direction >= 0:
            last = change_first[direction + 1] - 1
            amount = change_bytes[stage] * size[owner]
            freed, at = gone(begin, amount, change_first[direction], last, change_time_s, change_carried, change_rate)
            delay = change_latency_s[at]
            if resource[stage] >= 0:
                free[resource[stage]] = freed
        start[row] = begin
        done[row] = freed + delay

        for after, known_s in ((next_a[stage], done[row]), (next_b[stage], done[row] + signal_s[stage])):
            if after >= 0:
                waiting = row_first[owner] + after
                ready[waiting] = max(ready[waiting], known_s)
                missing[waiting] -= 1
                if missing[waiting] == 0:
                    push(times, ids, count, ready[waiting], (owner << shift) | after)
                    count += 1
    return ready, start, done


@compiled
def finish_known(slot_of: _Ints, request: int) -> bool:
    """Whether a request has given its slot back."""
    return bool(slot_of[request % len(slot_of)] == 0)


# Long, and alike to `run_events`: see there.
@compiled
def run_requests(  # noqa: PLR0912, PLR0913, PLR0915, PLR0917 - see `run_events`
    arrival_s: _Floats,
    size: _Floats,
    request_class: _Ints,
    first: _Ints,
    waits: _Ints,
    resource: _Ints,
    service_s: _Floats,
    delay_s: _Floats,
    next_a: _Ints,
    next_b: _Ints,
    signal_s: _Floats,
    serves: _Ints,
    resources: int,
    change_of: _Ints,
    change_bytes: _Floats,
    change_first: _Ints,
    change_time_s: _Floats,
    change_carried: _Floats,
    change_rate: _Floats,
    change_latency_s: _Floats,
) -> tuple[_Floats, _Floats]:
    """Run all requests as ``run_events`` does, and keep of each only when it was first served and when it was done.

    What is known of a request's stages is kept while it is under way, in a slot that the next one then takes: memory
    grows with the requests under way at one time, not with their number.

    Args: as of ``run_events``, and ``serves``: 1 where a stage is on a device or a link, shape (stages,).

    Returns:
        Seconds at which each request was first served by a device or link, and at which its last stage was done; each
        of shape (requests,).
    """
    requests = len(arrival_s)
    served = np.full(requests, np.inf)
    finish = np.empty(requests)
    free = np.zeros(resources)

    shift = bits_of(first)
    width = 1 << shift
    mask = width - 1
    slots = 64
    ready = np.zeros(slots * width)
    missing = np.zeros(slots * width, dtype=np.int64)
    vacant = np.arange(slots)[::-1].copy()
    vacancies = slots
    slot_of = np.zeros(slots, dtype=np.int64)  # of the requests under way, by request modulo its length
    times = np.empty(slots * width)
    ids = np.empty(slots * width, dtype=np.int64)
    count = 0
    oldest = 0  # the first request that may still be under way

    request = 0
    while request < requests or count > 0:
        if request < requests and (count == 0 or arrival_s[request] < times[0]):
            if vacancies == 0:  # as many slots again
                ready = np.append(ready, np.zeros(slots * width))
                missing = np.append(missing, np.zeros(slots * width, dtype=np.int64))
                vacant = np.arange(2 * slots - 1, slots - 1, -1)
                vacant = np.append(vacant, np.zeros(slots, dtype=np.int64))
                vacancies = slots
                times = np.append(times, np.empty(slots * width))
                ids = np.append(ids, np.empty(slots * width, dtype=np.int64))
                slots *= 2
            while oldest < request and finish_known(slot_of, oldest):
                oldest += 1
            if request - oldest >= len(slot_of):
                grown = np.zeros(2 * len(slot_of), dtype=np.int64)
                for older in range(oldest, request):
                    grown[older % len(grown)] = slot_of[older % len(slot_of)]
                slot_of = grown
            vacancies -= 1
            slot = vacant[vacancies]
            slot_of[request % len(slot_of)] = slot + 1
            base = slot * width
            stage = first[request_class[request]]
            for place in range(first[request_class[request] + 1] - stage):
                missing[base + place] = waits[stage + place]
                ready[base + place] = 0.0
                if missing[base + place] == 0:
                    ready[base + place] = arrival_s[request]
                    push(times, ids, count, arrival_s[request], (request << shift) | place)
                    count += 1
            request += 1
            continue

        now = times[0]
        owner = ids[0] >> shift
        place = ids[0] & mask
        drop_first(times, ids, count)
        count -= 1
        klass = request_class[owner]
        stage = first[klass] + place
        slot = slot_of[owner % len(slot_of)] - 1

        begin = now
        freed = now + service_s[stage] * size[owner]
        if resource[stage] >= 0:
            begin = max(now, free[resource[stage]])
            freed = begin + service_s[stage] * size[owner]
            free[resource[stage]] = freed
        delay = delay_s[stage]
        direction = change_of[stage]
        if direction >= 0:
            last = change_first[direction + 1] - 1
            amount = change_bytes[stage] * size[owner]
            freed, at = gone(begin, amount, change_first[direction], last, change_time_s, change_carried, change_rate)
            delay = change_latency_s[at]
            if resource[stage] >= 0:
                free[resource[stage]] = freed
        done = freed + delay

        for after, known_s in ((next_a[stage], done), (next_b[stage], done + signal_s[stage])):
            if after >= 0:
                waiting = slot * width + after
                ready[waiting] = max(ready[waiting], known_s)
                missing[waiting] -= 1
                if missing[waiting] == 0:
                    push(times, ids, count, ready[waiting], (owner << shift) | after)
                    count += 1
        if serves[stage]:
            served[owner] = min(served[owner], begin)
        if stage == first[klass + 1] - 1:  # the result, for which every other stage was waited
            finish[owner] = done
            slot_of[owner % len(slot_of)] = 0
            vacant[vacancies] = slot
            vacancies += 1
    return served, finish
