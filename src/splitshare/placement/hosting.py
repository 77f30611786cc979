"""Placements that may be in pieces, compiled: modules on no device yet, on one, or on several (ours).

Latencies are the one evaluator's, their seconds added in its order, over what is placed so far. Only the requests that
use a changed module are looked at.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from splitshare.compilation import compiled_in_place
from splitshare.placement.arrays import Arrays, Bools, Floats, Ints, open_to
from splitshare.placement.delta import MOST_ENCODERS, transfer_s

SLIGHT = 1e-3
"""Weight of the mean latency beside the largest one: of placements alike in that, the quicker is better."""


class Hosting(NamedTuple):
    """A placement that keeps to memory, and what is known of it; the compiled functions change it in place."""

    may: Bools
    """(M, N): where a module may be tried."""
    penalty_s: float
    """What a request that cannot be answered counts as."""
    hosts: Ints
    """(M, N): a module's devices stand at the front of its row."""
    copies: Ints
    """(M): how many these are."""
    left: Ints
    """(N): units of memory that are free."""
    latency_s: Floats
    """(K): over what is placed; infinite where a request cannot be answered."""
    goal_s: Floats
    """(1): for the largest latency, the seconds above which a request costs."""
    on: Ints
    order: Ints
    tried: Ints
    finish_s: Floats
    alone_s: Floats
    """Scratch space."""
    sweep_s: Floats
    """(N): latencies of one request with a module here or there."""


def hosting(arrays: Arrays, *, replication: bool, penalty_s: float) -> Hosting:
    """A placement without any module."""
    modules, devices = arrays.may.shape
    wide = MOST_ENCODERS + 1
    return Hosting(
        open_to(arrays, replicas=replication),
        penalty_s,
        np.zeros((modules, devices), np.int64),
        np.zeros(modules, np.int64),
        arrays.room.copy(),
        np.zeros(len(arrays.head)),
        np.zeros(1),
        np.zeros(wide, np.int64),
        np.zeros(wide, np.int64),
        np.zeros(wide, np.int64),
        np.zeros(wide),
        np.zeros(wide),
        np.zeros(devices),
    )


@compiled_in_place
def put(arrays: Arrays, state: Hosting, m: int, n: int) -> None:
    """Put module ``m`` on device ``n``, which has room."""
    state.hosts[m, state.copies[m]] = n
    state.copies[m] += 1
    state.left[n] -= arrays.size[m, n]


@compiled_in_place
def take_out(arrays: Arrays, state: Hosting, m: int, n: int) -> None:
    """Take module ``m`` from device ``n``, where it stands."""
    state.copies[m] -= 1
    last = state.copies[m]
    for i in range(last):
        if state.hosts[m, i] == n:
            state.hosts[m, i] = state.hosts[m, last]
    state.hosts[m, last] = n
    state.left[n] += arrays.size[m, n]


@compiled_in_place
def stands_on(state: Hosting, m: int, n: int) -> bool:
    """Whether module ``m`` is on device ``n``."""
    for i in range(state.copies[m]):  # noqa: SIM110  (compiled code has no ``any`` of a generator)
        if state.hosts[m, i] == n:
            return True
    return False


@compiled_in_place
def route_s(arrays: Arrays, state: Hosting, k: int, head: int, with_head: bool = True) -> float:
    """Latency of request ``k`` with its encoders on ``state.on`` and its head on ``head``; -1 is left out.

    Without ``with_head`` only up to when the outputs are there.
    """
    on, order, finish_s = state.on, state.order, state.finish_s
    first, count = arrays.first[k], arrays.first[k + 1] - arrays.first[k]
    placed = 0
    for i in range(count):  # by arrival, ties by position; sequential routing keeps the order of the list
        if on[i] < 0:
            continue
        place = placed
        if not arrays.sequential:
            ready = arrays.ready_s[first + i, on[i]]
            while place > 0 and arrays.ready_s[first + order[place - 1], on[order[place - 1]]] > ready:
                order[place] = order[place - 1]
                place -= 1
        order[place] = i
        placed += 1
    start = previous = 0.0
    for place in range(placed):
        i = order[place]
        p, device = first + i, on[i]
        free = previous
        if not arrays.sequential:
            free = 0.0
            for earlier in range(place):
                if on[order[earlier]] == device:
                    free = max(free, finish_s[order[earlier]])
        finish_s[i] = previous = max(arrays.ready_s[p, device], free) + arrays.compute_s[p, device]
        start = max(
            start, previous if head < 0 else previous + transfer_s(arrays, device, head, arrays.output_bytes[p])
        )
    return float(start if head < 0 or not with_head else start + arrays.head_s[k, head] + arrays.back_s[k, head])


@compiled_in_place
def routed_s(arrays: Arrays, state: Hosting, k: int) -> float:
    """Latency of request ``k`` on its best route over what is placed, in seconds; infinite where there is none."""
    on, head = state.on, arrays.head[k]
    first, count = arrays.first[k], arrays.first[k + 1] - arrays.first[k]
    single = state.copies[head] <= 1
    for i in range(count):
        m = arrays.encoder[first + i]
        on[i] = state.hosts[m, 0] if state.copies[m] > 0 else -1
        single = single and state.copies[m] <= 1
    if single:
        return route_s(arrays, state, k, state.hosts[head, 0] if state.copies[head] > 0 else -1)
    best = np.inf
    for i in range(max(1, state.copies[head])):
        best = _least_s(arrays, state, k, state.hosts[head, i] if state.copies[head] > 0 else -1, best)
    return best


