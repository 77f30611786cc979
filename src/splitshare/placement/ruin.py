"""Ruin and recreate: modules that go together are taken out and put back where they cost least, compiled (ours).

Source of the scheme: Schrimpf, Schneider, Stamm-Wilbrandt, Dueck, *Record breaking optimization results using the ruin
and recreate principle*, J. Comput. Phys. 159 (2000) 139-171; chance left to the putting back (*blinks*) and the
acceptance follow Christiaens, Vanden Berghe, *Slack induction by string removals for vehicle routing problems*,
Transportation Science 54 (2020) 417-433. What is taken out together is ours.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from splitshare.compilation import compiled
from splitshare.placement.arrays import Arrays, Bools, Floats, Ints
from splitshare.placement.generator import State, below, fraction
from splitshare.placement.hosting import Hosting, cost_s, put, routed_s, stands_on, sweep, take_out

SLACK = 1e-12
"""Relative difference of two costs that rounding may make."""
RELATED = 0.5
"""Share of the rounds that take out modules that requests use together; the others make room for one module."""
FARTHEST = 12.0
"""Rise of cost over temperature beyond which a device is not drawn: one in 160 000 times it would be."""
GOAL = 0.98
"""Share of the least largest latency that each request is to get under."""


class Run(NamedTuple):
    """A search, where it stands and what it has found."""

    draws: State
    cost_s: Floats
    """(K): of each request, at its latency."""
    trial_cost_s: Floats
    """(N): of a module's users, with it here or there."""
    total_s: Floats
    """(3): cost of the placement that is held; the least objective since that was set; the least one of all."""
    best_hosts: Ints
    best_copies: Ints
    out: Ints
    """(M): the modules that are taken out, in the order in which they are put back."""
    is_out: Bools
    touched: Ints
    """(K): requests whose latency may have changed."""
    is_touched: Bools
    old_latency_s: Floats
    old_cost_s: Floats
    old_hosts: Ints
    old_copies: Ints
    tally: Ints
    """(3): rounds, those that were accepted, those that found a better placement."""


def run(state: Hosting, draws: State) -> Run:
    """A search that holds nothing yet."""
    modules, requests = len(state.copies), len(state.latency_s)
    return Run(
        draws,
        np.zeros(requests),
        np.zeros(len(state.left)),
        np.full(3, np.inf),
        state.hosts.copy(),
        state.copies.copy(),
        np.zeros(modules, np.int64),
        np.zeros(modules, np.bool_),
        np.zeros(requests, np.int64),
        np.zeros(requests, np.bool_),
        np.zeros(requests),
        np.zeros(requests),
        state.hosts.copy(),
        state.copies.copy(),
        np.zeros(3, np.int64),
    )


@compiled
def objective_s(arrays: Arrays, state: Hosting) -> float:
    """The objective, as a plain sum: the evaluator's but for rounding; infinite where a request is not answered."""
    if arrays.worst:
        return float(state.latency_s.max())
    return float((arrays.rate * state.latency_s).sum() / arrays.total_rate)


@compiled
def renew(arrays: Arrays, state: Hosting, run: Run) -> None:
    """Compute all latencies and costs anew; keep the placement if it is complete and the best so far."""
    for k in range(len(state.latency_s)):
        state.latency_s[k] = routed_s(arrays, state, k)
    _cost_anew(arrays, state, run)
    note(arrays, state, run)


@compiled
def _cost_anew(arrays: Arrays, state: Hosting, run: Run) -> None:
    for k in range(len(run.cost_s)):
        run.cost_s[k] = cost_s(arrays, state, k, state.latency_s[k])
    run.total_s[0] = run.cost_s.sum()


@compiled
def note(arrays: Arrays, state: Hosting, run: Run) -> bool:
    """Keep the placement that is held, if it is the best so far; whether it is."""
    worth = objective_s(arrays, state)
    if not worth < run.total_s[2] * (1.0 - SLACK):
        return False
    run.total_s[2] = worth
    run.best_hosts[:] = state.hosts
    run.best_copies[:] = state.copies
    if arrays.worst:
        state.goal_s[0] = GOAL * worth
        _cost_anew(arrays, state, run)
    return True


