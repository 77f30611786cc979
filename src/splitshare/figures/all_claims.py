"""All claims of a run, each in every reading, in the order of the papers' abstracts."""

from __future__ import annotations

from splitshare.benchmarks.accuracy import in_own_precision
from splitshare.figures.inputs import Inputs
from splitshare.onloading.zoo import Zoo
from splitshare.results import rests_on
from splitshare.results.claim import STATEMENTS, Claim
from splitshare.results.claims_j3o import ONLOADING_RESULTS, onloading_accuracy, onloading_run_time
from splitshare.results.claims_s2m3 import (
    EQUIVALENCE,
    greedy_optimal,
    greedy_optimal_cached,
    judged_pairs,
    latency_against_cloud,
    latency_readings,
    models_of,
    no_loss_of_accuracy,
    scope,
    share_saving,
    split_saving,
)
from splitshare.results.onloading import RECORD

NO_TIMES = "no times"
TIMED = {"S4": "placements", "S5": "cloud", "J1": "zoos", "J2": "runs"}
"""What the times of a claim come from; the others rest on none."""


def claims_of(inputs: Inputs) -> list[Claim]:
    """The claims, from inputs that a figure declares as the table ``claims`` does."""
    descriptions, judged = inputs.descriptions(), in_own_precision(inputs.accuracy().rows)
    placements = inputs.csv("placements.csv")
    return [
        *split_saving(inputs.catalog, descriptions),
        *share_saving(inputs.catalog, descriptions, inputs.config.workloads, inputs.config.sharing_workload),
        no_loss_of_accuracy(inputs.record(EQUIVALENCE), judged, judged_pairs(inputs.catalog)),
        *greedy_optimal(placements, models_of(inputs.catalog)),
        *greedy_optimal_cached(placements, inputs.csv("prompt_cache.csv")),
        latency_against_cloud(inputs.csv("cloud_grid.csv"), inputs.config.cloud.stated),
        *latency_readings(inputs.csv("cloud_readings.csv")),
        scope(inputs.catalog),
        onloading_accuracy(inputs.csv(ONLOADING_RESULTS)),
        *onloading_run_time(inputs.record(RECORD)),
    ]


def times_of(inputs: Inputs) -> dict[str, str]:
    """What the times that each claim rests on are, in words, by claim; those of splitting and sharing rest on none."""
    cloud = inputs.config.cloud
    testbeds = {"placements": inputs.config.testbeds, "cloud": (cloud.edge_testbed, cloud.cloud_testbed)}
    told = {
        what: rests_on.in_words(rests_on.of_profiles(map(inputs.device_profile, _devices(inputs, names))))
        for what, names in testbeds.items()
    }
    zoos = rests_on.of_zoos(Zoo.read(path) for path in inputs.zoos())
    told |= {"zoos": rests_on.in_words(zoos), "runs": "run times, 100% measured; instances as of J1"}
    return {name: told.get(TIMED.get(name, ""), NO_TIMES) for name in STATEMENTS}


def _devices(inputs: Inputs, testbeds: tuple[str, ...]) -> list[str]:
    return list(dict.fromkeys(d.device_type for name in testbeds for d in inputs.testbed(name).devices))
