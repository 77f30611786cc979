"""Hold the edge against the cloud over networks and speeds of the small device."""

from __future__ import annotations

import itertools

import pandas as pd

from splitshare.catalog.loader import load_catalog
from splitshare.catalog.testbeds import find_testbeds, read_testbed
from splitshare.commands.cloud_grid import Options
from splitshare.config import Config
from splitshare.errors import WorkError
from splitshare.placement.algorithms.cloud import Cloud
from splitshare.placement.algorithms.s2m3_greedy import S2M3Greedy
from splitshare.placement.contract import PlacementAlgorithm
from splitshare.placement.generate import build_instance
from splitshare.placement.instance import PlacementInstance
from splitshare.placement.run import solve
from splitshare.placement.what_if import with_network, with_speed
from splitshare.profiling.read import read_profiles
from splitshare.profiling.records import ModuleDescriptions
from splitshare.progress import track
from splitshare.results.write import write_csv


def run(options: Options) -> None:
    """Write one row a workload, round trip, bandwidth and speed: seconds on the edge and in the cloud.

    ``edge_s`` is S2M3's greedy on the edge testbed, ``cloud_s`` everything on the cloud device, ``reduction`` one minus
    their ratio.

    Raises:
        InputError: a file is wrong, or a profile is missing.
        WorkError: a workload fits neither edge nor cloud.
    """
    settings = Config.read(options.config)
    grid = settings.cloud
    catalog = load_catalog(options.catalog_root)
    described = ModuleDescriptions.read(options.descriptions)
    known = read_profiles(options.profiles)
    files = find_testbeds(options.catalog_root)
    testbeds = [read_testbed(files[name]) for name in (grid.edge_testbed, grid.cloud_testbed)]
    edge_testbed, cloud_testbed = testbeds
    rows: list[dict[str, object]] = []
    for name in track(settings.workloads, "edge against cloud"):
        workload = catalog.workload(name)
        edge = build_instance(catalog, workload, edge_testbed, known, described)
        edge_s = {s: _objective(with_speed(edge, edge_testbed.source, s), S2M3Greedy()) for s in grid.speeds}
        for round_trip_s, bandwidth in itertools.product(grid.round_trips_s, grid.bandwidths_bytes_per_s):
            wan = with_network(cloud_testbed, latency_s=round_trip_s / 2, bandwidth_bytes_per_s=bandwidth)
            cloud_s = _objective(build_instance(catalog, workload, wan, known, described), Cloud())
            rows.extend(
                {
                    "workload": name,
                    "models": len(workload.models),
                    "edge_testbed": grid.edge_testbed,
                    "round_trip_s": round_trip_s,
                    "bandwidth_bytes_per_s": bandwidth,
                    "speed": speed,
                    "edge_s": edge_s[speed],
                    "cloud_s": cloud_s,
                    "reduction": 1 - edge_s[speed] / cloud_s,
                }
                for speed in grid.speeds
            )
    write_csv(pd.DataFrame(rows), options.output)


def _objective(instance: PlacementInstance, algorithm: PlacementAlgorithm) -> float:
    placement = solve(instance, algorithm)
    if placement.objective is None:
        raise WorkError(f"{instance.name}: {algorithm.name} finds no placement; the grid needs one for every workload")
    return placement.objective
