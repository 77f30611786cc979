"""Deciding before the demand is known: which models to hold, judged on demands that were not looked at (ours).

Holding models is decided once; who answers what follows the demand as it comes (the offloading program of each draw).
So a decision's worth is a mean, or a mean of the worst draws, over programs: a two-stage problem, as stochastic
programming has it (Birge and Louveaux 2011). Plans are chosen among candidates by their worth on sampled demands.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from splitshare.errors import WorkError
from splitshare.onloading.arrays import Arrays, Floats, arrays_of
from splitshare.onloading.contract import OnloadingAlgorithm
from splitshare.onloading.instance import OnloadingInstance
from splitshare.onloading.lp import OffloadingLp
from splitshare.onloading.objective import Hosts, hosts_of
from splitshare.onloading.run import solve
from splitshare.onloading.side_constraints import refuse_limits
from splitshare.progress import track
from splitshare.rounding import without_rounding

PLANS = ("nominal", "padded", "sampled", "robust")
"""As if the demand were its mean; as if it were higher throughout; best in the mean of the samples; best in the mean of
the worst of them."""
MOST_PER_S = 1e12
"""As an instance's demands have it."""
KNOWING = "knowing"
"""The best for each draw of what the algorithm decides, knowing it, and of all plans: none does better at any draw."""


@dataclass(frozen=True)
class Uncertainty:
    """How a demand differs from its mean: factors of mean 1, lognormal."""

    cv: float
    """Coefficient of variation of each client's and task's own factor."""
    common_cv: float = 0.0
    """Of one factor for all of them."""
    worst: float = 0.1
    """Share of the draws that the worst are."""


@dataclass(frozen=True)
class Plan:
    """Models to hold, under a name."""

    name: str
    hosts: Hosts
    decided_for: str
    """The demand that it was decided for."""


def demand_factors(rows: int, draws: int, uncertainty: Uncertainty, seed: int) -> Floats:
    """Factors on the demand of each row (a client and task); shape (draws, rows), mean 1."""
    draw = np.random.Generator(np.random.PCG64(seed))

    def lognormal(cv: float, shape: tuple[int, int]) -> Floats:
        sigma = math.sqrt(math.log1p(cv**2))
        factors: Floats = np.exp(sigma * draw.standard_normal(shape) - sigma**2 / 2)
        return factors

    return lognormal(uncertainty.cv, (draws, rows)) * lognormal(uncertainty.common_cv, (draws, 1))


def with_demand(instance: OnloadingInstance, factors: Floats) -> OnloadingInstance:
    """The instance with its demand multiplied row by row; rows as ``arrays_of`` has them."""
    arrays = arrays_of(instance)
    changed: dict[int, dict[str, float]] = {}
    for row, factor in enumerate(factors.tolist()):
        client, task = int(arrays.row_client[row]), instance.tasks[int(arrays.row_task[row])].name
        rate = min(instance.clients[client].demand_per_s[task] * factor, MOST_PER_S)
        changed.setdefault(client, dict(instance.clients[client].demand_per_s))[task] = rate
    clients = tuple(
        one.model_copy(update={"demand_per_s": changed[i]}) if i in changed else one
        for i, one in enumerate(instance.clients)
    )
    return instance.with_changes(clients=clients)


class Worth:
    """What models to hold are worth at demands; a program a demand, kept for its prices and basis."""

    def __init__(self, arrays: Arrays, factors: Floats) -> None:
        self._programs = [OffloadingLp(replace(arrays, rate=arrays.rate * row)) for row in factors]

    def of(self, hosts: Hosts) -> Floats:
        """Mean accuracy at each demand, shape (demands,).

        Where the batches of a plan cannot fill at a demand, its models run there without batching.
        """
        worth = []
        for program in self._programs:
            solution = program.solve(hosts)
            if solution is None:
                solution = program.solve(Hosts(hosts.client, np.minimum(hosts.server, 0)))
            assert solution is not None  # batches of one always fill
            worth.append(solution.right_per_s / program.arrays.demand)
        return np.array(worth)


def worst_mean(worth: Floats, share: float) -> float:
    """Mean of the worst draws: the conditional value at risk (Rockafellar and Uryasev 2000), of whole draws."""
    count = max(1, round(share * len(worth)))
    return float(np.sort(worth)[:count].mean())


