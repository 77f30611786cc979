"""What a node rules out: devices without room, and choices that cost more than the best placement (ours)."""

from __future__ import annotations

import numpy as np

from splitshare.compilation import compiled, compiled_in_place
from splitshare.placement.arrays import Bools, Floats
from splitshare.placement.branching.dual import Dual
from splitshare.placement.branching.knapsacks import forced
from splitshare.placement.branching.relaxation import Ask, Relaxation, cheapest_route


@compiled
def settle(problem: Relaxation, may: Bools, must: Bools) -> bool:  # noqa: PLR0912  (rules that feed each other)
    """Follow up what is decided, in place: ``must`` where one device is left, no ``may`` where there is no room.

    With replicas, all that may stand on a device does where it fits: more replicas never make a request slower.

    Returns:
        Whether a placement may be left.
    """
    arrays = problem.arrays
    left = np.empty(len(arrays.room), np.int64)
    changed = True
    while changed:
        changed = False
        left[:] = arrays.room
        for m in range(len(may)):
            count = last = 0
            stands = False
            for n in range(len(left)):
                if may[m, n]:
                    count += 1
                    last = n
                stands = stands or must[m, n]
            if count == 0:
                return False
            if count == 1:
                must[m, last] = stands = True
            for n in range(len(left)):
                if must[m, n]:
                    left[n] -= arrays.size[m, n]
                elif stands and may[m, n] and not problem.replicas:
                    may[m, n] = False
        for n in range(len(left)):
            if left[n] < 0:
                return False
            wanted = 0
            for m in range(len(may)):
                if may[m, n] and not must[m, n]:
                    wanted += arrays.size[m, n]
                    if arrays.size[m, n] > left[n]:
                        may[m, n] = False
                        changed = True
            if problem.replicas and wanted <= left[n]:
                must[:, n] |= may[:, n]
    return True


# Long: knapsacks and requests add to the same costs.
@compiled
def costs(  # noqa: PLR0912  (one pass over knapsacks, one over requests)
    problem: Relaxation, node: Dual, may: Bools, must: Bools, cut_s: float, slack: float, extra: Floats
) -> None:
    """Write by how much the bound rises where module m stands on device n, (M, N), as far as that matters.

    ``lower_bound`` has been called before, with the same prices. Infinite where m may not stand; a rise of ``slack`` or
    more may be told as less than it is, but not as less than ``slack``.
    """
    arrays = problem.arrays
    modules, devices = may.shape
    with_it, without = np.empty(modules), np.empty(modules)
    gone = np.zeros(modules)
    extra[:] = np.inf
    for n in range(devices):
        room, fixed = problem.capacity[n], 0.0
        for m in range(modules):
            node.offered[m] = may[m, n] and not must[m, n]
            if must[m, n]:
                room -= problem.weight[m, n]
                fixed += node.worth[n, m]
        forced(node.worth[n], problem.weight[:, n], room, node.offered, with_it, without)
        for m in range(modules):
            if must[m, n]:
                extra[m, n] = 0.0
            elif may[m, n]:
                extra[m, n] = max(0.0, node.most[n] - fixed - with_it[m])
                if not problem.replicas:  # everywhere else it is left out
                    lost = max(0.0, node.most[n] - fixed - without[m])
                    extra[m, n] -= lost
                    gone[m] += lost
    if problem.replicas:
        return
    for m in range(modules):
        for n in range(devices):
            if may[m, n] and not must[m, n]:
                extra[m, n] += gone[m]
    positions, requests = len(arrays.encoder), len(arrays.head)
    for k in range(requests):
        first, count = arrays.first[k], arrays.first[k + 1] - arrays.first[k]
        slot = positions + k
        for e in range(count + 1):
            m = arrays.encoder[first + e] if e < count else arrays.head[k]
            twin = False
            for before in range(e):
                twin = twin or arrays.encoder[first + before] == m
            if twin:
                continue  # a request pays once
            for n in range(devices):
                if may[m, n] and not must[m, n] and extra[m, n] < slack:
                    least = node.least[slot]
                    best = least + slack - extra[m, n]
                    ask = Ask(node.weight[k], cut_s, best, e, n)
                    paid = cheapest_route(problem, k, may, node.price, ask, node.space)
                    extra[m, n] += paid - least
    for s in range(positions + requests, len(problem.slot)):
        for n in range(devices):
            if may[problem.slot[s], n]:
                extra[problem.slot[s], n] += node.price[s, n] - node.least[s]


@compiled_in_place
def exclude(may: Bools, must: Bools, slack: float, extra: Floats) -> int:
    """Rule out, in place, where a module would lift the bound by ``slack`` or more; returns how many choices."""
    count = 0
    for m in range(len(may)):
        for n in range(may.shape[1]):
            if may[m, n] and not must[m, n] and extra[m, n] >= slack:
                may[m, n] = False
                count += 1
    return count
