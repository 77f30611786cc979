"""The Lagrangian bound of a node and its ascent by deflected subgradients, compiled (ours, after textbooks).

With prices ``p`` by slot and device, and ``q`` the sum of ``p`` over the slots of a module, every placement is worth at
least

    sum over requests of min over routes (weight * latency + prices of its slots)
    - sum over devices of max over sets of modules that fit (sum of q),

because a module's slots are where the module is: what the first sum pays, the second takes back. With replicas a slot
is on one of its module's devices, and prices must not be negative. For the largest latency the weights are a
distribution over requests that the ascent chooses, too. Sources: Fisher, *The Lagrangian relaxation method for solving
integer programming problems*, Management Science 27 (1981) 1-18; deflection and step as in Camerini, Fratta,
Maffioli, *On improving relaxation methods by modified gradient techniques*, Math. Programming Study 3 (1975) 26-34.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from splitshare.compilation import compiled, compiled_in_place
from splitshare.placement.arrays import Bools, Floats, Ints
from splitshare.placement.branching.knapsacks import fill
from splitshare.placement.branching.relaxation import Ask, Relaxation, Scratch, cheapest_route, scratch

ROUNDING = 1e-12
"""Of the sums of a bound, relatively: taken off it, so that rounding never lifts it."""
PATIENCE = 10
"""Steps without a better bound after which the step shrinks and the best prices are taken up again."""
SHRINK = 0.7
LEAST_AIM = 1e-6
"""What the ascent aims above a bound at least, as a share of the target, which it would never quite reach else."""
LIGHTEST = 1e-6
"""Share of the weights that all requests have alike: the latency of each stays known."""
MEMORY = 0.9
"""Share of the old direction in the new one."""


class Dual(NamedTuple):
    """Multipliers of one node and space for the ascent."""

    price: Floats
    """(S, N)."""
    weight: Floats
    """(K): of a second of each request's latency; they add up to 1."""
    best_price: Floats
    best_weight: Floats
    slot_on: Ints
    """(S): device that a slot chooses."""
    packed: Bools
    """(N, M)."""
    vote: Floats
    """(M, N): how much slots have chosen a device of late; each module's add up to about 1."""
    least: Floats
    """(S): what a request, told by its head's slot, or an unused module pays at least."""
    most: Floats
    """(N): what a device's knapsack is worth."""
    latency_s: Floats
    """(K): of the chosen routes."""
    along: Floats
    """(S, N): direction."""
    along_weight: Floats
    """(K)."""
    worth: Floats
    """(N, M): what a module is worth to a device's knapsack."""
    offered: Bools
    """(M)."""
    table: Floats
    space: Scratch


def dual(problem: Relaxation) -> Dual:
    """Multipliers to begin with: no prices, requests weighted by their rate."""
    arrays = problem.arrays
    (modules, devices), slots, requests = arrays.may.shape, len(problem.slot), len(arrays.head)
    weight = arrays.rate / arrays.total_rate
    return Dual(
        price=np.zeros((slots, devices)),
        weight=weight,
        best_price=np.zeros((slots, devices)),
        best_weight=weight.copy(),
        slot_on=np.zeros(slots, np.int64),
        packed=np.zeros((devices, modules), np.bool_),
        vote=np.zeros((modules, devices)),
        least=np.zeros(slots),
        most=np.zeros(devices),
        latency_s=np.zeros(requests),
        along=np.zeros((slots, devices)),
        along_weight=np.zeros(requests),
        worth=np.zeros((devices, modules)),
        offered=np.zeros(modules, np.bool_),
        table=np.zeros((modules + 1, int(problem.capacity.max()) + 1)),
        space=scratch(devices),
    )


@compiled_in_place
def lower_bound(problem: Relaxation, node: Dual, may: Bools, must: Bools, cut_s: float) -> float:
    """The bound at the node's prices, infinite where a request or a device cannot be served; writes what was chosen.

    Args:
        problem: the instance.
        node: prices and weights.
        may: (M, N) where modules may stand.
        must: (M, N) where they do.
        cut_s: routes of that latency or more do not count.
    """
    arrays = problem.arrays
    total = size = 0.0
    requests, positions = len(arrays.head), len(arrays.encoder)
    for k in range(requests):
        least = cheapest_route(problem, k, may, node.price, Ask(node.weight[k], cut_s, np.inf, -1, -1), node.space)
        if least == np.inf:
            return np.inf
        node.least[positions + k] = least
        total += least
        size += abs(least)
        first, count = arrays.first[k], arrays.first[k + 1] - arrays.first[k]
        for e in range(count):
            node.slot_on[first + e] = node.space.route[e]
        node.slot_on[positions + k] = node.space.route[count]
        paid = node.price[positions + k, node.space.route[count]]
        for e in range(count):
            paid += node.price[first + e, node.space.route[e]]
        node.latency_s[k] = (least - paid) / node.weight[k]
    for s in range(positions + requests, len(problem.slot)):
        least = np.inf
        for n in range(len(arrays.room)):
            if may[problem.slot[s], n] and node.price[s, n] < least:
                least = node.price[s, n]
                node.slot_on[s] = n
        if least == np.inf:
            return np.inf
        node.least[s] = least
        total += least
        size += abs(least)
    node.worth[:] = 0.0
    for s in range(len(problem.slot)):
        for n in range(len(arrays.room)):
            node.worth[n, problem.slot[s]] += node.price[s, n]
    for n in range(len(arrays.room)):
        most = packed_worth(problem, node, may, must, n)
        if most == np.inf:
            return np.inf
        node.most[n] = most
        total -= most
        size += abs(most)
    return total - ROUNDING * size


