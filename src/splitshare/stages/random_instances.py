"""Write a family of seeded random instances that have a feasible placement into the directory OUTPUT."""

from __future__ import annotations

import itertools

from pydantic import TypeAdapter, ValidationError

from splitshare.commands.random_instances import Options
from splitshare.errors import InputError, WorkError, shown
from splitshare.placement.contract import PlacementAlgorithm, load
from splitshare.placement.instance import PlacementInstance
from splitshare.placement.instance_families import family_instance
from splitshare.placement.random_instances import STUDY, random_instances
from splitshare.placement.run import solve
from splitshare.progress import track
from splitshare.ranges import MOST_SEED
from splitshare.records import Name


def run(options: Options) -> list[PlacementInstance]:
    """Write the first ``count`` instances from ``first_seed`` on that have a feasible placement into ``output``.

    Whether an instance of the rules ``study`` has one is what HiGHS proves; seeds whose instance has none are passed
    over. Those of other rules are drawn around a feasible placement.

    Raises:
        InputError: the name of the family cannot begin the names of instances.
        WorkError: a proof takes longer than that.
    """
    _check_name(options.name)
    if options.rules != "study":
        return _of_family(options)
    optimum = load("optimum", solver="highs")
    instances: list[PlacementInstance] = []
    seeds = itertools.count(options.first_seed)
    for _ in track(range(options.count), f"drawing {options.name}"):
        candidates = (instance for seed in seeds for instance in random_instances([seed], STUDY))
        drawn = next(instance for instance in candidates if _feasible(instance, optimum, options.time_limit_s))
        renamed = drawn.model_copy(update={"name": drawn.name.replace("random", options.name, 1)})
        instances.append(_written(renamed, options))
    return instances


def _check_name(name: str) -> None:
    try:
        TypeAdapter(Name).validate_python(f"{name}-{MOST_SEED}")
    except ValidationError:
        wanted = "letters, digits and @ . _ + -, of which a letter or digit comes first, a hundred at most"
        raise InputError("--name", "", f"{shown(name)} cannot begin the names of instances; give {wanted}") from None


def _of_family(options: Options) -> list[PlacementInstance]:
    seeds = range(options.first_seed, options.first_seed + options.count)
    return [
        _written(family_instance(options.rules, seed, name=f"{options.name}-{seed}"), options)
        for seed in track(seeds, f"drawing {options.name}")
    ]


def _written(instance: PlacementInstance, options: Options) -> PlacementInstance:
    instance.write(options.output / f"{instance.name}.json")
    return instance


def _feasible(instance: PlacementInstance, optimum: PlacementAlgorithm, time_limit_s: float) -> bool:
    status = solve(instance, optimum, time_limit_s=time_limit_s).status
    if status not in ("optimal", "infeasible"):
        raise WorkError(f"{instance.name}: not proved in {time_limit_s:g} s; give --time-limit-s more")
    return status == "optimal"
