"""J3O, as we read its abstract: greedy onloading at prices, and the offloading program that sets them, in turns.

One round: (i) at the present prices of the shared limits, models are onloaded by a lazy greedy under the memory
knapsacks (``greedy``), then each location is filled anew (``refilling``); (ii) the offloading program is solved for
these models; its value is a decision's, its dual prices pull the present ones towards them. The best decision of all
rounds is kept, and each round's prices prove a bound (``lagrangian``), the least of which is kept. The rounds end when
``patience`` of them in a row brought nothing better, when bound and decision meet, or after ``rounds``.

With batching, (i) also chooses batch sizes, of those that the queries which would come fill; (ii) then lowers, for
models that get too few to fill their batches in time after all, the batch size to the largest that they do fill.

Then the servers' models are tried one server at a time against other fillings (``server_search``), as long as the
offloading program says that one is better. The decision is compared with those of simpler methods (``decide``), and
while the proved gap is more than ``gap``, exchanges of single models and other starts are tried (``exchange``) within a
stated share of the work so far, counted in programs solved: the same on every machine.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from splitshare.onloading.arrays import Arrays, Flags, Floats
from splitshare.onloading.exchange import exchanged
from splitshare.onloading.greedy import (
    Knapsacks,
    hosts_of_filling,
    knapsacks_of,
    lazy_greedy,
    rows_worth,
    upper_bound,
)
from splitshare.onloading.lagrangian import values_at, worth_of_limits
from splitshare.onloading.lp import LpSolution, OffloadingLp
from splitshare.onloading.objective import EDGE, Hosts
from splitshare.onloading.refilling import improve
from splitshare.onloading.server_search import better_fillings
from splitshare.parameters import check_within

ENOUGH = 1e-5
"""Relative distance of bound and decision at which there is nothing left to gain."""
LEAST_STEP = 1 + 1e-7
"""Factor by which another filling of a server must be better."""
NO_SCORE = -np.inf
"""Below every decision's score."""
LEAST_WORK = 4000
"""Programs that may be solved in looking further in any case, times the answers that the instance allows."""
RESTARTS = (0.0, 0.5, 1.0, 2.0)
"""Factors on the proving prices, one drawn for each limit, where the greedy starts anew."""
NEARLY = 0.4
"""Share of a batch's least rate from which on the program is asked to fill it."""


@dataclass(frozen=True)
class AlternationSettings:
    """How the alternation runs (ours)."""

    rounds: int = 40
    patience: int = 10
    step: float = 0.3
    """Least share of the way that prices go towards the program's; the first rounds go further."""
    passes: int = 2
    """Most times that each location is filled anew in a round."""
    trials: int = 4
    """Other fillings of a server that are tried in its turn after the last round; 0 for none."""
    share: float = 0.25
    """Programs that may be solved in looking further, as a share of those solved before; 0 for none."""
    gap: float = 0.01
    """Proved relative gap (bound / decision - 1) up to which nothing further is looked for."""
    compare: bool = True
    """Whether the decision is compared with simpler methods' (where queries may be answered anywhere)."""
    prices: bool = True
    """Whether the program's prices are used; if not, limits are free for the greedy, and there is one round."""

    def __post_init__(self) -> None:
        check_within(1, rounds=self.rounds, patience=self.patience)
        check_within(0, passes=self.passes, trials=self.trials, gap=self.gap)
        check_within(0, 1, step=self.step, share=self.share)


@dataclass(frozen=True)
class Round:
    """What one round came to, all in mean accuracy over all queries."""

    objective: float
    """Of the round's models; where that is below the incumbent, batches may not be full."""
    incumbent: float
    """The best so far; negative while none keeps the side constraints."""
    bound: float
    """The least bound so far."""


@dataclass(frozen=True)
class Alternation:
    """The best decision, and how it was come by."""

    hosts: Hosts
    solution: LpSolution
    bound: float
    """Mean accuracy that no decision exceeds."""
    rounds: tuple[Round, ...]
    prices: Floats
    """That prove the bound, shape (limits,)."""