@compiled_in_place
def packed_worth(problem: Relaxation, node: Dual, may: Bools, must: Bools, n: int) -> float:
    """The most that device ``n``'s knapsack is worth, what must stand there taken; infinite where that does not fit."""
    room, worth = problem.capacity[n], 0.0
    for m in range(len(may)):
        node.offered[m] = may[m, n] and not must[m, n]
        if must[m, n]:
            room -= problem.weight[m, n]
            worth += node.worth[n, m]
    if room < 0:
        return np.inf
    worth += fill(node.worth[n], problem.weight[:, n], room, node.offered, node.packed[n], node.table)
    for m in range(len(may)):
        if must[m, n]:
            node.packed[n, m] = True
    return float(worth)


@compiled
def onto_simplex(weight: Floats) -> None:
    """The nearest distribution, in place, but no weight quite 0.

    Source: Held, Wolfe, Crowder, *Validation of subgradient optimization*, Math. Programming 6 (1974) 62-88.
    """
    ordered = np.sort(weight)[::-1]
    total = shift = 0.0
    for i in range(len(ordered)):
        total += ordered[i]
        if ordered[i] - (total - 1.0) / (i + 1) > 0.0:
            shift = (total - 1.0) / (i + 1)
    for i in range(len(weight)):
        weight[i] = (1.0 - LIGHTEST) * max(0.0, weight[i] - shift) + LIGHTEST / len(weight)


@compiled_in_place
def _turn(problem: Relaxation, node: Dual, share: float, users: Floats) -> None:
    """Add what slots and knapsacks have chosen to the direction and the votes."""
    for s in range(len(problem.slot)):
        m = problem.slot[s]
        node.along[s, node.slot_on[s]] += share
        node.vote[m, node.slot_on[s]] += 0.02 / users[m]
        for n in range(len(problem.capacity)):
            if node.packed[n, m]:
                node.along[s, n] -= share


@compiled_in_place
def _stay_positive(node: Dual) -> None:
    """Take out of the direction what leads prices of 0 below 0: it would only shorten the step for the others."""
    for s in range(len(node.price)):
        for n in range(node.price.shape[1]):
            if node.price[s, n] <= 0.0 and node.along[s, n] < 0.0:
                node.along[s, n] = 0.0


# Long: one step of the ascent, in a loop.
@compiled
def ascend(  # noqa: PLR0912  (a node, and how far to go)
    problem: Relaxation,
    node: Dual,
    may: Bools,
    must: Bools,
    cut_s: float,
    target: float,
    steps: int,
    pace: float,
) -> tuple[float, float]:
    """Raise the bound by at most ``steps`` steps; ends early where it has reached ``target``.

    Args:
        problem: the instance.
        node: begins at its prices, ends at the best ones.
        may: as in ``lower_bound``.
        must: as in ``lower_bound``.
        cut_s: as in ``lower_bound``.
        target: what the bound need not exceed.
        steps: at most.
        pace: factor of the step that would reach the target if the bound were straight.

    Returns:
        The best bound met, and the pace that is left.
    """
    arrays, best, failed = problem.arrays, -np.inf, 0
    slots, scale = len(problem.slot), abs(target) if target != 0.0 else 1.0
    users = np.zeros(len(may))
    for s in range(slots):
        users[problem.slot[s]] += 1.0
    node.best_price[:] = node.price
    node.best_weight[:] = node.weight
    for step in range(steps):
        bound = lower_bound(problem, node, may, must, cut_s)
        if bound > best:
            if bound > best + 1e-7 * scale or best == -np.inf:
                failed = 0
            best = bound
            node.best_price[:] = node.price
            node.best_weight[:] = node.weight
            if best >= target:
                break
        else:
            failed += 1
        if failed >= PATIENCE:
            pace *= SHRINK
            failed = 0
            node.price[:] = node.best_price
            node.weight[:] = node.best_weight
        fresh = step == 0
        node.along[:] *= 0.0 if fresh else MEMORY
        share = 1.0 if fresh else 1.0 - MEMORY
        if step % 16 == 0 or fresh:
            node.vote[:] *= 0.7
        _turn(problem, node, share, users)
        if problem.replicas:
            _stay_positive(node)
        length = (node.along**2).sum()
        if arrays.worst:
            for k in range(len(arrays.head)):
                now = node.latency_s[k] / scale
                node.along_weight[k] = now if fresh else MEMORY * node.along_weight[k] + share * now
            node.along_weight[:] -= node.along_weight.mean()
            length += (node.along_weight**2).sum()
        if length < 1e-14:
            break
        stride = pace * max((target - bound) / scale, LEAST_AIM) / length
        node.price[:] += stride * scale * node.along
        if problem.replicas:
            node.price[:] = np.maximum(node.price, 0.0)
        if arrays.worst:
            node.weight[:] += stride * node.along_weight
            onto_simplex(node.weight)
    node.price[:] = node.best_price
    node.weight[:] = node.best_weight
    return best, pace
