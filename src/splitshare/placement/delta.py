"""What a change of a placement is worth, compiled: only the requests that use a changed module are looked at (ours).

Placements here have one device a module. Seconds are added in the order of the one evaluator, sums are rounded once
as ``math.fsum`` rounds them: a worth is the evaluator's, to the last bit.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from splitshare.compilation import compiled_in_place
from splitshare.placement.arrays import Arrays, Floats, Ints

MOST_ENCODERS = 8
"""Of one request, by the contract."""


class Standing(NamedTuple):
    """A feasible placement and what is known of it; the compiled functions change it in place."""

    host: Ints
    """(M): device of each module."""
    visit: Ints
    """(M): the modules in the order in which changes are looked at."""
    left: Ints
    """(N): units of memory that are free."""
    latency_s: Floats
    """(K)."""
    trial_s: Floats
    """(K): as ``latency_s``, but while a change is tried."""
    order: Ints
    finish_s: Floats
    partial: Floats
    """Scratch space."""


def standing(arrays: Arrays, host: Ints, visit: Ints | None = None) -> Standing:
    """The feasible placement ``host`` (M); changes are looked at in file order, or as ``visit`` (M) says."""
    left = arrays.room.copy()
    for module, device in enumerate(host):
        left[device] -= arrays.size[module, device]
    count = len(arrays.head)
    zeros = np.zeros(count), np.zeros(MOST_ENCODERS, np.int64), np.zeros(MOST_ENCODERS), np.zeros(count + 2)
    visit = np.arange(len(host)) if visit is None else visit
    made = Standing(host.copy(), visit, left, np.zeros(count), *zeros)
    renew(arrays, made)
    return made


@compiled_in_place
def renew(arrays: Arrays, state: Standing) -> None:
    """Compute all latencies anew."""
    for k in range(len(arrays.head)):
        state.latency_s[k] = state.trial_s[k] = request_s(arrays, k, state.host, state.order, state.finish_s)


@compiled_in_place
def transfer_s(arrays: Arrays, a: int, b: int, size_bytes: float) -> float:
    """Seconds from device ``a`` to ``b``."""
    return 0.0 if a == b else arrays.latency_s[a, b] + size_bytes / arrays.bytes_per_s[a, b]


@compiled_in_place
def request_s(arrays: Arrays, k: int, host: Ints, order: Ints, finish_s: Floats) -> float:
    """Idle latency of request ``k`` where the modules stand on ``host`` (M), in seconds; infinite where it cannot run.

    ``order`` and ``finish_s`` are scratch space for as many numbers as there are encoders.
    """
    first, count = arrays.first[k], arrays.first[k + 1] - arrays.first[k]
    for i in range(count):  # by arrival, ties by position; sequential routing keeps the order of the list
        place = i
        if not arrays.sequential:
            ready = arrays.ready_s[first + i, host[arrays.encoder[first + i]]]
            while place > 0:
                before = first + order[place - 1]
                if arrays.ready_s[before, host[arrays.encoder[before]]] <= ready:
                    break
                order[place] = order[place - 1]
                place -= 1
        order[place] = i
    start = previous = 0.0
    head = host[arrays.head[k]]
    for place in range(count):
        i = order[place]
        p = first + i
        device = host[arrays.encoder[p]]
        free = previous
        if not arrays.sequential:
            free = 0.0
            for earlier in range(place):
                j = order[earlier]
                if host[arrays.encoder[first + j]] == device:
                    free = max(free, finish_s[j])
        finish_s[i] = previous = max(arrays.ready_s[p, device], free) + arrays.compute_s[p, device]
        start = max(start, previous + transfer_s(arrays, device, head, arrays.output_bytes[p]))
    return float(start + arrays.head_s[k, head] + arrays.back_s[k, head])


# Long: Shewchuk's sum and its last rounding, which belong together.
@compiled_in_place
def exact_mean(values: Floats, weight: Floats, total: float, partial: Floats) -> float:
    """Weighted sum over ``total``, the sum rounded once: what ``math.fsum`` gives; ``partial`` is scratch space.

    Source: J. R. Shewchuk, *Adaptive precision floating-point arithmetic and fast robust geometric predicates*,
    Discrete Comput. Geom. 18 (1997) 305-363; the last rounding is CPython's.
    """
    count = 0
    for k in range(len(values)):
        x = weight[k] * values[k]
        kept = 0
        for i in range(count):
            y = partial[i]
            if abs(x) < abs(y):
                x, y = y, x
            high = x + y
            low = y - (high - x)
            if low != 0.0:
                partial[kept] = low
                kept += 1
            x = high
        partial[kept] = x
        count = kept + 1
    if count == 0:
        return 0.0
    count -= 1
    high, low = partial[count], 0.0
    while count > 0:
        x = high
        count -= 1
        y = partial[count]
        high = x + y
        low = y - (high - x)
        if low != 0.0:
            break
    if count > 0 and ((low < 0.0 and partial[count - 1] < 0.0) or (low > 0.0 and partial[count - 1] > 0.0)):
        y = low * 2.0
        x = high + y
        if y == x - high:
            high = x
    return float(high / total)


@compiled_in_place
def worth_s(arrays: Arrays, latency_s: Floats, partial: Floats) -> float:
    """The objective of latencies (K), in seconds."""
    if arrays.worst:
        largest = latency_s[0]
        for k in range(1, len(latency_s)):
            largest = max(largest, latency_s[k])
        return float(largest)
    return exact_mean(latency_s, arrays.rate, arrays.total_rate, partial)


@compiled_in_place
def plain_worth_s(arrays: Arrays, latency_s: Floats) -> float:
    """``worth_s`` as a plain sum: the same but for rounding, and sooner; infinite where a request is not answered."""
    largest = total = 0.0
    for k in range(len(latency_s)):
        largest = max(largest, latency_s[k])
        total += arrays.rate[k] * latency_s[k]
    return float(largest if arrays.worst else total / arrays.total_rate)


@compiled_in_place
def has_room(arrays: Arrays, state: Standing, a: int, to: int) -> bool:
    """Whether ``to`` has room for module ``a``, which stands elsewhere."""
    return bool(state.left[to] >= arrays.size[a, to])


@compiled_in_place
def can_swap(arrays: Arrays, state: Standing, a: int, b: int) -> bool:
    """Whether modules ``a`` and ``b`` may stand where the other does and their devices have the room."""
    here, there = state.host[a], state.host[b]
    if here == there or not arrays.may[a, there] or not arrays.may[b, here]:
        return False
    enough_there = state.left[there] + arrays.size[b, there] >= arrays.size[a, there]
    enough_here = state.left[here] + arrays.size[a, here] >= arrays.size[b, here]
    return bool(enough_there and enough_here)


@compiled_in_place
def try_change(arrays: Arrays, state: Standing, a: int, to: int, b: int) -> bool:
    """Write into ``trial_s`` the latencies with module ``a`` on ``to`` and, unless it is -1, ``b`` where ``a`` was.

    Returns:
        Whether all requests can be answered then. ``undo_trial`` or ``take_change`` has to follow.
    """
    here = state.host[a]
    state.host[a] = to
    if b >= 0:
        state.host[b] = here
    possible = _try_users(arrays, state, a)
    if possible and b >= 0:
        possible = _try_users(arrays, state, b)
    state.host[a] = here
    if b >= 0:
        state.host[b] = to
    return possible


@compiled_in_place
def _try_users(arrays: Arrays, state: Standing, module: int) -> bool:
    for at in range(arrays.first_user[module], arrays.first_user[module + 1]):
        k = arrays.user[at]
        state.trial_s[k] = request_s(arrays, k, state.host, state.order, state.finish_s)
        if state.trial_s[k] == math.inf:
            return False
    return True


@compiled_in_place
def undo_trial(arrays: Arrays, state: Standing, a: int, b: int) -> None:
    """Forget what the change of ``a`` (and of ``b``, if it is none of -1) was tried for."""
    for at in range(arrays.first_user[a], arrays.first_user[a + 1]):
        state.trial_s[arrays.user[at]] = state.latency_s[arrays.user[at]]
    if b >= 0:
        for at in range(arrays.first_user[b], arrays.first_user[b + 1]):
            state.trial_s[arrays.user[at]] = state.latency_s[arrays.user[at]]


@compiled_in_place
def take_change(arrays: Arrays, state: Standing, a: int, to: int, b: int) -> None:
    """Make the change that has been tried."""
    here = state.host[a]
    state.left[here] += arrays.size[a, here]
    state.left[to] -= arrays.size[a, to]
    state.host[a] = to
    if b >= 0:
        state.left[to] += arrays.size[b, to]
        state.left[here] -= arrays.size[b, here]
        state.host[b] = here
    for k in range(len(state.latency_s)):
        state.latency_s[k] = state.trial_s[k]


@compiled_in_place
def worth_after(arrays: Arrays, state: Standing, a: int, to: int, b: int) -> float:
    """Objective with module ``a`` on ``to`` and, unless it is -1, ``b`` where ``a`` was; infinite if impossible."""
    fits = can_swap(arrays, state, a, b) if b >= 0 else arrays.may[a, to] and has_room(arrays, state, a, to)
    worth = math.inf
    if fits and try_change(arrays, state, a, to, b):
        worth = worth_s(arrays, state.trial_s, state.partial)
    if fits:
        undo_trial(arrays, state, a, b)
    return worth
