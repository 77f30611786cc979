"""The compiled event loop of queues that can be looked into, routes that are chosen, memory that is short, deadlines.

Each request class has routes, each of which is a little graph of stages as ``event_loop`` has them. At one moment
arrivals come first, by request, then stages that become ready, by request and the stage's place, then resources that
are done or free, by number. So a free resource chooses among all that is ready at that moment. With one route, queues
that are first come, first served, room for all modules and no deadlines it gives what ``run_events`` does, more slowly;
but stages that take no time may change places.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from splitshare.compilation import compiled
from splitshare.replay.event_loop import bits_of, drop_first, gone, push
from splitshare.replay.serving.heaps import insert, without_first
from splitshare.replay.serving.memory import bring_in
from splitshare.replay.serving.routing import expected_finish, runs_ahead

_Floats = NDArray[np.float64]
_Ints = NDArray[np.int64]
_Bools = NDArray[np.bool_]

BY_PLAN, LEAST_COMPLETION, SHORTEST_QUEUE = 0, 1, 2
"""How a route is chosen: the first one, or by what ``splitshare.replay.serving.routing`` computes."""


# Long, and with many arguments: see `run_events`.
@compiled
def run_served(  # noqa: PLR0912, PLR0913, PLR0915, PLR0917 - one loop over flat arrays is what compiles
    arrival_s: _Floats,
    size: _Floats,
    request_class: _Ints,
    level: _Ints,
    deadline_s: _Floats,
    row_first: _Ints,
    route_first: _Ints,
    first: _Ints,
    waits: _Ints,
    resource: _Ints,
    service_s: _Floats,
    delay_s: _Floats,
    next_a: _Ints,
    next_b: _Ints,
    signal_s: _Floats,
    module: _Ints,
    serves: _Bools,
    resources: int,
    shared: _Bools,
    by_level: _Bools,
    levels: int,
    choice: int,
    inside: _Bools,
    bytes_of: _Floats,
    memory: _Floats,
    load_s: _Floats,
    change_of: _Ints,
    change_bytes: _Floats,
    change_first: _Ints,
    change_time_s: _Floats,
    change_carried: _Floats,
    change_rate: _Floats,
    change_latency_s: _Floats,
) -> tuple[_Floats, _Floats, _Floats, _Floats, _Ints, _Floats]:
    """Run all requests, each through the stages of one route of its class.

    Args:
        arrival_s: non-decreasing, not negative, shape (requests,), as the next four.
        size: factor on a request's service times.
        request_class: position in ``route_first``.
        level: of priority, from 0 on, below ``levels``; more goes first.
        deadline_s: the moment after which no stage of it is served; infinite: none.
        row_first: where each request's rows start in the answer, and their number; shape (requests + 1,).
        route_first: where each class's routes start in ``first``, and their number; shape (classes + 1,).
        first: where each route's stages start in what follows, and their number; shape (routes + 1,).
        waits: this and what follows up to ``signal_s``: as ``run_events`` takes it.
        resource: as there; resources below ``len(memory)`` are devices.
        service_s: as there.
        delay_s: as there; 0 for what is on a device.
        next_a: as there.
        next_b: as there.
        signal_s: as there.
        module: of each stage that computes; -1: a transfer. Shape (stages,).
        serves: whether a stage is on a device or a link; what is not never makes a request late. Shape (stages,).
        resources: how many resources there are.
        shared: resources that serve all that is there at once, in equal parts; shape (resources,), as the next.
        by_level: resources that serve the highest level first.
        levels: how many there are.
        choice: how routes are chosen.
        inside: modules in memory at the start, shape (devices, modules); changed.
        bytes_of: bytes of a module on a device, of the same shape.
        memory: bytes of each device.
        load_s: seconds of loading a module on a device; the device is held for them.
        change_of: this and what follows: how links change, as ``run_events`` takes it.
        change_bytes: as there.
        change_first: as there.
        change_time_s: as there.
        change_carried: as there.
        change_rate: as there.
        change_latency_s: as there.

    Returns:
        Seconds at which each row was ready, started and was done, and which it loaded, each of shape (rows,): NaN
        where it never came to that. The route of each request, as a position in ``first``, and the moment at which it
        was found to be late, infinite where it was not; each of shape (requests,).
    """
    requests = len(arrival_s)
    rows = row_first[requests]
    devices = len(memory)
    ready = np.zeros(rows)
    start = np.full(rows, np.nan)
    done = np.full(rows, np.nan)
    loading = np.zeros(rows)
    missing = np.empty(rows, dtype=np.int64)
    route = np.empty(requests, dtype=np.int64)
    late = np.full(requests, np.inf)

    root = np.full(resources, -1, dtype=np.int64)  # the first in each resource's heap
    left = np.empty(rows, dtype=np.int64)
    right = np.empty(rows, dtype=np.int64)
    key = np.empty(rows)
    order = np.empty(rows, dtype=np.int64)
    whose = np.empty(rows, dtype=np.int64)
    joined = 0
    held = np.full(resources, -1, dtype=np.int64)  # 0: it will look what waits, 1: it serves
    free = np.zeros(resources)
    sharing = np.zeros(resources, dtype=np.int64)  # of shared resources: how many are there,
    served = np.zeros(resources)  # the seconds that one has had that was there all the time,
    seen = np.zeros(resources)  # when that was,
    due = np.full(resources, -1.0)  # and when the next one is done
    unfinished = np.zeros(resources, dtype=np.int64)
    sent = np.zeros((resources, levels), dtype=np.int64)
    sent_s = np.zeros((resources, levels))
    last_use = np.zeros(inside.shape, dtype=np.int64)
    for m in range(inside.shape[1]):  # what was never used goes out in order of the modules
        last_use[:, m] = m - inside.shape[1]
    uses = 0

    shift = bits_of(first)
    width = 1 << shift
    mask = width - 1
    base = requests << shift  # and more: a resource
    scratch_s = np.empty(width)
    scratch = np.empty(width, dtype=np.int64)
    available = np.empty(resources)
    times = np.empty(4 * width)
    ids = np.empty(4 * width, dtype=np.int64)
    count = 0

    request = 0
    while request < requests or count > 0:
        if count + width + 4 > len(times):  # an event adds fewer
            times = np.append(times, np.empty(len(times)))
            ids = np.append(ids, np.empty(len(ids), dtype=np.int64))
        if request < requests and (count == 0 or arrival_s[request] <= times[0]):
            now = arrival_s[request]
            rank = level[request]
            chosen = route_first[request_class[request]]
            if choice != BY_PLAN:
                least = np.inf
                for one in range(chosen, route_first[request_class[request] + 1]):
                    if choice == SHORTEST_QUEUE:
                        worth = float(runs_ahead(first[one], first[one + 1], devices, resource, unfinished))
                    else:
                        worth = expected_finish(
                            first[one],
                            first[one + 1],
                            now,
                            size[request],
                            rank,
                            waits,
                            resource,
                            service_s,
                            delay_s,
                            next_a,
                            next_b,
                            signal_s,
                            module,
                            by_level,
                            free,
                            sent_s,
                            inside,
                            load_s,
                            scratch_s,
                            scratch,
                            available,
                        )
                    if worth < least:
                        least = worth
                        chosen = one
            route[request] = chosen
            for place in range(first[chosen + 1] - first[chosen]):
                stage = first[chosen] + place
                row = row_first[request] + place
                missing[row] = waits[stage]
                r = resource[stage]
                if r >= 0:
                    lane = rank if by_level[r] else 0
                    unfinished[r] += 1
                    sent[r, lane] += 1
                    sent_s[r, lane] += service_s[stage] * size[request]
                if missing[row] == 0:
                    ready[row] = now
                    push(times, ids, count, now, (request << shift) | place)
                    count += 1
            request += 1
            continue

        now = times[0]
        event = ids[0]
        drop_first(times, ids, count)
        count -= 1
        r = event - base
        row = -1  # what starts now,
        ended = -1  # and what is known to end
        freed = now
        changed_s = -1.0  # the latency of a link that changes
        if r >= 0 and shared[r]:
            if now != due[r]:
                continue  # somebody came meanwhile
            ended = root[r]
            served[r] = key[ended]
            seen[r] = now
            root[r] = without_first(ended, left, right, key, order)
            sharing[r] -= 1
            unfinished[r] -= 1
            if root[r] < 0:
                served[r] = 0.0
                due[r] = -1.0
            else:
                due[r] = now + max(0.0, key[root[r]] - served[r]) * sharing[r]
                push(times, ids, count, due[r], event)
                count += 1
            owner = whose[ended]
        elif r >= 0:
            if held[r] == 1:
                unfinished[r] -= 1
            held[r] = -1
            owner = -1
            while root[r] >= 0 and row < 0:
                row = root[r]
                root[r] = without_first(row, left, right, key, order)
                owner = whose[row]
                if now > deadline_s[owner]:
                    if late[owner] == np.inf:
                        break
                    row = -1
            if row < 0:
                continue
        else:
            owner = event >> shift
            row = row_first[owner] + (event & mask)
            r = resource[first[route[owner]] + (event & mask)]
            if r >= 0 and not shared[r]:
                if late[owner] == np.inf:
                    key[row] = -float(level[owner]) if by_level[r] else 0.0
                    order[row] = joined
                    whose[row] = owner
                    joined += 1
                    root[r] = insert(root[r], row, left, right, key, order)
                    if held[r] < 0:
                        held[r] = 0
                        push(times, ids, count, now, base + r)
                        count += 1
                continue
            if late[owner] < np.inf:
                continue

        if row >= 0:
            place = row - row_first[owner]
            stage = first[route[owner]] + place
            rank = level[owner]
            if now > deadline_s[owner] and serves[stage]:  # nothing more of it is done; what is under way ends
                late[owner] = now
                for other in range(row_first[owner], row_first[owner + 1]):
                    at = first[route[owner]] + other - row_first[owner]
                    if np.isnan(start[other]) and resource[at] >= 0:
                        lane = rank if by_level[resource[at]] else 0
                        unfinished[resource[at]] -= 1
                        sent[resource[at], lane] -= 1
                        sent_s[resource[at], lane] -= service_s[at] * size[owner]
                        if sent[resource[at], lane] == 0:
                            sent_s[resource[at], lane] = 0.0
                if r >= 0 and root[r] >= 0 and not shared[r]:
                    held[r] = 0
                    push(times, ids, count, now, base + r)
                    count += 1
                continue
            start[row] = now
            seconds = service_s[stage] * size[owner]
            if r >= 0:
                lane = rank if by_level[r] else 0
                sent[r, lane] -= 1
                sent_s[r, lane] = 0.0 if sent[r, lane] == 0 else sent_s[r, lane] - seconds
                if module[stage] >= 0:
                    uses += 1
                    if bring_in(r, module[stage], uses, inside, last_use, bytes_of, memory):
                        loading[row] = load_s[r, module[stage]]
                        seconds += loading[row]
            if r >= 0 and shared[r]:
                if sharing[r] > 0:
                    served[r] += (now - seen[r]) / sharing[r]
                seen[r] = now
                key[row] = served[r] + seconds
                order[row] = event
                whose[row] = owner
                root[r] = insert(root[r], row, left, right, key, order)
                sharing[r] += 1
                due[r] = now + max(0.0, key[root[r]] - served[r]) * sharing[r]
                push(times, ids, count, due[r], base + r)
                count += 1
                continue
            ended = row
            freed = now + seconds
            direction = change_of[stage]
            if direction >= 0:
                last = change_first[direction + 1] - 1
                amount = change_bytes[stage] * size[owner]
                freed, at = gone(now, amount, change_first[direction], last, change_time_s, change_carried, change_rate)
                changed_s = change_latency_s[at]
            if r >= 0:
                held[r] = 1
                free[r] = freed
                push(times, ids, count, freed, base + r)
                count += 1

        stage = first[route[owner]] + ended - row_first[owner]
        done[ended] = freed + (delay_s[stage] if changed_s < 0 else changed_s)
        for after, known_s in ((next_a[stage], done[ended]), (next_b[stage], done[ended] + signal_s[stage])):
            if after >= 0:
                waiting = row_first[owner] + after
                ready[waiting] = max(ready[waiting], known_s)
                missing[waiting] -= 1
                if missing[waiting] == 0:
                    push(times, ids, count, ready[waiting], (owner << shift) | after)
                    count += 1
    ready[missing > 0] = np.nan
    return ready, start, done, loading, route, late