def alternate(
    program: OffloadingLp, settings: AlternationSettings | None = None, *, until: float = np.inf
) -> Alternation:
    """Run the rounds and the search over servers.

    Args:
        program: the offloading program of the instance; without batching, one of an instance of batches of one.
        settings: how.
        until: no round, and no trial of another filling, starts later than this, by ``time.perf_counter``; the first
            round always runs.
    """
    settings = settings or AlternationSettings()
    arrays, limits = program.arrays, program.limits
    sacks = knapsacks_of(arrays)
    prices = np.zeros(len(limits.bound))
    best: tuple[Hosts, LpSolution] | None = None
    bound, proving, since, rounds = arrays.demand, prices.copy(), 0, []
    for number in range(settings.rounds):
        if best is not None and time.perf_counter() > until:
            break
        # At no prices the cloud would seem to answer everything: the first round does as if there were none.
        places = program.places if number else tuple(place for place in program.places if place != "cloud")
        values = values_at(arrays, limits, prices, places)
        held = lazy_greedy(values, sacks)
        improve(values, sacks, held, settings.passes)
        if places == program.places:
            starts = (values.elsewhere, rows_worth(values, sacks, held))
            relaxed = min(upper_bound(values, sacks, start) for start in starts)
            relaxed += worth_of_limits(limits, prices)
            if relaxed < bound:
                bound, proving = relaxed, prices.copy()
        hosts, solution = solve_filled(program, hosts_of_filling(sacks, held), best[1].score if best else NO_SCORE)
        since += 1
        if best is None or solution.score > best[1].score:
            best, since = (hosts, solution), 0
        incumbent = best[1].score
        rounds.append(Round(*(float(value / arrays.demand) for value in (solution.right_per_s, incumbent, bound))))
        if not settings.prices or since >= settings.patience or bound - incumbent <= ENOUGH * bound:
            break
        prices += max(settings.step, 2 / (number + 2)) * (solution.prices - prices)
    assert best is not None
    best = search_servers(program, sacks, *best, trials=settings.trials, until=until)
    return Alternation(*best, float(bound / arrays.demand), tuple(rounds), proving)


def search_servers(
    program: OffloadingLp, sacks: Knapsacks, hosts: Hosts, solution: LpSolution, *, trials: int, until: float
) -> tuple[Hosts, LpSolution]:
    """Refill one server after another while the offloading program says that it gains, all of them in turn.

    Args:
        program: the offloading program.
        sacks: the locations.
        hosts: where to start.
        solution: the program's solution for ``hosts``.
        trials: fillings that are tried in a server's turn.
        until: when time is up, by ``time.perf_counter``.
    """
    servers = len(program.arrays.server_limit)
    server = since = 0
    while since < servers and trials:
        held = np.concatenate([np.where(hosts.client, 0, -1), hosts.server])
        since += 1
        for filling in better_fillings(program, sacks, solution.prices, held, server, trials):
            if time.perf_counter() > until:
                return hosts, solution
            changed = hosts.server.copy()
            changed[server] = filling
            floor = step_above(solution.score)
            other = solve_filled(program, Hosts(hosts.client, changed), floor)
            if other[1].score > floor:
                hosts, solution = other
                since = 0
                break
        server = (server + 1) % servers
    return hosts, solution


def look_further(
    program: OffloadingLp, found: Alternation, settings: AlternationSettings, *, until: float = np.inf
) -> Alternation:
    """Exchange models, and start anew from other prices, while the proved gap is wide and there is work left.

    Args:
        program: the offloading program.
        found: where to start.
        settings: how much.
        until: when time is up, by ``time.perf_counter``.
    """
    if not settings.share:
        return found
    sacks = knapsacks_of(program.arrays)
    most = program.solved + max(settings.share * program.solved, LEAST_WORK / max(1, len(program.columns.row)))
    enough = found.bound * program.arrays.demand / (1 + settings.gap)
    best = (found.hosts, found.solution)
    draw = np.random.default_rng(0)
    current = best

    def ends() -> bool:
        return max(best[1].score, current[1].score) >= enough or program.solved >= most or time.perf_counter() > until

    while not ends():
        current = _exchange(program, sacks, current, ends)
        if current[1].score > best[1].score:
            best = current
        if ends():
            break
        prices = found.prices * draw.choice(RESTARTS, len(found.prices))
        values = values_at(program.arrays, program.limits, prices, program.places)
        held = lazy_greedy(values, sacks)
        improve(values, sacks, held, settings.passes)
        current = solve_filled(program, hosts_of_filling(sacks, held), NO_SCORE)
        if current[1].score > best[1].score:
            best = current
    return replace(found, hosts=best[0], solution=best[1])


