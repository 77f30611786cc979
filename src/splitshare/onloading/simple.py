"""Simple methods' onloaded models, at batches of one: they are compared with J3O, and J3O compares itself with them."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from splitshare.choices import Solver
from splitshare.onloading import exact
from splitshare.onloading.arrays import Arrays, Ints
from splitshare.onloading.columns import limits_of
from splitshare.onloading.greedy import hosts_of_filling, knapsacks_of, lazy_greedy
from splitshare.onloading.lagrangian import values_at
from splitshare.onloading.objective import Hosts
from splitshare.onloading.packing import packed
from splitshare.solvers.milp import MilpResult, solve_milp


def nothing(arrays: Arrays) -> Hosts:
    """No model anywhere but in the cloud."""
    return Hosts(np.zeros(arrays.client_s.shape, dtype=bool), np.full(arrays.edge_s.shape[:2], -1, dtype=np.int64))


def most_accurate(arrays: Arrays) -> Hosts:
    """Each location takes the models that fit by right answers a second, if they answered all they serve."""

    def order(location: int, is_server: bool, useful: Ints) -> Iterable[int]:
        rows = slice(*(arrays.server_rows if is_server else arrays.client_rows)[location])
        if is_server:
            allowed = arrays.edge_allowed[slice(*arrays.server_stops[location]), :, 0]
        else:
            allowed = arrays.client_allowed[rows]
        accuracy = np.where(allowed, arrays.accuracy[rows], 0.0)
        right = (arrays.rate[rows, None] * accuracy).sum(axis=0)
        return (int(j) for j in useful[np.argsort(-right[useful], kind="stable")])

    return packed(arrays, order)


def densest(arrays: Arrays) -> Hosts:
    """The lazy greedy as if computing and links were free; ``arrays`` without batching."""
    limits = limits_of(arrays)
    values = values_at(arrays, limits, np.zeros(len(limits.bound)), ("client", "edge"))
    sacks = knapsacks_of(arrays)
    return hosts_of_filling(sacks, lazy_greedy(values, sacks))


@dataclass(frozen=True)
class Rounded:
    """The linear relaxation, and the models that it was rounded to; ``None`` where time was up before its optimum."""

    hosts: Hosts | None
    result: MilpResult
    written_s: float
    """Seconds of writing the program down."""


def rounded(arrays: Arrays, *, solver: Solver = "highs", time_limit_s: float | None = None, seed: int = 0) -> Rounded:
    """Each location takes the models that fit in descending order of their share in the linear relaxation."""
    started = time.perf_counter()
    model = exact.build(arrays, integer=False)
    written_s = time.perf_counter() - started
    result = solve_milp(model.milp, solver=solver, time_limit_s=time_limit_s, seed=seed)
    if result.values is None or result.status != "optimal":
        return Rounded(None, result, written_s)
    client = np.zeros(arrays.client_s.shape)
    server = np.zeros(arrays.edge_s.shape[:2])
    for (c, j), column in model.client_column.items():
        client[c, j] = result.values[column]
    for (s, j, _), column in model.server_column.items():
        server[s, j] += result.values[column]

    def order(location: int, is_server: bool, useful: Ints) -> Iterable[int]:
        share = (server if is_server else client)[location]
        return (int(j) for j in useful[np.argsort(-share[useful], kind="stable")])

    return Rounded(packed(arrays, order), result, written_s)
