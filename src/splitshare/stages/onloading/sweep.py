"""Accuracy of several methods, and where queries are served, as memory, load, bandwidth, clients and skew vary."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pandas as pd

from splitshare.commands.onloading.sweep import Options
from splitshare.config import Config, OnloadingSweep
from splitshare.onloading.contract import load
from splitshare.onloading.generate import BATCHES, Roles, Shape, generate, roles_of
from splitshare.onloading.instance import PLACES, OnloadingDecision, OnloadingInstance
from splitshare.onloading.run import solve
from splitshare.onloading.zoo import Zoo
from splitshare.progress import track
from splitshare.results.write import write_csv


def run(options: Options) -> None:
    """Write ``output``: a row an instance and method.

    Raises:
        InputError: the configuration, the zoo or a method's name is wrong.
    """
    settings = Config.read(options.config).onloading.sweep
    zoo = Zoo.read(options.zoo)
    algorithms = {name: load(name) for name in settings.methods}
    rows = []
    for factor, value, seed, instance in track(list(instances(zoo, roles_of(zoo, options.zoo), settings)), "sweeping"):
        for method, algorithm in algorithms.items():
            decision = solve(instance, algorithm)
            rows.append(
                {
                    "varied": factor,
                    "value": value,
                    "seed": seed,
                    "method": method,
                    "objective": round(decision.objective or 0.0, 6),
                    "bound": None if decision.bound is None else round(decision.bound, 6),
                    **{place: round(share, 6) for place, share in served_at(instance, decision).items()},
                    "unserved": round(decision.unserved or 0.0, 6),
                }
            )
    write_csv(pd.DataFrame(rows), options.output)


def served_at(instance: OnloadingInstance, decision: OnloadingDecision) -> dict[str, float]:
    """The share of all queries that each kind of place serves."""
    demand = {(c.name, task): rate for c in instance.clients for task, rate in c.demand_per_s.items()}
    served = dict.fromkeys(PLACES, 0.0)
    for flow in decision.offloading or ():
        served[flow.place] += flow.fraction * demand[flow.client, flow.task]
    total = sum(demand.values())
    return {place: rate / total for place, rate in served.items()}


def instances(zoo: Zoo, roles: Roles, settings: OnloadingSweep) -> Iterator[tuple[str, float, int, OnloadingInstance]]:
    """What is varied, its value, the seed and the instance; one factor at a time, the same draws for each."""
    base = Shape(settings.clients, settings.servers, settings.tasks, settings.models, batches=BATCHES)
    shapes: list[tuple[str, float, Shape]] = []
    for value in settings.factors:
        shapes += [
            ("memory", value, replace(base, memory=value)),
            ("load", value, replace(base, load=value)),
            ("bandwidth", value, replace(base, bandwidth=value)),
        ]
    shapes += [("clients", count, replace(base, clients=count)) for count in settings.client_counts]
    shapes += [("skew", skew, replace(base, skew=skew)) for skew in settings.skews]
    for varied, value, shape in sorted(shapes, key=lambda item: (item[0], item[1])):
        for seed in settings.seeds:
            yield varied, value, seed, generate(zoo, roles, shape, seed=seed, name=f"{varied}-{value:g}-{seed}")
