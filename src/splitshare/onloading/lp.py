"""The offloading linear program: who answers which queries, the onloaded models given; and its prices.

It is solved by column generation: of each row's possible answers only some are in the program, and those that would
pay at its prices are added until there are none. That is exact (the last prices prove it) and fast: most rows use one
answer or two, and the prices and the basis of one set of models tell which they may be for the next.

Side constraints may be out of reach of the models that are given. They may be missed, at a penalty by which the program
misses them only where it must: where they can be kept, its optimum is that of the program that has to keep them, and
where they cannot, it says by how much.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import highspy
import numpy as np

from splitshare.errors import WorkError
from splitshare.onloading.arrays import Arrays, Flags, Floats, Ints
from splitshare.onloading.columns import Columns, columns_of, limits_of
from splitshare.onloading.instance import PLACES, Place
from splitshare.onloading.objective import CLIENT, CLOUD, EDGE, USED, Hosts, Offloading
from splitshare.solvers.highs import run_highs

PAYS = 1e-9
"""Right answers per query that another answer must bring to enter the program."""
PENALTIES = (1.0, 1e3, 1e5)
"""Right answers that missing a side constraint by one query costs, tried in turn: the first by which none is missed."""
MISSED = 1e-8
"""Share (of a task's queries, of the energy allowed) up to which a miss is a solver's rounding."""


@dataclass(frozen=True)
class LpSolution:
    """An optimal offloading and its prices."""

    offloading: Offloading
    prices: Floats
    """Right answers a second that one more of each limit would bring, 0 or more; shape (limits,)."""
    right_per_s: float
    """Right answers a second: the program's objective."""
    missed: float = 0.0
    """By how much side constraints are missed, all together, as shares; 0 where they are kept."""

    @property
    def score(self) -> float:
        """Higher is better: right answers a second where side constraints are kept, negative where they are not."""
        return self.right_per_s if self.missed == 0.0 else -self.missed


class OffloadingLp:
    """The program of one instance, to be solved for one set of onloaded models after another.

    ``solved`` counts the programs solved so far: what a search spends, whatever the machine.

    Args:
        arrays: the instance.
        places: where queries may be answered.
    """

    def __init__(self, arrays: Arrays, places: Iterable[Place] = PLACES) -> None:
        self.arrays = arrays
        self.places = tuple(places)
        self.limits = limits_of(arrays)
        allowed = [PLACES.index(place) for place in self.places]
        columns = columns_of(arrays)
        self.columns = columns.only(np.isin(columns.place, allowed))
        # The kind that an answer competes in for a place in the program: one a row and place, each server by itself.
        place = np.where(self.columns.place == EDGE, 1 + self.columns.server, 0)
        place[self.columns.place == CLOUD] = len(arrays.server_limit) + 1
        self._group = self.columns.row * (len(arrays.server_limit) + 2) + place
        self._price = np.zeros(len(self.limits.bound) + 1)
        # Each limit is divided by itself: the solver's tolerance is absolute, the evaluator's is relative.
        self._scale = self.limits.scale
        # Queries a second that each side constraint is over: one query is what penalties are told of.
        side = self.limits.side
        self._asked = np.full(len(side), arrays.demand)
        for number in (side.accurate, side.served):
            self._asked[number[number >= 0]] = side.asked[number >= 0]
        self.solved = 0
        # The basis of the last program: which answers and which limits' slacks were in it.
        self._basic = np.zeros(len(self.columns.row), dtype=bool)
        self._slack = np.ones(len(self.limits.bound), dtype=bool)
        self._missing = np.zeros(len(side), dtype=bool)
        self._penalty = 0
        self._highs = highspy.Highs()
        for option, value in (
            ("output_flag", False),
            ("threads", 1),
            # A solution stays feasible as answers are added, so primal simplex goes on from it.
            ("presolve", "off"),
            ("simplex_strategy", 4),
            ("primal_feasibility_tolerance", 1e-9),
            ("dual_feasibility_tolerance", 1e-9),
        ):
            self._highs.setOptionValue(option, value)

    def solve(self, hosts: Hosts, *, filled: bool = True) -> LpSolution | None:
        """Solve for ``hosts``; ``None`` where their batches cannot fill in time. Side constraints may be missed.

        Args:
            hosts: the onloaded models.
            filled: whether batches must fill in time, as the evaluator has it.

        Raises:
            WorkError: the solver ends without an answer.
        """
        self.solved += 1
        arrays, limits = self.arrays, self.limits
        here = np.flatnonzero(self.stands(hosts))
        candidates = self.columns.only(here)
        if not len(here):
            return None if filled and (hosts.server > 0).any() else self._nothing()
        batched = np.argwhere(hosts.server > 0) if filled else np.zeros((0, 2), dtype=np.int64)
        fill_limit = self._fill_limits(candidates, batched)
        least = arrays.least_rate[hosts.server[batched[:, 0], batched[:, 1]]]
        self._start(least)
        count = len(limits.bound)
        price = np.append(self._price, np.zeros(len(batched)))  # limits, the filler, least rates
        chosen = fill_limit >= 0
        value = candidates.gain - (candidates.use * price[candidates.limit]).sum(axis=1)
        chosen[self._best_of_groups(here, value, np.ones(len(here), dtype=bool))] = True
        chosen |= self._basic[here]
        order = np.flatnonzero(chosen)
        self._add_misses()
        self._add(candidates.only(order), fill_limit[order])
        self._set_basis(self._basic[here[order]], len(batched))
        prices = None
        while self._optimal(fills=bool(len(batched))):
            self._read_prices(price)
            value = candidates.gain - (candidates.use * price[candidates.limit]).sum(axis=1)
            paying = (value > PAYS * arrays.rate[candidates.row]) & ~chosen
            if not paying.any():
                missed = self._missed()
                if prices is None or not missed:
                    prices = price[:count].copy()
                if not missed or not self._penalised_more():
                    break
                continue
            new = self._best_of_groups(here, value, paying)
            chosen[new] = True
            order = np.concatenate([order, new])
            self._add(candidates.only(new), fill_limit[new])
        else:
            return None
        self._keep_basis(here[order])
        self._price = price[: count + 1]
        fraction = np.asarray(self._highs.getSolution().col_value)[len(self._asked) :]
        used = fraction > USED
        taken = candidates.only(order[used])
        return LpSolution(
            Offloading(taken.row, taken.model, taken.place, taken.server, fraction[used]),
            prices,
            float((candidates.gain[order] * fraction).sum()),
            missed,
        )

    def _nothing(self) -> LpSolution:
        """Where nobody can answer anything: least shares are missed, and what they are worth is their first penalty."""
        nothing = np.zeros(0, dtype=np.int64)
        unused = Offloading(nothing, nothing, nothing, nothing, np.zeros(0))
        bound, first = self.limits.bound, self.limits.first_side
        prices = np.zeros(len(bound))
        prices[first:] = np.where(bound[first:] < 0, PENALTIES[0] * self._asked, 0.0)
        return LpSolution(unused, prices, 0.0, float(np.maximum(-bound[first:], 0.0).sum()))

    def _read_prices(self, price: Floats) -> None:
        """Put the program's dual prices into ``price``: of limits, then, after the filler's, of least rates."""
        count = len(self.limits.bound)
        dual = -np.asarray(self._highs.getSolution().row_dual)
        price[:count] = np.maximum(dual[:count], 0.0) / self._scale
        price[count + 1 :] = dual[count:]

    def _add_misses(self) -> None:
        """Columns of what side constraints are missed by: the first ones of the program."""
        self._penalty, count = 0, len(self._asked)
        if count:
            places = np.arange(count, dtype=np.int32)
            highest = np.full(count, highspy.kHighsInf)
            rows = (self.limits.first_side + places).astype(np.int32)
            cost = PENALTIES[0] * self._asked
            self._highs.addCols(count, cost, np.zeros(count), highest, count, places, rows, np.full(count, -1.0))

    def _penalised_more(self) -> bool:
        """Raise the penalty; whether there is a higher one."""
        if self._penalty + 1 == len(PENALTIES):
            return False
        self._penalty += 1
        places = np.arange(len(self._asked), dtype=np.int32)
        self._highs.changeColsCost(len(places), places, PENALTIES[self._penalty] * self._asked)
        return True

    def _optimal(self, *, fills: bool) -> bool:
        """Run the solver; false where batches that must fill leave no solution."""
        run_highs(self._highs)
        status = self._highs.getModelStatus()
        if status == highspy.HighsModelStatus.kInfeasible and fills:
            return False
        if status != highspy.HighsModelStatus.kOptimal:
            raise WorkError(f"offloading program: {self._highs.modelStatusToString(status)}")
        return True

    def _missed(self) -> float:
        missed = float(sum(self._highs.getSolution().col_value[: len(self._asked)]))
        return missed if missed > MISSED else 0.0

    def stands(self, hosts: Hosts) -> Flags:
        """Whether the model of each answer stands where it is answered, with that batch size."""
        columns, arrays = self.columns, self.arrays
        batch = hosts.server[columns.server, columns.model]
        stands: Flags = (
            (columns.place == CLOUD)
            | ((columns.place == CLIENT) & hosts.client[arrays.row_client[columns.row], columns.model])
            | ((columns.place == EDGE) & (batch == columns.batch))
        )
        return stands

    def _best_of_groups(self, here: Ints, value: Floats, among: Flags) -> Ints:
        """Of each row and place the most valuable answer ``among`` the candidates."""
        positions = np.flatnonzero(among)
        group = self._group[here[positions]]
        order = np.lexsort((-value[positions], group))
        first = np.ones(len(order), dtype=bool)
        first[1:] = group[order][1:] != group[order][:-1]
        return positions[order[first]]

    def _fill_limits(self, candidates: Columns, batched: Ints) -> Ints:
        """Which of ``batched`` (a server and a model each) an answer helps to fill; -1 for none."""
        number = np.full((len(self.arrays.server_limit), len(self.arrays.memory)), -1, dtype=np.int64)
        number[batched[:, 0], batched[:, 1]] = np.arange(len(batched))
        found = number[candidates.server, candidates.model]
        return np.where(candidates.place == EDGE, found, -1)

    def _set_basis(self, basic: Flags, batched: int) -> None:
        """Go on from the last program's basis, as far as its answers are still there; HiGHS completes it."""
        basis = highspy.HighsBasis()
        basis.valid = basis.alien = True
        status = (highspy.HighsBasisStatus.kLower, highspy.HighsBasisStatus.kBasic)
        slack = (highspy.HighsBasisStatus.kUpper, highspy.HighsBasisStatus.kBasic)
        basis.col_status = [status[flag] for flag in [*self._missing.tolist(), *basic.tolist()]]
        basis.row_status = [slack[flag] for flag in self._slack.tolist()] + [status[1]] * batched
        self._highs.setBasis(basis)

    def _keep_basis(self, ids: Ints) -> None:
        """Remember the basis of the program of the answers ``ids``."""
        basis, basic = self._highs.getBasis(), highspy.HighsBasisStatus.kBasic
        misses = len(self._missing)
        self._basic[:] = False
        self._missing[:] = [status == basic for status in basis.col_status[:misses]]
        self._basic[ids] = [status == basic for status in basis.col_status[misses:]]
        self._slack[:] = [status == basic for status in basis.row_status[: len(self._slack)]]

    def _start(self, least: Floats) -> None:
        """An empty program with its limits."""
        highs = self._highs
        highs.clearModel()
        bound = self.limits.bound / self._scale
        lower = np.concatenate([np.full(len(bound), -highspy.kHighsInf), least])
        upper = np.concatenate([bound, np.full(len(least), highspy.kHighsInf)])
        nothing = np.zeros(0, dtype=np.int32)
        highs.addRows(len(lower), lower, upper, 0, np.zeros(len(lower), dtype=np.int32), nothing, np.zeros(0))

    def _add(self, new: Columns, fill_limit: Ints) -> None:
        """Add answers to the program."""
        count = len(self.limits.bound)
        limit = np.concatenate([new.limit, np.where(fill_limit >= 0, count + fill_limit, -1)[:, None]], axis=1)
        scale = np.append(self._scale, 1.0)
        use = np.concatenate([new.use / scale[new.limit], self.arrays.rate[new.row][:, None]], axis=1)
        real = (limit >= 0) & (use != 0)
        real[:, :-1] &= new.limit < count
        entries = real.sum(axis=1)
        start = np.concatenate([[0], np.cumsum(entries)[:-1]])
        number = len(new.row)
        self._highs.addCols(
            number,
            -new.gain,
            np.zeros(number),
            np.full(number, highspy.kHighsInf),
            int(entries.sum()),
            start.astype(np.int32),
            limit[real].astype(np.int32),
            use[real],
        )
