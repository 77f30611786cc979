"""Placements near what a bound's parts have chosen (ours): the device with most votes that has room, then descent."""

from __future__ import annotations

import numpy as np

from splitshare.compilation import compiled, compiled_in_place
from splitshare.placement.arrays import Bools, Floats, Ints
from splitshare.placement.branching.relaxation import Ask, Relaxation, Scratch, cheapest_route
from splitshare.placement.delta import plain_worth_s


@compiled
def by_votes(problem: Relaxation, vote: Floats, may: Bools, host: Ints) -> bool:
    """Write a device by module into ``host`` (M), the surest modules first; whether all have found room.

    ``vote`` is (M, N); devices without any are taken where the others are full.
    """
    arrays = problem.arrays
    modules, devices = may.shape
    left = arrays.room.copy()
    sure = np.empty(modules)
    for m in range(modules):
        # Among modules that are as sure, the largest first: it is the hardest to fit.
        sure[m] = -vote[m].max() - 0.3 * arrays.size[m].max() / max(1, arrays.room.max())
    for m in np.argsort(sure):
        best = -1
        for n in range(devices):
            if may[m, n] and arrays.size[m, n] <= left[n] and (best < 0 or vote[m, n] > vote[m, best]):
                best = n
        if best < 0:
            return False
        host[m] = best
        left[best] -= arrays.size[m, best]
    return True


# Long: replicas give way until each module has found room.
@compiled
def by_packing(problem: Relaxation, packed: Bools, vote: Floats, stands: Bools) -> bool:  # noqa: PLR0912  (three loops)
    """Write what the knapsacks (N, M) hold into ``stands`` (M, N), and each module that none holds where votes want it.

    Replicas with the fewest votes (M, N) give way to it; whether all modules have found room.
    """
    arrays = problem.arrays
    modules, devices = stands.shape
    left = arrays.room.copy()
    for m in range(modules):
        for n in range(devices):
            stands[m, n] = packed[n, m] and arrays.size[m, n] <= left[n]  # knapsacks round bytes down
            if stands[m, n]:
                left[n] -= arrays.size[m, n]
    for m in range(modules):
        if stands[m].any():
            continue
        for n in np.argsort(-vote[m]):
            if arrays.size[m, n] > arrays.room[n]:
                continue
            while left[n] < arrays.size[m, n]:
                gives_way = -1
                for other in range(modules):
                    spare = stands[other, n] and stands[other].sum() > 1
                    if spare and (gives_way < 0 or vote[other, n] < vote[gives_way, n]):
                        gives_way = other
                if gives_way < 0:
                    break
                stands[gives_way, n] = False
                left[n] += arrays.size[gives_way, n]
            if left[n] >= arrays.size[m, n]:
                stands[m, n] = True
                left[n] -= arrays.size[m, n]
                break
        if not stands[m].any():
            return False
    return True


@compiled_in_place
def replicated_s(
    problem: Relaxation, stands: Bools, price: Floats, changed: int, latency_s: Floats, space: Scratch
) -> bool:
    """Renew the latencies (K) of the requests that use module ``changed`` (-1: all) where modules stand on ``stands``.

    ``price`` is (S, N) and all zeros. Returns whether all can be answered.
    """
    arrays = problem.arrays
    count = len(arrays.head) if changed < 0 else arrays.first_user[changed + 1] - arrays.first_user[changed]
    for i in range(count):
        k = i if changed < 0 else arrays.user[arrays.first_user[changed] + i]
        latency_s[k] = cheapest_route(problem, k, stands, price, Ask(1.0, np.inf, np.inf, -1, -1), space)
        if latency_s[k] == np.inf:
            return False
    return True


# Long: one round after the other of the same three changes.
@compiled
def improve_replicas(  # noqa: PLR0912  (additions, removals, moves)
    problem: Relaxation, stands: Bools, left: Ints, price: Floats, latency_s: Floats, space: Scratch, rounds: int
) -> bool:
    """Descend from a placement with replicas, in place: add one, drop one that is not missed, or move one.

    At most ``rounds`` over all changes. Returns whether the placement serves all requests.
    """
    arrays = problem.arrays
    modules, devices = stands.shape
    if not replicated_s(problem, stands, price, -1, latency_s, space):
        return False
    trial = latency_s.copy()
    worth = plain_worth_s(problem.arrays, latency_s)
    for _ in range(rounds):
        improved = False
        for m in range(modules):
            for n in range(devices):
                for away in range(-1, devices):  # the device that it leaves; none at first
                    if away >= 0 and not stands[m, away]:
                        continue
                    adds = not stands[m, n] and arrays.size[m, n] <= left[n]
                    drops = away >= 0 and away == n and stands[m].sum() > 1
                    if not (adds and away != n) and not drops:
                        continue
                    if adds:
                        stands[m, n] = True
                    if away >= 0:
                        stands[m, away] = False
                    possible = replicated_s(problem, stands, price, m, trial, space)
                    after = plain_worth_s(problem.arrays, trial) if possible else np.inf
                    if after < worth or (drops and after <= worth):
                        improved = improved or after < worth
                        worth = after
                        latency_s[:] = trial
                        if adds:
                            left[n] -= arrays.size[m, n]
                        if away >= 0:
                            left[away] += arrays.size[m, away]
                    else:
                        trial[:] = latency_s
                        if away >= 0:
                            stands[m, away] = True
                        if adds:
                            stands[m, n] = False
        if not improved:
            break
    return True