@compiled_in_place
def _alone_s(arrays: Arrays, p: int, device: int, head: int) -> float:
    """When an encoder's output is at the head, were it alone."""
    done_s = arrays.ready_s[p, device] + arrays.compute_s[p, device]
    return float(done_s if head < 0 else done_s + transfer_s(arrays, device, head, arrays.output_bytes[p]))


@compiled_in_place
def _least_s(arrays: Arrays, state: Hosting, k: int, head: int, best: float) -> float:
    """The least latency of request ``k`` with its head on ``head``, or ``best`` where none is below: depth first."""
    on, tried, alone_s = state.on, state.tried, state.alone_s
    first, count = arrays.first[k], arrays.first[k + 1] - arrays.first[k]
    after_s = 0.0 if head < 0 else arrays.head_s[k, head] + arrays.back_s[k, head]
    for i in range(count):  # the quickest device of each encoder bounds the rest
        m = arrays.encoder[first + i]
        least = 0.0 if state.copies[m] == 0 else np.inf
        for j in range(state.copies[m]):
            least = min(least, _alone_s(arrays, first + i, state.hosts[m, j], head))
        if not least + after_s < best:
            return best
    e = tried[0] = 0
    while e >= 0:
        m = arrays.encoder[first + e]
        if tried[e] >= max(1, state.copies[m]):
            e -= 1
            continue
        before_s = alone_s[e - 1] if e > 0 else 0.0
        on[e] = state.hosts[m, tried[e]] if state.copies[m] > 0 else -1
        tried[e] += 1
        alone_s[e] = before_s if on[e] < 0 else max(before_s, _alone_s(arrays, first + e, on[e], head))
        if not alone_s[e] + after_s < best:
            continue
        if e == count - 1:
            best = min(best, route_s(arrays, state, k, head))
        else:
            e += 1
            tried[e] = 0
    return best


# Long: the head, an encoder, and what is neither so simple.
@compiled_in_place
def sweep(arrays: Arrays, state: Hosting, k: int, m: int) -> None:  # noqa: PLR0912  (one pass over the devices each)
    """Write into ``sweep_s`` what request ``k`` takes with its module ``m`` on each device, too.

    Where all others are on one device at most, what they do is worked out once for all devices.
    """
    on, sweep_s, finish_s = state.on, state.sweep_s, state.finish_s
    first, count = arrays.first[k], arrays.first[k + 1] - arrays.first[k]
    head, at, uses = arrays.head[k], -1, 0
    simple = state.copies[m] == 0 and state.copies[head] <= 1 and not arrays.sequential
    for i in range(count):
        other = arrays.encoder[first + i]
        on[i] = state.hosts[other, 0] if state.copies[other] > 0 else -1
        simple = simple and state.copies[other] <= 1
        if other == m:
            at = i
            uses += 1
    if not simple or uses + (head == m) != 1:
        for n in range(len(sweep_s)):
            sweep_s[n] = _with_s(arrays, state, k, m, n)
        return
    if head == m:
        route_s(arrays, state, k, -1)
        sweep_s[:] = 0.0
        for i in range(count):
            if on[i] >= 0:
                for n in range(len(sweep_s)):
                    there_s = finish_s[i] + transfer_s(arrays, on[i], n, arrays.output_bytes[first + i])
                    sweep_s[n] = max(sweep_s[n], there_s)
        for n in range(len(sweep_s)):
            sweep_s[n] = sweep_s[n] + arrays.head_s[k, n] + arrays.back_s[k, n]
        return
    h = state.hosts[head, 0] if state.copies[head] > 0 else -1
    start = route_s(arrays, state, k, h, with_head=False)
    p = first + at
    for n in range(len(sweep_s)):
        done_s = max(arrays.ready_s[p, n], 0.0) + arrays.compute_s[p, n]
        if h >= 0:
            done_s = done_s + transfer_s(arrays, n, h, arrays.output_bytes[p])
        sweep_s[n] = max(start, done_s)
    if h >= 0:
        for n in range(len(sweep_s)):
            sweep_s[n] = sweep_s[n] + arrays.head_s[k, h] + arrays.back_s[k, h]
    for i in range(count):
        n = on[i]
        if n >= 0 and i != at:  # who shares a device waits
            on[at] = n
            sweep_s[n] = route_s(arrays, state, k, h)
            on[at] = -1


@compiled_in_place
def _with_s(arrays: Arrays, state: Hosting, k: int, m: int, n: int) -> float:
    """Latency of request ``k`` with module ``m`` on ``n``, where it may be already, too."""
    if stands_on(state, m, n):
        return float(state.latency_s[k])
    state.hosts[m, state.copies[m]] = n
    state.copies[m] += 1
    latency_s = routed_s(arrays, state, k)
    state.copies[m] -= 1
    return latency_s


@compiled_in_place
def cost_s(arrays: Arrays, state: Hosting, k: int, latency_s: float) -> float:
    """What a latency of request ``k`` costs: weighted by rate, or what it takes beyond the goal, and a little more."""
    latency_s = min(latency_s, state.penalty_s)
    if arrays.worst:
        return float(max(0.0, latency_s - state.goal_s[0]) + SLIGHT / len(state.latency_s) * latency_s)
    return float(arrays.rate[k] / arrays.total_rate * latency_s)
