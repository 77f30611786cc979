"""Ruin and recreate: modules that go together are taken out and put back where they cost least, compiled (ours).

Source of the scheme: Schrimpf, Schneider, Stamm-Wilbrandt, Dueck, *Record breaking optimization results using the ruin
and recreate principle*, J. Comput. Phys. 159 (2000) 139-171; chance left to the putting back (*blinks*) and the
acceptance follow Christiaens, Vanden Berghe, *Slack induction by string removals for vehicle routing problems*,
Transportation Science 54 (2020) 417-433. What is taken out together is ours.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from splitshare.compilation import compiled_in_place
from splitshare.placement.arrays import Arrays, Ints
from splitshare.placement.delta import plain_worth_s
from splitshare.placement.generator import below, fraction
from splitshare.placement.hosting import Hosting, cost_s, put, routed_s, stands_on, sweep
from splitshare.placement.removal import Run, copy, mark, mark_for_room, mark_related, renew_users, take_all_out, undo

SLACK = 1e-12
"""Relative difference of two costs that rounding may make."""
RELATED = 0.5
"""Share of the rounds that take out modules that requests use together; the others make room for one module."""
MOST_DRIVEN = 12
"""Modules that are out at once beyond which none is driven out of its device."""
FARTHEST = 12.0
"""Rise of cost over temperature beyond which a device is not drawn: one in 160 000 times it would be."""
GOAL = 0.98
"""Share of the least largest latency that each request is to get under."""


@compiled_in_place
def renew(arrays: Arrays, state: Hosting, run: Run) -> None:
    """Compute all latencies and costs anew; keep the placement if it is complete and the best so far."""
    for k in range(len(state.latency_s)):
        state.latency_s[k] = routed_s(arrays, state, k)
    _cost_anew(arrays, state, run)
    note(arrays, state, run)


@compiled_in_place
def _cost_anew(arrays: Arrays, state: Hosting, run: Run) -> None:
    run.total_s[0] = 0.0
    for k in range(len(run.cost_s)):
        run.cost_s[k] = cost_s(arrays, state, k, state.latency_s[k])
        run.total_s[0] += run.cost_s[k]


@compiled_in_place
def note(arrays: Arrays, state: Hosting, run: Run) -> None:
    """Keep the placement that is held, if it is the best so far."""
    worth = plain_worth_s(arrays, state.latency_s)
    if not worth < run.total_s[2] * (1.0 - SLACK):
        return
    run.total_s[2] = worth
    copy(state.hosts, state.copies, run.best_hosts, run.best_copies)
    if arrays.worst:
        state.goal_s[0] = GOAL * worth
        _cost_anew(arrays, state, run)


@compiled_in_place
def hold(arrays: Arrays, state: Hosting, run: Run, hosts: Ints, copies: Ints) -> None:
    """Hold another placement, one that keeps to memory."""
    copy(hosts, copies, state.hosts, state.copies)
    for n in range(len(state.left)):
        state.left[n] = arrays.room[n]
    for m in range(len(copies)):
        for i in range(copies[m]):
            state.left[hosts[m, i]] -= arrays.size[m, hosts[m, i]]
    renew(arrays, state, run)


@compiled_in_place
def build(arrays: Arrays, state: Hosting, run: Run, order: Ints, replicas: bool) -> bool:
    """Hold a placement made from nothing, modules in ``order`` (M), each where it costs least.

    Returns:
        Whether all had room; if not, what is held is in pieces.
    """
    state.copies[:] = 0
    state.latency_s[:] = 0.0
    for n in range(len(state.left)):
        state.left[n] = arrays.room[n]
    for m in range(len(order)):
        run.out[m] = order[m]
    _cost_anew(arrays, state, run)
    if not recreate(arrays, state, run, 0, (len(order), 0), replicas, 0.0)[0]:
        return False
    renew(arrays, state, run)
    return True


@compiled_in_place
def _sweep_users(arrays: Arrays, state: Hosting, run: Run, m: int) -> None:
    """Write into ``trial_cost_s`` what the users of module ``m`` cost with it on each device, too."""
    cost = run.trial_cost_s
    cost[:] = 0.0
    for at in range(arrays.first_user[m], arrays.first_user[m + 1]):
        k = arrays.user[at]
        sweep(arrays, state, k, m)
        for n in range(len(cost)):
            cost[n] += cost_s(arrays, state, k, state.sweep_s[n])


@compiled_in_place
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


@compiled_in_place
def _chance(rise: float) -> float:
    return math.exp(-rise) if rise < FARTHEST else 0.0


@compiled_in_place
def _settle_in(arrays: Arrays, state: Hosting, run: Run, m: int, n: int) -> None:
    """Put module ``m`` on device ``n`` and renew its users."""
    put(arrays, state, m, n)
    renew_users(arrays, state, run, m)


@compiled_in_place
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


@compiled_in_place
def recreate(
    arrays: Arrays, state: Hosting, run: Run, first: int, sizes: tuple[int, int], replicas: bool, temperature_s: float
) -> tuple[bool, int, int]:
    """Put back the modules of ``run.out`` from ``first`` on, in this order.

    A module that finds no room, at a temperature above 0, drives others out of a device where it wants to be; they are
    put back in their turn, and driven out once at most.

    Args:
        arrays: the instance.
        state: the placement.
        run: the search.
        first: modules before this one have been put back.
        sizes: how many modules are out, and how many requests touched.
        replicas: whether further devices are tried.
        temperature_s: how much chance there is.

    Returns:
        Whether each module has found room, and the new sizes.
    """
    size, touched = sizes
    i = first
    while i < size:
        m = run.out[i]
        n = _draw_device(arrays, state, run, m, temperature_s, False)
        if n < 0:
            n = _draw_device(arrays, state, run, m, temperature_s, True)
            if n < 0 or temperature_s <= 0.0 or size >= first + MOST_DRIVEN:
                return False, size, touched
            before, size = size, mark_for_room(arrays, state, run, n, arrays.size[m, n], size)
            touched = take_all_out(arrays, state, run, before, size, touched)
            if state.left[n] < arrays.size[m, n]:
                return False, size, touched
        _settle_in(arrays, state, run, m, n)
        i += 1
    if replicas:
        _add_replicas(arrays, state, run, size)
    return True, size, touched


@compiled_in_place
def arrange(run: Run, first: int, size: int) -> None:
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
            while j > first and run.bulk[run.out[j - 1]] < run.bulk[m]:
                run.out[j] = run.out[j - 1]
                j -= 1
            run.out[j] = m


@compiled_in_place
def change(arrays: Arrays, state: Hosting, run: Run, most: int, replicas: bool, temperature_s: float) -> bool:
    """Take out up to about ``most`` modules and put them back; whether the outcome is kept."""
    draws = run.draws
    if fraction(draws) < RELATED:
        placed, size = 0, mark_related(arrays, state, run, 1 + below(draws, most))
        touched = take_all_out(arrays, state, run, 0, size, 0)
    else:
        m = below(draws, len(run.out))
        size = mark(arrays, state, run, m, 0)
        touched = take_all_out(arrays, state, run, 0, size, 0)
        placed, n = 0, _draw_device(arrays, state, run, m, temperature_s, True)
        if n >= 0 and state.left[n] < arrays.size[m, n]:
            size = mark_for_room(arrays, state, run, n, arrays.size[m, n], size)
            touched = take_all_out(arrays, state, run, 1, size, touched)
        if n >= 0:
            _settle_in(arrays, state, run, m, n)
            placed = 1
    arrange(run, placed, size)
    kept, size, touched = recreate(arrays, state, run, placed, (size, touched), replicas, temperature_s)
    before = after = 0.0
    for i in range(touched):
        before += run.old_cost_s[run.touched[i]]
        after += run.cost_s[run.touched[i]]
    kept = kept and after - before < -temperature_s * math.log(1.0 - fraction(draws)) + SLACK * before
    if kept:
        run.total_s[0] += after - before
    else:
        undo(arrays, state, run, size, touched)
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


@compiled_in_place
def search(arrays: Arrays, state: Hosting, run: Run, cooling: Cooling, replicas: bool) -> None:
    """Rounds from the placement that is held, with falling temperatures."""
    temperature_s = cooling.hot_s
    for _ in range(cooling.rounds):
        if run.total_s[2] <= cooling.floor_s:
            return
        if change(arrays, state, run, cooling.most, replicas, temperature_s):
            worth = plain_worth_s(arrays, state.latency_s) if arrays.worst else run.total_s[0]
            if worth < run.total_s[1] * (1.0 - SLACK):
                run.total_s[1] = worth
                note(arrays, state, run)
        temperature_s *= cooling.factor
