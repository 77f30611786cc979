"""Instances at the ends of the ranges are solved without a warning or an error, by every heuristic that is quick."""

import random
import warnings
from typing import Any

import pytest

from splitshare.errors import InputError
from splitshare.placement.contract import load
from splitshare.placement.instance import PlacementInstance
from splitshare.placement.run import solve
from tests.replay.examples import fields

ENDS = (0, 1e-12, 1e-9, 1e-3, 1e-6, 1e6, 1e9, 1e12, 1e18)


def numbers(value: Any, found: list[tuple[Any, Any]]) -> list[tuple[Any, Any]]:
    """Every number in plain data, as what holds it and its key there."""
    for key in value if isinstance(value, dict) else range(len(value)):
        if isinstance(value[key], dict | list):
            numbers(value[key], found)
        elif isinstance(value[key], int | float) and not isinstance(value[key], bool):
            found.append((value, key))
    return found


def extreme(seed: int) -> PlacementInstance | None:
    """An instance of which some numbers are at an end of some range; ``None`` where that is not its own."""
    draw, value = random.Random(seed), fields()
    places = numbers(value, [])
    for holder, key in draw.sample(places, draw.randint(1, 8)):
        holder[key] = draw.choice(ENDS)
    try:
        return PlacementInstance.parse(value, f"seed {seed}")
    except InputError:
        return None


HEURISTICS = (
    "s2m3-greedy", "heft", "cpop", "peft", "min-min", "max-min", "sufferage", "greedy-local-search",
    "swap-local-search", "large-neighbourhood-search", "genetic", "lagrangian", "simulated-annealing",
    "ruin-and-recreate",
)  # fmt: skip


@pytest.mark.parametrize("name", HEURISTICS)
def test_extreme_instances_are_solved(name: str):
    found = [instance for instance in map(extreme, (*range(30, 80), 183, 285)) if instance is not None]
    assert len(found) > 15
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for instance in found:
            solve(instance, load(name), seed=0, time_limit_s=5)
