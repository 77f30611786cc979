"""S2M3's claims that rest on times (S4, S5) and the order of methods, on instances whose times are off."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from splitshare.catalog.records import Testbed
from splitshare.config import CloudCell
from splitshare.errors import WorkError
from splitshare.placement.algorithms.cloud import Cloud
from splitshare.placement.algorithms.optimum import Optimum
from splitshare.placement.algorithms.s2m3_greedy import S2M3Greedy
from splitshare.placement.contract import PlacementAlgorithm
from splitshare.placement.instance import PlacementInstance
from splitshare.placement.run import objective_of
from splitshare.placement.what_if import with_times
from splitshare.results.claim import Claim
from splitshare.results.claims_s2m3 import (
    greedy_optimal,
    greedy_optimal_cached,
    latency_against_cloud,
    latency_readings,
)
from splitshare.results.robustness import RANKING
from splitshare.results.table import OPTIMALITY_TOLERANCE
from splitshare.robustness.draws import Finding, Pair, findings

GREEDY = "s2m3-greedy"
Factor = Callable[[str, str], float]


@dataclass(frozen=True)
class OnTestbed:
    """An instance and the testbed that it is on, which says of what type its devices are."""

    instance: PlacementInstance
    testbed: Testbed
    models: int
    """How many models the workload has."""

    def pairs(self) -> set[Pair]:
        """Device types and modules that have a time."""
        types = {device.name: device.device_type for device in self.testbed.devices}
        return {(types[d.name], module.name) for d in self.instance.devices for module in self.instance.modules}

    def with_factor(self, factor: Factor) -> PlacementInstance:
        """The instance with its times multiplied."""
        types = {device.name: device.device_type for device in self.testbed.devices}
        return with_times(self.instance, lambda device, module: factor(types[device], module))

    @property
    def origin(self) -> tuple[str, str]:
        """Workload and testbed."""
        assert self.instance.origin is not None
        return self.instance.origin.workload, self.instance.origin.testbed


@dataclass(frozen=True)
class Setting:
    """All that is placed in a draw."""

    encoded: Sequence[OnTestbed]
    """The instances of the paper's setting."""
    cached: Sequence[OnTestbed]
    """Those that have class prompts, with these encoded beforehand."""
    edge: Mapping[str, Sequence[OnTestbed]]
    """At the cell of the verdict, by way to come by class prompts: the edge."""
    cloud: Mapping[str, Sequence[OnTestbed]]
    """The same in the cloud, in the same order."""
    cell: CloudCell
    methods: Mapping[str, PlacementAlgorithm]
    """Methods whose order is looked at, S2M3's greedy among them."""

    def pairs(self) -> set[Pair]:
        """Every device type and module that has a time."""
        sides = [*self.edge.values(), *self.cloud.values()]
        return {pair for part in (self.encoded, *sides) for entry in part for pair in entry.pairs()}


def claims(setting: Setting, factor: Factor) -> tuple[list[Claim], list[Finding]]:
    """The claims in a draw, and the findings on the order of methods.

    Raises:
        WorkError: an optimum was not proved, or an instance has none.
    """
    objectives = _objectives(setting, factor)
    placements = _placements(setting, objectives)
    models = {entry.origin[0]: entry.models for entry in setting.encoded}
    cached = _cached(setting, factor)
    readings = _readings(setting, factor)
    found = [*greedy_optimal(placements, models), *greedy_optimal_cached(placements, cached)]
    if len(readings):
        own = readings[(readings["prompts"] == "encoded") & (readings["method"] == GREEDY)]
        grid = own.assign(**setting.cell.model_dump())
        found += [latency_against_cloud(grid, setting.cell), *latency_readings(readings)]
    return found, _ranking(objectives)


def findings_of(setting: Setting, factor: Factor) -> list[Finding]:
    """What a draw says of the claims and of the order of methods; raises as ``claims``."""
    found, ranking = claims(setting, factor)
    return findings(found) + ranking


def _objectives(setting: Setting, factor: Factor) -> pd.DataFrame:
    """Seconds by instance (rows) and method, infinite where nothing is placed; the optimum among them."""
    rows = []
    for entry in setting.encoded:
        instance = entry.with_factor(factor)
        seconds = {name: objective_of(instance, method) for name, method in setting.methods.items()}
        placed = {name: np.inf if found is None else found for name, found in seconds.items()}
        rows.append({"optimum": _needed(instance, Optimum())} | placed)
    return pd.DataFrame(rows)


def _needed(instance: PlacementInstance, algorithm: PlacementAlgorithm) -> float:
    seconds = objective_of(instance, algorithm)
    if seconds is None:
        raise WorkError(f"{instance.name}: {algorithm.name} finds no placement")
    return seconds


def _placements(setting: Setting, objectives: pd.DataFrame) -> pd.DataFrame:
    """The greedy's rows of a table of placements."""
    gap = objectives[GREEDY] / objectives["optimum"] - 1
    origins = pd.DataFrame([entry.origin for entry in setting.encoded], columns=["workload", "testbed"])
    return origins.assign(method=GREEDY, gap=gap.to_numpy(), optimal=(gap <= OPTIMALITY_TOLERANCE).to_numpy())


def _cached(setting: Setting, factor: Factor) -> pd.DataFrame:
    rows = []
    for entry in setting.cached:
        instance = entry.with_factor(factor)
        greedy_s, optimum_s = (_needed(instance, algorithm) for algorithm in (S2M3Greedy(), Optimum()))
        rows.append((*entry.origin, greedy_s, optimum_s))
    return pd.DataFrame(rows, columns=["workload", "testbed", "cached_greedy_s", "cached_optimum_s"])


def _readings(setting: Setting, factor: Factor) -> pd.DataFrame:
    rows = []
    for prompts, edges in setting.edge.items():
        for edge, cloud in zip(edges, setting.cloud[prompts], strict=True):
            cloud_s = _needed(cloud.with_factor(factor), Cloud())
            here = edge.with_factor(factor)
            for method, algorithm in ((GREEDY, S2M3Greedy()), ("optimum", Optimum())):
                reduction = 1 - _needed(here, algorithm) / cloud_s
                rows.append((edge.origin[0], 1, method, prompts, reduction))
    return pd.DataFrame(rows, columns=["workload", "models", "method", "prompts", "reduction"])


def _ranking(objectives: pd.DataFrame) -> list[Finding]:
    """Against each other method, whether the greedy is ahead by mean rank over the instances."""
    own = objectives.drop(columns="optimum").round(12)
    ranks = own.rank(axis=1, method="average").mean()
    rows = []
    for method in ranks.index.drop(GREEDY):
        difference = float(ranks[method] - ranks[GREEDY])
        verdict = "level" if abs(difference) < 1e-9 else "ahead" if difference > 0 else "behind"
        rows.append(Finding(RANKING, f"S2M3's greedy against {method}", verdict, len(own)))
    return rows