@compiled
def hold(arrays: Arrays, state: Hosting, run: Run, hosts: Ints, copies: Ints) -> None:
    """Hold another placement, one that keeps to memory."""
    state.hosts[:] = hosts
    state.copies[:] = copies
    state.left[:] = arrays.room
    for m in range(len(copies)):
        for i in range(copies[m]):
            state.left[hosts[m, i]] -= arrays.size[m, hosts[m, i]]
    renew(arrays, state, run)


@compiled
def build(arrays: Arrays, state: Hosting, run: Run, order: Ints, replicas: bool) -> bool:
    """Hold a placement made from nothing, modules in ``order`` (M), each where it costs least.

    Returns:
        Whether all had room; if not, what is held is in pieces.
    """
    state.copies[:] = 0
    state.left[:] = arrays.room
    state.latency_s[:] = 0.0
    run.out[:] = order
    _cost_anew(arrays, state, run)
    if not recreate(arrays, state, run, 0, len(order), replicas, 0.0):
        return False
    renew(arrays, state, run)
    return True


@compiled
def _touch(arrays: Arrays, state: Hosting, run: Run, m: int, touched: int) -> int:
    """Write down the users of module ``m`` before it changes; returns how many are written down."""
    for at in range(arrays.first_user[m], arrays.first_user[m + 1]):
        k = arrays.user[at]
        if not run.is_touched[k]:
            run.is_touched[k] = True
            run.old_latency_s[k], run.old_cost_s[k] = state.latency_s[k], run.cost_s[k]
            run.touched[touched] = k
            touched += 1
    return touched


@compiled
def _mark(arrays: Arrays, state: Hosting, run: Run, m: int, size: int) -> int:
    """Write down a module that is to be taken out, once; returns how many are."""
    if not run.is_out[m]:
        run.is_out[m] = True
        run.old_hosts[m] = state.hosts[m]
        run.old_copies[m] = state.copies[m]
        run.out[size] = m
        size += 1
    return size


@compiled
def _choose_related(arrays: Arrays, state: Hosting, run: Run, size: int) -> int:
    """Mark about ``size`` modules that requests use together: all of a request, then of one that shares some."""
    draws = run.draws
    marked, m = 0, below(draws, len(run.out))
    for _ in range(2 * size):
        users = arrays.first_user[m + 1] - arrays.first_user[m]
        if users == 0:
            return _mark(arrays, state, run, m, marked)
        k = arrays.user[arrays.first_user[m] + below(draws, users)]
        marked = _mark(arrays, state, run, arrays.head[k], marked)
        for p in range(arrays.first[k], arrays.first[k + 1]):
            marked = _mark(arrays, state, run, arrays.encoder[p], marked)
        if marked >= size:
            return marked
        m = run.out[below(draws, marked)]
    return marked


@compiled
def _sweep_users(arrays: Arrays, state: Hosting, run: Run, m: int) -> None:
    """Write into ``trial_cost_s`` what the users of module ``m`` cost with it on each device, too."""
    cost = run.trial_cost_s
    cost[:] = 0.0
    for at in range(arrays.first_user[m], arrays.first_user[m + 1]):
        k = arrays.user[at]
        sweep(arrays, state, k, m)
        for n in range(len(cost)):
            cost[n] += cost_s(arrays, state, k, state.sweep_s[n])


