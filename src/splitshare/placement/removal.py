"""What a search by ruin and recreate holds, and what it takes out of a placement, compiled (ours)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from splitshare.compilation import compiled_in_place
from splitshare.placement.arrays import Arrays, Bools, Floats, Ints
from splitshare.placement.generator import State, below
from splitshare.placement.hosting import Hosting, cost_s, routed_s, stands_on, take_out


class Run(NamedTuple):
    """A search, where it stands and what it has found."""

    draws: State
    bulk: Ints
    """(M): units of memory that a module takes, at most over the devices."""
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


def run(arrays: Arrays, state: Hosting, draws: State) -> Run:
    """A search that holds nothing yet."""
    modules, requests = len(state.copies), len(state.latency_s)
    return Run(
        draws,
        arrays.size.max(axis=1),
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
    )


@compiled_in_place
def copy(hosts: Ints, copies: Ints, to_hosts: Ints, to_copies: Ints) -> None:
    """Copy where all modules stand."""
    for m in range(len(copies)):
        copy_one(hosts, copies, to_hosts, to_copies, m)


@compiled_in_place
def copy_one(hosts: Ints, copies: Ints, to_hosts: Ints, to_copies: Ints, m: int) -> None:
    """Copy where module ``m`` stands."""
    to_copies[m] = copies[m]
    for i in range(copies[m]):
        to_hosts[m, i] = hosts[m, i]


@compiled_in_place
def touch(arrays: Arrays, state: Hosting, run: Run, m: int, touched: int) -> int:
    """Write down the users of module ``m`` before it changes; returns how many are written down."""
    for at in range(arrays.first_user[m], arrays.first_user[m + 1]):
        k = arrays.user[at]
        if not run.is_touched[k]:
            run.is_touched[k] = True
            run.old_latency_s[k], run.old_cost_s[k] = state.latency_s[k], run.cost_s[k]
            run.touched[touched] = k
            touched += 1
    return touched


@compiled_in_place
def mark(arrays: Arrays, state: Hosting, run: Run, m: int, size: int) -> int:
    """Write down a module that is to be taken out, once; returns how many are."""
    if not run.is_out[m]:
        run.is_out[m] = True
        copy_one(state.hosts, state.copies, run.old_hosts, run.old_copies, m)
        run.out[size] = m
        size += 1
    return size


@compiled_in_place
def mark_related(arrays: Arrays, state: Hosting, run: Run, size: int) -> int:
    """Mark about ``size`` modules that requests use together: all of a request, then of one that shares some."""
    draws = run.draws
    marked, m = 0, below(draws, len(run.out))
    for _ in range(2 * size):
        users = arrays.first_user[m + 1] - arrays.first_user[m]
        if users == 0:
            return mark(arrays, state, run, m, marked)
        k = arrays.user[arrays.first_user[m] + below(draws, users)]
        marked = mark(arrays, state, run, arrays.head[k], marked)
        for p in range(arrays.first[k], arrays.first[k + 1]):
            marked = mark(arrays, state, run, arrays.encoder[p], marked)
        if marked >= size:
            return marked
        m = run.out[below(draws, marked)]
    return marked


@compiled_in_place
def take_all_out(arrays: Arrays, state: Hosting, run: Run, first: int, size: int, touched: int) -> int:
    """Take the modules ``first`` up to ``size`` of ``run.out`` from all devices; returns how many users are touched."""
    for i in range(first, size):
        m = run.out[i]
        touched = touch(arrays, state, run, m, touched)
        while state.copies[m] > 0:
            take_out(arrays, state, m, state.hosts[m, 0])
    for i in range(first, size):
        renew_users(arrays, state, run, run.out[i])
    return touched


@compiled_in_place
def renew_users(arrays: Arrays, state: Hosting, run: Run, m: int) -> None:
    """Compute latencies and costs of the users of module ``m`` anew."""
    for at in range(arrays.first_user[m], arrays.first_user[m + 1]):
        k = arrays.user[at]
        state.latency_s[k] = routed_s(arrays, state, k)
        run.cost_s[k] = cost_s(arrays, state, k, state.latency_s[k])


@compiled_in_place
def mark_for_room(arrays: Arrays, state: Hosting, run: Run, n: int, room: int, marked: int) -> int:
    """Mark modules that stand on device ``n``, from a random one on, until it has so much room without them."""
    left, start = state.left[n], below(run.draws, len(run.out))
    for i in range(len(run.out)):
        m = (start + i) % len(run.out)
        if left >= room:
            break
        if not run.is_out[m] and stands_on(state, m, n):
            left += arrays.size[m, n]
            marked = mark(arrays, state, run, m, marked)
    return marked


@compiled_in_place
def undo(arrays: Arrays, state: Hosting, run: Run, size: int, touched: int) -> None:
    """Put the first ``size`` modules of ``run.out`` back where they were, with the latencies that were."""
    for i in range(size):
        m = run.out[i]
        for j in range(state.copies[m]):
            state.left[state.hosts[m, j]] += arrays.size[m, state.hosts[m, j]]
    for i in range(size):
        m = run.out[i]
        copy_one(run.old_hosts, run.old_copies, state.hosts, state.copies, m)
        for j in range(state.copies[m]):
            state.left[state.hosts[m, j]] -= arrays.size[m, state.hosts[m, j]]
    for i in range(touched):
        k = run.touched[i]
        state.latency_s[k], run.cost_s[k] = run.old_latency_s[k], run.old_cost_s[k]
