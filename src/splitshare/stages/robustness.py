"""Record in how many draws of times that are off the papers' claims hold."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial

import pandas as pd

from splitshare.catalog.loader import load_catalog
from splitshare.catalog.testbeds import find_testbeds, read_testbed
from splitshare.commands.robustness import Options
from splitshare.config import Config
from splitshare.jsonl import read_lines
from splitshare.onloading.instance import OnloadingInstance
from splitshare.placement.generate import Profiles, build_instance
from splitshare.placement.what_if import with_network, with_speed
from splitshare.problems.placement import PROBLEM
from splitshare.profiling.machine import usable_threads
from splitshare.profiling.read import read_profiles
from splitshare.profiling.records import ModuleDescriptions
from splitshare.progress import track
from splitshare.results.onloading import INSTANCES, RECORD, read_record
from splitshare.results.provenance import provenance
from splitshare.results.write import write_csv
from splitshare.robustness import onloading
from splitshare.robustness.draws import Finding, Pair, Perturbation, factors, summary
from splitshare.robustness.placement import Factor, OnTestbed, Setting, findings_of

SPREADS = (0.25, 0.5)
PLACEMENT = (*(Perturbation(spread, "all") for spread in SPREADS), Perturbation(SPREADS[-1], "assumed"))
ONLOADING = tuple(Perturbation(spread, "all") for spread in SPREADS)
METHODS = ("s2m3-greedy", "heft", "cpop", "greedy-local-search", "first-fit", "best-fit", "sequential-routing", "local")
"""Whose order is looked at: those that are deterministic and quick."""
SMALL = "small"
"""Size class over which J1 is read in draws: every optimum is proved at once."""
TIMED_INSTANCES = 4
PROOF_LIMIT_S = 60.0


def run(options: Options) -> None:
    """Write a row a claim, reading, spread and choice of times: the share of draws in which the claim holds.

    Raises:
        InputError: a file is wrong, or a profile is missing.
        WorkError: an optimum was not proved.
    """
    config = Config.read(options.config)
    setting, assumed = _setting(options, config)
    placing = partial(findings_of, setting)
    parts = [_drawn(placing, setting.pairs(), PLACEMENT, options.draws, config.seed, assumed, "placing")]
    suite = list(read_lines(OnloadingInstance, options.catalog_root / "baselines" / INSTANCES))
    small = [instance for instance in suite if instance.size_class and instance.size_class.endswith(SMALL)]
    accuracy = partial(_accuracy, small)
    parts.append(_drawn(accuracy, onloading.pairs(small), ONLOADING, options.draws, config.seed, (), "deciding"))
    record = read_record(options.catalog_root / "baselines" / RECORD)
    names = onloading.proofs_worth_timing(record, TIMED_INSTANCES)
    timed = [instance for instance in suite if instance.name in names]
    if timed:
        run_time = partial(_run_time, timed)
        # Alone: two that are timed at once slow each other down.
        among = onloading.pairs(timed)
        parts.append(_drawn(run_time, among, ONLOADING, options.timed_draws, config.seed, (), "timing", processes=1))
    facts = provenance()
    table = pd.concat(parts, ignore_index=True)
    write_csv(table.assign(**{name: facts[name] for name in ("machine", "revision", "date")}), options.output)


def _setting(options: Options, config: Config) -> tuple[Setting, set[Pair]]:
    """The instances of the configuration, and which of their times are assumed."""
    catalog = load_catalog(options.catalog_root)
    described = ModuleDescriptions.read(options.descriptions)
    profiles = read_profiles(options.profiles)
    files = find_testbeds(options.catalog_root)
    testbeds = {name: read_testbed(files[name]) for name in config.testbeds}
    edge = read_testbed(files[config.cloud.edge_testbed])
    cell = config.cloud.stated
    cloud = with_network(
        read_testbed(files[config.cloud.cloud_testbed]),
        latency_s=cell.round_trip_s / 2,
        bandwidth_bytes_per_s=cell.bandwidth_bytes_per_s,
    )

    def built(workload: str, testbed: str, *, cached: bool = False) -> OnTestbed:
        bed = {"edge": edge, "cloud": cloud}.get(testbed) or testbeds[testbed]
        chosen = catalog.workload(workload)
        instance = build_instance(catalog, chosen, bed, profiles, described, cached_prompts=cached)
        if testbed == "edge":
            instance = with_speed(instance, bed.source, cell.speed)
        return OnTestbed(instance, bed, models=len(chosen.models))

    single = [name for name in config.workloads if len(catalog.workload(name).models) == 1]
    prompted = [
        name
        for name in config.workloads
        if any(e.items == "classes" for m in catalog.workload(name).models for e in catalog.model(m).encoders)
    ]
    ways = {"encoded": False, "cached": True}
    setting = Setting(
        encoded=[built(name, testbed) for name in config.workloads for testbed in testbeds],
        cached=[built(name, testbed, cached=True) for name in prompted for testbed in testbeds],
        edge={way: [built(name, "edge", cached=cached) for name in single] for way, cached in ways.items()},
        cloud={way: [built(name, "cloud", cached=cached) for name in single] for way, cached in ways.items()},
        cell=cell,
        methods={name: PROBLEM.finder.load(name) for name in METHODS},
    )
    return setting, assumed_pairs(profiles)


def assumed_pairs(profiles: Profiles) -> set[Pair]:
    """Device types and modules of which a time is assumed."""
    return {
        (device, row.module)
        for device, profile in profiles.items()
        for row in profile.rows
        if row.provenance == "assumed"
    }


def _accuracy(instances: Sequence[OnloadingInstance], factor: Factor) -> list[Finding]:
    return onloading.accuracy_findings(onloading.solved(instances, factor, PROOF_LIMIT_S))


def _run_time(instances: Sequence[OnloadingInstance], factor: Factor) -> list[Finding]:
    return onloading.run_time_findings(onloading.solved(instances, factor, PROOF_LIMIT_S))


def _draw(
    find: Callable[[Factor], list[Finding]],
    pairs: Collection[Pair],
    seed: int,
    assumed: Collection[Pair],
    drawn: tuple[Perturbation, int],
) -> list[Finding]:
    """One draw: a perturbation, and the draw's number."""
    return find(factors(pairs, drawn[0], seed, drawn[1], assumed))


def _drawn(
    find: Callable[[Factor], list[Finding]],
    pairs: Collection[Pair],
    perturbations: Sequence[Perturbation],
    draws: int,
    seed: int,
    assumed: Collection[Pair],
    doing: str,
    processes: int | None = None,
) -> pd.DataFrame:
    """All draws of all perturbations, in the processes that there are."""
    as_recorded = find(lambda _device, _module: 1.0)
    tasks = [(perturbation, draw) for perturbation in perturbations for draw in range(draws)]
    with ProcessPoolExecutor(processes or usable_threads()) as pool:
        drawn = pool.map(partial(_draw, find, pairs, seed, assumed), tasks, chunksize=5)
        found = list(track(drawn, f"{doing}: draws", total=len(tasks)))
    tables = []
    for perturbation in perturbations:
        of_it = [f for f, (p, _) in zip(found, tasks, strict=True) if p == perturbation]
        tables.append(summary(as_recorded, of_it, perturbation, seed))
    return pd.concat(tables, ignore_index=True)