@compiled
def _draw_device(arrays: Arrays, state: Hosting, run: Run, m: int, temperature_s: float, crowded: bool) -> int:
    """A device where module ``m`` is not, drawn by what its users would cost there; -1: none.

    A device is drawn with a probability that falls exponentially with cost over temperature (heat bath). Without
    ``crowded`` only where there is room.
    """
    size, cost = arrays.size, run.trial_cost_s
    _sweep_users(arrays, state, run, m)
    least, best = math.inf, -1
    for n in range(len(cost)):
        open_ = state.may[m, n] and (crowded or size[m, n] <= state.left[n]) and not stands_on(state, m, n)
        if not open_:
            cost[n] = math.inf
        elif cost[n] < least:
            least, best = cost[n], n
    if best < 0 or temperature_s <= 0.0:
        return best
    total = 0.0
    for n in range(len(cost)):
        total += _chance((cost[n] - least) / temperature_s)
    drawn = fraction(run.draws) * total
    for n in range(len(cost)):
        drawn -= _chance((cost[n] - least) / temperature_s)
        if drawn < 0.0:
            return n
    return best


@compiled
def _chance(rise: float) -> float:
    return math.exp(-rise) if rise < FARTHEST else 0.0


@compiled
def _settle_in(arrays: Arrays, state: Hosting, run: Run, m: int, n: int) -> None:
    """Put module ``m`` on device ``n`` and renew its users."""
    put(arrays, state, m, n)
    for at in range(arrays.first_user[m], arrays.first_user[m + 1]):
        k = arrays.user[at]
        state.latency_s[k] = routed_s(arrays, state, k)
        run.cost_s[k] = cost_s(arrays, state, k, state.latency_s[k])


@compiled
def _add_replicas(arrays: Arrays, state: Hosting, run: Run, size: int) -> None:
    """Put each module that was taken out on further devices for as long as that helps."""
    for i in range(size):
        m = run.out[i]
        for _ in range(len(state.left)):
            now = 0.0
            for at in range(arrays.first_user[m], arrays.first_user[m + 1]):
                now += run.cost_s[arrays.user[at]]
            n = _draw_device(arrays, state, run, m, 0.0, False)
            if n < 0 or not run.trial_cost_s[n] < now * (1.0 - SLACK):
                break
            _settle_in(arrays, state, run, m, n)


@compiled
def recreate(
    arrays: Arrays, state: Hosting, run: Run, first: int, size: int, replicas: bool, temperature_s: float
) -> bool:
    """Put back the modules ``first`` up to ``size`` of ``run.out``, in this order; whether each has found room."""
    for i in range(first, size):
        n = _draw_device(arrays, state, run, run.out[i], temperature_s, False)
        if n < 0:
            return False
        _settle_in(arrays, state, run, run.out[i], n)
    if replicas:
        _add_replicas(arrays, state, run, size)
    return True


@compiled
def _arrange(arrays: Arrays, state: Hosting, run: Run, first: int, size: int) -> None:
    """The order of putting back: as marked, at random, or the largest first."""
    draws = run.draws
    kind = below(draws, 3)
    if kind == 0:
        return
    for i in range(size - 1, first, -1):
        j = first + below(draws, i + 1 - first)
        run.out[i], run.out[j] = run.out[j], run.out[i]
    if kind == 2:
        for i in range(first + 1, size):
            m, j = run.out[i], i
            while j > first and arrays.size[run.out[j - 1], 0] < arrays.size[m, 0]:
                run.out[j] = run.out[j - 1]
                j -= 1
            run.out[j] = m


@compiled
def _undo(arrays: Arrays, state: Hosting, run: Run, size: int, touched: int) -> None:
    for i in range(size):
        m = run.out[i]
        for j in range(state.copies[m]):
            state.left[state.hosts[m, j]] += arrays.size[m, state.hosts[m, j]]
    for i in range(size):
        m = run.out[i]
        state.hosts[m] = run.old_hosts[m]
        state.copies[m] = run.old_copies[m]
        for j in range(state.copies[m]):
            state.left[state.hosts[m, j]] -= arrays.size[m, state.hosts[m, j]]
    for i in range(touched):
        k = run.touched[i]
        state.latency_s[k], run.cost_s[k] = run.old_latency_s[k], run.old_cost_s[k]


