"""The compiled event loop of devices that run batches: as ``event_loop``, with queues that can be looked into.

A resource that is free takes a batch of what waits for it (``splitshare.replay.batching``), once everything that
becomes ready at that moment is among it, such as a head whose encoder has just ended on the same device. With batches
of one stage it gives what ``run_events`` does, more slowly; but stages that take no time may change places.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from splitshare.compilation import compiled
from splitshare.replay.event_loop import bits_of, drop_first, push

_Floats = NDArray[np.float64]
_Ints = NDArray[np.int64]


@compiled
def _join(r: int, row: int, head: _Ints, tail: _Ints, following: _Ints) -> None:
    """Put a row at the end of the queue for resource ``r``."""
    if head[r] < 0:
        head[r] = row
    else:
        following[tail[r]] = row
    tail[r] = row


@compiled
def _take(r: int, head: _Ints, tail: _Ints, following: _Ints, alike: _Ints, runs_s: _Floats, members: _Ints) -> int:
    """Take a batch off the queue for resource ``r`` into ``members``; returns its size, one that is in ``runs_s``."""
    members[0] = head[r]
    count = 1
    row = following[head[r]]
    while row >= 0 and count < len(members):
        if alike[row] == alike[members[0]]:
            members[count] = row
            count += 1
        row = following[row]
    while np.isnan(runs_s[count]):
        count -= 1

    head[r] = following[head[r]]
    before = -1
    row = head[r]
    taken = 1
    while taken < count:
        if row == members[taken]:
            taken += 1
            if before < 0:
                head[r] = following[row]
            else:
                following[before] = following[row]
        else:
            before = row
        row = following[row]
    if row < 0:  # the last of the queue is among them
        tail[r] = before
    return count


# Long: see `run_events`.
@compiled
def run_batches(  # noqa: PLR0912, PLR0913, PLR0915, PLR0917 - one loop over flat arrays is what compiles
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
    stage_of: _Ints,
    owner_of: _Ints,
    alike: _Ints,
    batch_s: _Floats,
) -> tuple[_Floats, _Floats, _Floats, _Ints]:
    """Run all requests through the stages of their classes.

    Args:
        arrival_s: this and what follows as ``run_events`` takes it.
        size: as there.
        request_class: as there.
        row_first: as there.
        first: as there.
        waits: as there.
        resource: as there.
        service_s: as there; of stages that queue for nothing.
        delay_s: as there.
        next_a: as there.
        next_b: as there.
        signal_s: as there.
        resources: as there.
        stage_of: position in the arrays of stages; shape (rows,), like the next two.
        owner_of: position in the arrays of requests.
        alike: rows that have the same number here and wait for the same resource can run together.
        batch_s: seconds of the resource for a batch of 1, 2, ... stages; NaN: no batch has this size. Shape (stages,
            largest batch + 1); not NaN at 1.

    Returns:
        Seconds at which each row was ready, started and was done, and with how many it ran; each of shape (rows,).
    """
    requests = len(arrival_s)
    rows = row_first[requests]
    ready = np.zeros(rows)
    start = np.empty(rows)
    done = np.empty(rows)
    batch = np.ones(rows, dtype=np.int64)
    missing = np.empty(rows, dtype=np.int64)
    busy = np.zeros(resources, dtype=np.bool_)
    head = np.full(resources, -1, dtype=np.int64)  # queues as linked lists of rows
    tail = np.full(resources, -1, dtype=np.int64)
    following = np.full(rows, -1, dtype=np.int64)
    members = np.empty(batch_s.shape[1] - 1, dtype=np.int64)

    shift = bits_of(first)
    mask = (1 << shift) - 1
    free = requests << shift  # and more: a resource that is free, or becomes so
    times = np.empty(rows + resources)
    ids = np.empty(rows + resources, dtype=np.int64)
    count = 0

    request = 0
    while request < requests or count > 0:
        if request < requests and (count == 0 or arrival_s[request] <= times[0]):
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
        event = ids[0]
        drop_first(times, ids, count)
        count -= 1
        if event >= free:  # at one moment these come last
            r = event - free
            busy[r] = False
            if head[r] < 0:
                continue
            size_of_batch = _take(r, head, tail, following, alike, batch_s[stage_of[head[r]]], members)
        else:
            row = row_first[event >> shift] + (event & mask)
            r = resource[stage_of[row]]
            if r >= 0:
                _join(r, row, head, tail, following)
                if not busy[r]:
                    busy[r] = True
                    push(times, ids, count, now, free + r)
                    count += 1
                continue
            members[0] = row
            size_of_batch = 1

        lead = stage_of[members[0]]
        seconds = service_s[lead] if r < 0 else batch_s[lead, size_of_batch]
        freed = now + seconds * size[owner_of[members[0]]]
        if r >= 0:
            busy[r] = True
            push(times, ids, count, freed, free + r)
            count += 1
        for m in range(size_of_batch):
            row = members[m]
            stage = stage_of[row]
            owner = owner_of[row]
            start[row] = now
            done[row] = freed + delay_s[stage]
            batch[row] = size_of_batch
            for after, known_s in ((next_a[stage], done[row]), (next_b[stage], done[row] + signal_s[stage])):
                if after >= 0:
                    waiting = row_first[owner] + after
                    ready[waiting] = max(ready[waiting], known_s)
                    missing[waiting] -= 1
                    if missing[waiting] == 0:
                        push(times, ids, count, ready[waiting], (owner << shift) | after)
                        count += 1
    return ready, start, done, batch
