"""Hold the edge against the cloud over networks and speeds of the small device."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import pandas as pd

from splitshare.catalog.loader import load_catalog
from splitshare.catalog.records import Testbed, Workload
from splitshare.catalog.testbeds import find_testbeds, read_testbed
from splitshare.commands.cloud_grid import Options
from splitshare.config import CloudCell, CloudPair, Config
from splitshare.errors import WorkError
from splitshare.placement.algorithms.cloud import Cloud
from splitshare.placement.algorithms.optimum import Optimum
from splitshare.placement.algorithms.s2m3_greedy import S2M3Greedy
from splitshare.placement.contract import PlacementAlgorithm
from splitshare.placement.generate import build_instance
from splitshare.placement.instance import PlacementInstance
from splitshare.placement.run import objective_of
from splitshare.placement.what_if import with_network, with_speed
from splitshare.profiling.read import read_profiles
from splitshare.profiling.records import ModuleDescriptions
from splitshare.progress import track
from splitshare.results.write import write_csv

COLUMNS = (
    *("workload", "models", "edge_testbed", "cloud_testbed", "round_trip_s", "bandwidth_bytes_per_s", "speed"),
    *("edge_s", "cloud_s", "reduction"),
)
READINGS = ("workload", "models", "method", "prompts", "edge_s", "cloud_s", "reduction")
METHODS: Mapping[str, Callable[[], PlacementAlgorithm]] = {"s2m3-greedy": S2M3Greedy, "optimum": Optimum}
PROMPTS = {"encoded": False, "cached": True}


def run(options: Options) -> None:
    """Write ``cloud_grid.csv``, a row a workload and cell of the grid: seconds on the edge and in the cloud.

    ``edge_s`` is S2M3's greedy on the edge testbed, ``cloud_s`` everything on the cloud device, ``reduction`` one minus
    their ratio. ``cloud_pairs.csv`` has the same at the stated cell, for the edges and clouds of ``measured``: no row
    where the configuration has none. ``cloud_readings.csv`` has the stated cell with the edge placed by the greedy and
    to the optimum, with class prompts encoded in each request and beforehand (on both sides).

    Raises:
        InputError: a file is wrong, or a profile is missing.
        WorkError: a workload fits neither edge nor cloud.
    """
    settings = Config.read(options.config)
    grid, measured = settings.cloud, settings.measured
    build = _Builder(options)
    rows = _rows(build, grid, settings.workloads, grid.cells)
    write_csv(pd.DataFrame(rows, columns=COLUMNS), options.output / "cloud_grid.csv")
    pairs: list[dict[str, object]] = []
    if measured is not None:
        pairs = [row for pair in measured.clouds for row in _rows(build, pair, measured.workloads, [grid.stated])]
    write_csv(pd.DataFrame(pairs, columns=COLUMNS), options.output / "cloud_pairs.csv")
    readings = _readings(build, grid, settings.workloads, grid.stated)
    write_csv(pd.DataFrame(readings, columns=READINGS), options.output / "cloud_readings.csv")


class _Builder:
    """Builds instances of the catalogue's workloads on testbeds."""

    def __init__(self, options: Options) -> None:
        self.catalog = load_catalog(options.catalog_root)
        self._described = ModuleDescriptions.read(options.descriptions)
        self._known = read_profiles(options.profiles)
        self._files = find_testbeds(options.catalog_root)

    def testbed(self, name: str) -> Testbed:
        return read_testbed(self._files[name])

    def instance(self, workload: Workload, testbed: Testbed, cached: bool = False) -> PlacementInstance:
        return build_instance(self.catalog, workload, testbed, self._known, self._described, cached_prompts=cached)


def _rows(
    build: _Builder, pair: CloudPair, workloads: Sequence[str], cells: Sequence[CloudCell]
) -> list[dict[str, object]]:
    """A row a workload and cell of one edge and cloud."""
    edge_testbed, cloud_testbed = build.testbed(pair.edge_testbed), build.testbed(pair.cloud_testbed)
    rows: list[dict[str, object]] = []
    for name in track(workloads, f"{pair.edge_testbed} against {pair.cloud_testbed}"):
        workload = build.catalog.workload(name)
        edge = build.instance(workload, edge_testbed)
        edge_s = {
            speed: _objective(with_speed(edge, edge_testbed.source, speed), S2M3Greedy())
            for speed in dict.fromkeys(cell.speed for cell in cells)
        }
        cloud_s = {
            wan: _objective(build.instance(workload, _over(cloud_testbed, *wan)), Cloud())
            for wan in dict.fromkeys((cell.round_trip_s, cell.bandwidth_bytes_per_s) for cell in cells)
        }
        for cell in cells:
            edge_time_s, cloud_time_s = edge_s[cell.speed], cloud_s[cell.round_trip_s, cell.bandwidth_bytes_per_s]
            rows.append(
                {
                    "workload": name,
                    "models": len(workload.models),
                    "edge_testbed": pair.edge_testbed,
                    "cloud_testbed": pair.cloud_testbed,
                    **cell.model_dump(),
                    "edge_s": edge_time_s,
                    "cloud_s": cloud_time_s,
                    "reduction": 1 - edge_time_s / cloud_time_s,
                }
            )
    return rows


def _readings(build: _Builder, pair: CloudPair, workloads: Sequence[str], cell: CloudCell) -> list[dict[str, object]]:
    """A row a workload, method at the edge, and way to come by class prompts, at one cell."""
    edge_testbed = build.testbed(pair.edge_testbed)
    cloud_testbed = _over(build.testbed(pair.cloud_testbed), cell.round_trip_s, cell.bandwidth_bytes_per_s)
    rows: list[dict[str, object]] = []
    for name in track(workloads, "reading the stated cell"):
        workload = build.catalog.workload(name)
        for prompts, cached in PROMPTS.items():
            edge = with_speed(build.instance(workload, edge_testbed, cached), edge_testbed.source, cell.speed)
            cloud_s = _objective(build.instance(workload, cloud_testbed, cached), Cloud())
            for method, algorithm in METHODS.items():
                edge_s = _objective(edge, algorithm())
                values = (name, len(workload.models), method, prompts, edge_s, cloud_s, 1 - edge_s / cloud_s)
                rows.append(dict(zip(READINGS, values, strict=True)))
    return rows


def _over(testbed: Testbed, round_trip_s: float, bandwidth_bytes_per_s: float) -> Testbed:
    return with_network(testbed, latency_s=round_trip_s / 2, bandwidth_bytes_per_s=bandwidth_bytes_per_s)


def _objective(instance: PlacementInstance, algorithm: PlacementAlgorithm) -> float:
    seconds = objective_of(instance, algorithm)
    if seconds is None:
        raise WorkError(f"{instance.name}: {algorithm.name} finds no placement; the grid needs one for every workload")
    return seconds