@compiled
def _take_all_out(arrays: Arrays, state: Hosting, run: Run, first: int, size: int, touched: int) -> int:
    """Take the modules ``first`` up to ``size`` of ``run.out`` from all devices; returns how many users are touched."""
    for i in range(first, size):
        m = run.out[i]
        touched = _touch(arrays, state, run, m, touched)
        while state.copies[m] > 0:
            take_out(arrays, state, m, state.hosts[m, 0])
    for i in range(first, size):
        m = run.out[i]
        for at in range(arrays.first_user[m], arrays.first_user[m + 1]):
            k = arrays.user[at]
            state.latency_s[k] = routed_s(arrays, state, k)
            run.cost_s[k] = cost_s(arrays, state, k, state.latency_s[k])
    return touched


@compiled
def _make_room(arrays: Arrays, state: Hosting, run: Run, n: int, room: int, marked: int) -> int:
    """Mark modules that stand on device ``n``, from a random one on, until it has so much room without them."""
    left, start = state.left[n], below(run.draws, len(run.out))
    for i in range(len(run.out)):
        m = (start + i) % len(run.out)
        if left >= room:
            break
        if not run.is_out[m] and stands_on(state, m, n):
            left += arrays.size[m, n]
            marked = _mark(arrays, state, run, m, marked)
    return marked


@compiled
def change(arrays: Arrays, state: Hosting, run: Run, most: int, replicas: bool, temperature_s: float) -> bool:
    """Take out up to about ``most`` modules and put them back; whether the outcome is kept."""
    draws = run.draws
    if fraction(draws) < RELATED:
        placed, size = 0, _choose_related(arrays, state, run, 1 + below(draws, most))
        touched = _take_all_out(arrays, state, run, 0, size, 0)
    else:
        m = below(draws, len(run.out))
        size = _mark(arrays, state, run, m, 0)
        touched = _take_all_out(arrays, state, run, 0, size, 0)
        placed, n = 0, _draw_device(arrays, state, run, m, temperature_s, True)
        if n >= 0 and state.left[n] < arrays.size[m, n]:
            size = _make_room(arrays, state, run, n, arrays.size[m, n], size)
            touched = _take_all_out(arrays, state, run, 1, size, touched)
        if n >= 0:
            _settle_in(arrays, state, run, m, n)
            placed = 1
    _arrange(arrays, state, run, placed, size)
    kept = recreate(arrays, state, run, placed, size, replicas, temperature_s)
    before = after = 0.0
    for i in range(touched):
        before += run.old_cost_s[run.touched[i]]
        after += run.cost_s[run.touched[i]]
    kept = kept and after - before < -temperature_s * math.log(1.0 - fraction(draws)) + SLACK * before
    if kept:
        run.total_s[0] += after - before
    else:
        _undo(arrays, state, run, size, touched)
    for i in range(size):
        run.is_out[run.out[i]] = False
    for i in range(touched):
        run.is_touched[run.touched[i]] = False
    return kept


class Cooling(NamedTuple):
    """How long a search goes on and how."""

    rounds: int
    most: int
    """Modules that are taken out at once, about."""
    hot_s: float
    """First temperature."""
    factor: float
    """From each temperature to the next."""
    floor_s: float
    """A best placement worth so much or less ends the search."""


@compiled
def search(arrays: Arrays, state: Hosting, run: Run, cooling: Cooling, replicas: bool) -> int:
    """Rounds from the placement that is held, with falling temperatures; returns how many were made."""
    temperature_s = cooling.hot_s
    for made in range(cooling.rounds):
        if run.total_s[2] <= cooling.floor_s:
            return made
        run.tally[0] += 1
        if change(arrays, state, run, cooling.most, replicas, temperature_s):
            run.tally[1] += 1
            worth = state.latency_s.max() if arrays.worst else run.total_s[0]
            if worth < run.total_s[1] * (1.0 - SLACK):
                run.total_s[1] = worth
                run.tally[2] += note(arrays, state, run)
        temperature_s *= cooling.factor
    return cooling.rounds
