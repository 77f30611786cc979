"""Instances on which one algorithm does badly against another, found by annealed perturbation (ours, after PISA).

Source: J. Coleman, B. Krishnamachari, *PISA: An Adversarial Approach to Comparing Task Graph Scheduling Algorithms*,
IPDPS 2025 (arXiv 2403.07120): simulated annealing over instances, whose energy is the ratio of the two algorithms'
objectives. Ours: what is changed (seconds, links, bytes of memory; no device, module or request comes or goes, and
none is renamed), that no number leaves a range around where it started, and that an instance has a ratio only where
both find a placement.
"""

from __future__ import annotations

import copy
import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from splitshare.placement.instance import PlacementInstance

Objective = Callable[[PlacementInstance], float | None]
"""Seconds of an algorithm's placement, ``None`` where it finds none."""

MEMORY = {"memory_bytes", "memory_bytes_on"}
MOST_STEP = 3.0
"""A number is multiplied or divided by at most so much in one step."""


@dataclass(frozen=True)
class Schedule:
    """How long and how boldly is searched."""

    steps: int = 300
    """Instances that are tried from each start."""
    reach: float = 10.0
    """How many times larger or smaller than at the start a number may become."""
    first_temperature: float = 0.2
    """Of the logarithm of the ratio: at the first step a ratio that is 20 % less is accepted with probability 1/e."""
    last_temperature: float = 0.005

    def temperature(self, step: int) -> float:
        """That of a step, counted from 0; falling geometrically."""
        share = step / max(1, self.steps - 1)
        return float(self.first_temperature * (self.last_temperature / self.first_temperature) ** share)


@dataclass(frozen=True)
class Worst:
    """The instance on which the ratio was largest."""

    instance: PlacementInstance
    objective_s: float
    reference_s: float

    @property
    def ratio(self) -> float:
        """Objective of the algorithm over that of the reference."""
        return self.objective_s / self.reference_s


@dataclass(frozen=True)
class Search:
    """What a search from one instance met."""

    start: PlacementInstance
    start_ratio: float | None
    """The ratio there; ``None`` where one of the two found no placement, or nothing took any time."""
    worst: Worst | None
    """``None`` where no instance had a ratio."""
    dead_ends: int
    """Instances, the start included, on which the reference found a placement and the algorithm none."""


def search(
    start: PlacementInstance, algorithm: Objective, reference: Objective, schedule: Schedule, seed: int
) -> Search:
    """Search from ``start``, which counts too, for the instance of the largest ratio; the same for the same seed."""
    draw = random.Random(seed)
    fields = start.model_dump(mode="json", by_alias=True)
    numbers = Numbers(fields)
    objective_s, reference_s = algorithm(start), reference(start)
    worst = first = _case(start, objective_s, reference_s)
    here = -math.inf if first is None else math.log(first.ratio)
    dead_ends = int(objective_s is None and reference_s is not None)
    for step in range(schedule.steps):
        tried = copy.deepcopy(fields)
        numbers.change(tried, schedule.reach, draw)
        instance = PlacementInstance.parse(tried, f"step {step + 1} from {start.name}")
        objective_s, reference_s = algorithm(instance), reference(instance)
        dead_ends += objective_s is None and reference_s is not None
        case = _case(instance, objective_s, reference_s)
        if case is None:
            continue
        there = math.log(case.ratio)
        if there < here and draw.random() >= math.exp((there - here) / schedule.temperature(step)):
            continue
        fields, here = tried, there
        if worst is None or case.ratio > worst.ratio:
            worst = case
    return Search(start, None if first is None else first.ratio, worst, dead_ends)


class Numbers:
    """The numbers of an instance that may change, with where they began."""

    def __init__(self, fields: dict[str, Any]) -> None:
        """Take those of plain data of an instance; null and 0 stay what they are."""
        seconds: list[tuple[Any, ...]] = []
        memory: list[tuple[Any, ...]] = [("devices", i, "memory_bytes") for i in range(len(fields["devices"]))]
        for i, module in enumerate(fields["modules"]):
            seconds += [("modules", i, "compute_s", device) for device in module["compute_s"]]
            memory.append(("modules", i, "memory_bytes"))
            memory += [("modules", i, "memory_bytes_on", device) for device in module["memory_bytes_on"] or ()]
        for i, request in enumerate(fields["requests"]):
            seconds += [("requests", i, "head_compute_s", device) for device in request["head_compute_s"] or ()]
            for j, use in enumerate(request["encoders"]):
                seconds += [("requests", i, "encoders", j, "compute_s", device) for device in use["compute_s"] or ()]
        links = [
            ("links", i, what) for i in range(len(fields["links"])) for what in ("latency_s", "bandwidth_bytes_per_s")
        ]
        kinds = ([path for path in paths if _at(fields, path)] for paths in (seconds, links, memory))
        self._kinds = [paths for paths in kinds if paths]
        self._start = {path: float(_at(fields, path)) for paths in self._kinds for path in paths}

    def change(self, fields: dict[str, Any], reach: float, draw: random.Random) -> None:
        """Multiply or divide one number of ``fields`` by a factor drawn: seconds, links and memory equally often."""
        if not self._kinds:
            return
        path = draw.choice(draw.choice(self._kinds))
        factor = draw.uniform(1.0, MOST_STEP)
        value = _at(fields, path) * (factor if draw.random() < 0.5 else 1 / factor)
        start = self._start[path]
        least, most = start / reach, start * reach
        if path[2] in MEMORY and start.is_integer():
            # Whole bytes stay whole: they can be added exactly.
            value, least, most = round(value), math.ceil(least), math.floor(most)
        _at(fields, path[:-1])[path[-1]] = float(min(max(value, least), most))


def _case(instance: PlacementInstance, objective_s: float | None, reference_s: float | None) -> Worst | None:
    """``None`` where one has no placement, or nothing takes any time, which has no ratio."""
    return Worst(instance, objective_s, reference_s) if objective_s and reference_s else None


def _at(fields: Any, path: Sequence[Any]) -> Any:
    for key in path:
        fields = fields[key]
    return fields
