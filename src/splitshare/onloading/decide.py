"""J3O's decision: its rounds, never below a simpler method, and a further look where the proved gap is wide.

What a simpler method could reach at most is bounded first, at J3O's prices; only those that may be better are run. A
method that is skipped so is not better by proof, up to ``ENOUGH``.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from splitshare.onloading.alternation import ENOUGH, Alternation, AlternationSettings, alternate, look_further
from splitshare.onloading.arrays import Arrays, Floats, arrays_of
from splitshare.onloading.greedy import knapsacks_of, lazy_greedy, rows_worth, upper_bound
from splitshare.onloading.instance import PLACES, Place
from splitshare.onloading.lagrangian import values_at, worth_of_limits
from splitshare.onloading.lp import OffloadingLp
from splitshare.onloading.objective import Hosts
from splitshare.onloading.simple import densest, most_accurate, nothing, rounded

ALONE = AlternationSettings(share=0.0, compare=False)
"""How J3O runs for one tier alone (``edge-only``, ``local-only``)."""
MOST_ROUNDED = 500
"""Answers up to which the rounded linear relaxation is compared too: beyond, it costs more than J3O itself."""
TIERS: tuple[Place, ...] = ("edge", "client")


def decide(program: OffloadingLp, settings: AlternationSettings, *, until: float = np.inf) -> Alternation:
    """J3O's decision.

    Args:
        program: the offloading program of the instance; without batching, one of an instance of batches of one.
        settings: how J3O runs.
        until: when time is up, by ``time.perf_counter``; the first round always runs.
    """
    alternation = alternate(program, settings, until=until)
    if program.places == PLACES and settings.compare:
        for hosts in _simpler(program, alternation, settings, until):
            if time.perf_counter() > until:
                break
            solution = program.solve(hosts)
            if solution is not None and solution.score > alternation.solution.score:
                alternation = replace(alternation, hosts=hosts, solution=solution)
    return look_further(program, alternation, settings, until=until)


def _simpler(program: OffloadingLp, found: Alternation, settings: AlternationSettings, until: float) -> Iterator[Hosts]:
    """Models of the simpler methods that may be better than ``found``."""
    arrays = program.arrays
    worth = found.solution.score * (1 + ENOUGH)
    if found.bound * arrays.demand <= worth:
        return
    single = arrays_of(arrays.instance, batching=False)
    prices = (found.prices, found.solution.prices)
    if len(arrays.least_rate) > 1:
        # All simple methods do without batching, and so are not above J3O without, which compares itself with them.
        if _most(single, program, prices, PLACES) > worth:
            yield decide(OffloadingLp(single), settings, until=until).hosts
        return
    yield nothing(single)
    yield most_accurate(single)
    yield densest(single)
    for tier in TIERS:
        if _most(single, program, prices, (tier,)) > worth:
            yield alternate(OffloadingLp(single, (tier,)), ALONE, until=until).hosts
    if len(program.columns.row) <= MOST_ROUNDED:
        left_s = None if np.isinf(until) else max(0.01, until - time.perf_counter())
        relaxed = rounded(single, time_limit_s=left_s).hosts
        if relaxed is not None:
            yield relaxed


def _most(arrays: Arrays, program: OffloadingLp, prices: tuple[Floats, ...], places: tuple[Place, ...]) -> float:
    """Right answers a second that no decision over ``places`` exceeds."""
    limits, sacks = program.limits, knapsacks_of(arrays)
    used = np.zeros(len(limits.bound), dtype=bool)
    if "client" in places:
        used[limits.client : limits.uplink] = True
    if "edge" in places or "cloud" in places:
        used[limits.uplink : limits.server] = True
    if "edge" in places:
        used[limits.server : limits.backhaul] = True
    if "cloud" in places:
        used[limits.backhaul : limits.first_side] = True
    elif "edge" in places and arrays.tiers:
        used[limits.backhaul : limits.cloud] = True
    used[limits.first_side :] = True
    bounds = []
    for price in prices:
        kept = np.where(used, price, 0.0)
        values = values_at(arrays, limits, kept, places)
        starts = (values.elsewhere, rows_worth(values, sacks, lazy_greedy(values, sacks)))
        relaxed = min(upper_bound(values, sacks, start) for start in starts)
        bounds.append(relaxed + worth_of_limits(limits, kept))
    return min(bounds)