def plans(
    instance: OnloadingInstance,
    algorithm: OnloadingAlgorithm,
    uncertainty: Uncertainty,
    *,
    samples: int,
    candidates: int,
    seed: int,
) -> list[Plan]:
    """What to hold, by each of ``PLANS``.

    Args:
        instance: its demand is the mean.
        algorithm: decides for a demand.
        uncertainty: how demands differ.
        samples: demands by which candidates are compared.
        candidates: of those, how many are decided for themselves; beside them the mean, and half, 1.25, 1.5 and twice
            of it, are.
        seed: of the samples.

    Raises:
        WorkError: the algorithm finds nothing for a demand.
        InputError: the instance has side constraints: whether they are kept would hang on the demand.
    """
    refuse_limits(instance, "a plan for demand that is not known")
    arrays = arrays_of(instance)
    factors = demand_factors(len(arrays.rate), samples, uncertainty, seed)
    padded = 1.0 + math.hypot(uncertainty.cv, uncertainty.common_cv)
    found = {"mean": _decided(instance, algorithm)}
    asked = [(f"{factor:g} of the mean", np.full(len(arrays.rate), factor)) for factor in (0.5, 1.25, 1.5, 2.0)]
    asked.append(("padded", np.full(len(arrays.rate), padded)))
    asked += [(f"sample {i + 1}", row) for i, row in enumerate(factors[:candidates])]
    for name, row in track(asked, "deciding candidates", total=len(asked)):
        found[name] = hosts_of(instance, _held(with_demand(instance, row), algorithm))
    worth = Worth(arrays, factors)
    on_samples = {name: worth.of(hosts) for name, hosts in found.items()}
    mean = max(on_samples, key=lambda name: float(on_samples[name].mean()))
    robust = max(on_samples, key=lambda name: worst_mean(on_samples[name], uncertainty.worst))
    chosen = dict(zip(PLANS, ("mean", "padded", mean, robust), strict=True))
    return [Plan(name, found[candidate], candidate) for name, candidate in chosen.items()]


def _decided(instance: OnloadingInstance, algorithm: OnloadingAlgorithm) -> Hosts:
    return hosts_of(instance, _held(instance, algorithm))


def _held(instance: OnloadingInstance, algorithm: OnloadingAlgorithm) -> dict[str, dict[str, int]]:
    decision = solve(instance, algorithm)
    if decision.onloading is None:
        raise WorkError(f"{algorithm.name} on {instance.name}: {decision.status} ({decision.reason or 'no decision'})")
    return decision.onloading


def judged(
    instance: OnloadingInstance,
    algorithm: OnloadingAlgorithm,
    chosen: Sequence[Plan],
    uncertainty: Uncertainty,
    *,
    draws: int,
    seed: int,
) -> pd.DataFrame:
    """The plans on other demands, and what who knew each demand would have held.

    That is the best of the algorithm's own decision and of the plans: a heuristic may decide worse for a demand that it
    knows than a plan that was made for another.

    Returns:
        A row a plan and draw: ``plan, draw, demand`` (over its mean), ``accuracy``; draw 0 is the mean itself.
    """
    arrays = arrays_of(instance)
    factors = np.vstack([np.ones(len(arrays.rate)), demand_factors(len(arrays.rate), draws, uncertainty, seed)])
    demand = (factors * arrays.rate).sum(axis=1) / arrays.demand
    worth = Worth(arrays, factors)
    parts = [_rows(plan.name, demand, worth.of(plan.hosts)) for plan in chosen]
    own = np.array(list(_knowing(instance, algorithm, factors)))
    knowing = np.maximum.reduce([own, *(part["accuracy"].to_numpy() for part in parts)])
    return pd.concat([*parts, _rows(KNOWING, demand, knowing)], ignore_index=True)


def _rows(name: str, demand: Floats, accuracy: Floats) -> pd.DataFrame:
    return pd.DataFrame({"plan": name, "draw": np.arange(len(demand)), "demand": demand, "accuracy": accuracy})


def _knowing(instance: OnloadingInstance, algorithm: OnloadingAlgorithm, factors: Floats) -> Iterator[float]:
    for row in track(list(factors), "deciding with the demand known", total=len(factors)):
        decision = solve(with_demand(instance, row), algorithm)
        if decision.objective is None:
            raise WorkError(f"{algorithm.name} on {instance.name}: {decision.status}")
        yield decision.objective


def price_of_robustness(table: pd.DataFrame, worst: float) -> pd.DataFrame:
    """What each plan gives up at the mean demand, and gains over demands.

    Args:
        table: of ``judged``.
        worst: share of the draws that the worst are.

    Returns:
        A row a plan: ``plan, at_mean`` (accuracy at the mean demand), ``mean``, ``worst_mean`` (over the draws),
        ``price`` (of the nominal plan's accuracy at the mean demand, the share that is given up), ``regret`` (share of
        the knowing one's mean that is missed).
    """
    rows = []
    for name, own in table.groupby("plan", sort=False):
        drawn = own.loc[own["draw"] > 0, "accuracy"].to_numpy()
        at_mean = float(own.loc[own["draw"] == 0, "accuracy"].iloc[0])
        rows.append({"plan": name, "at_mean": at_mean, "mean": drawn.mean(), "worst_mean": worst_mean(drawn, worst)})
    found = pd.DataFrame(rows)
    nominal = float(found.loc[found["plan"] == PLANS[0], "at_mean"].iloc[0])
    known = float(found.loc[found["plan"] == KNOWING, "mean"].iloc[0])
    found["price"] = without_rounding(1 - found["at_mean"] / nominal)
    found["regret"] = without_rounding(1 - found["mean"] / known)
    return found