def _exchange(
    program: OffloadingLp, sacks: Knapsacks, current: tuple[Hosts, LpSolution], ends: Callable[[], bool]
) -> tuple[Hosts, LpSolution]:
    """Exchange single models while the offloading program says that it gains."""
    hosts, solution = current
    while True:
        values = values_at(program.arrays, program.limits, solution.prices, program.places)
        changed: set[int] = set()
        for location, filling in exchanged(values, sacks, hosts):
            if ends():
                return hosts, solution
            if location in changed:
                continue
            held = np.concatenate([np.where(hosts.client, 0, -1), hosts.server])
            held[location] = filling
            floor = step_above(solution.score)
            other = solve_filled(program, hosts_of_filling(sacks, held), floor)
            if other[1].score > floor:
                hosts, solution = other
                changed.add(location)
        if not changed:
            return hosts, solution


def step_above(score: float) -> float:
    """What another filling's score must exceed to count as better; of negative scores those nearer to 0 are."""
    return score * LEAST_STEP if score >= 0 else score / LEAST_STEP


def solve_filled(program: OffloadingLp, hosts: Hosts, floor: float) -> tuple[Hosts, LpSolution]:
    """Solve the offloading program, batch sizes lowered where too few queries come to fill them in time.

    A batch that the program without that rule fills at least by ``NEARLY`` is kept at first, for the program to fill
    it; where it cannot, or at a loss against smaller batches, it is lowered too. Sizes only ever go down, and batches
    of one are always full, so this ends.

    Args:
        program: the offloading program.
        hosts: the onloaded models.
        floor: a score. What does not exceed it even without the rule is returned as it is, for its
            prices: it is no decision to keep.
    """
    arrays = program.arrays
    while True:
        solution = program.solve(hosts, filled=False)
        assert solution is not None  # only batches that must fill can rule out every answer
        flow = _flow(arrays, solution)
        wanted = arrays.least_rate[np.maximum(hosts.server, 0)]
        short = flow < wanted * (1 - 1e-9)
        if solution.score <= floor or not short.any():
            return hosts, solution
        far = flow < wanted * NEARLY
        if not far.any():
            break
        hosts = _lowered(arrays, hosts, flow, far)
    forced = program.solve(hosts)
    if forced is not None:
        floor = max(floor, forced.score)
    lowered = solve_filled(program, _lowered(arrays, hosts, flow, short), floor)
    return lowered if forced is None or forced.score < lowered[1].score else (hosts, forced)


def _lowered(arrays: Arrays, hosts: Hosts, flow: Floats, which: Flags) -> Hosts:
    """Batch sizes lowered, for ``which`` servers and models, to the largest that ``flow`` fills."""
    fills = arrays.least_rate <= flow[:, :, None]
    largest = fills.shape[2] - 1 - np.argmax(fills[:, :, ::-1], axis=2)
    return Hosts(hosts.client, np.where(which, np.minimum(largest, hosts.server), hosts.server))


def _flow(arrays: Arrays, solution: LpSolution) -> Floats:
    """Queries a second that each model answers at each server, shape (S, J)."""
    answers = solution.offloading
    at_edge = answers.place == EDGE
    row, server = answers.row[at_edge], answers.server[at_edge]
    flow = np.zeros(arrays.edge_s.shape[:2])
    np.add.at(flow, (server, answers.model[at_edge]), arrays.rate[row] * answers.fraction[at_edge])
    return flow
