"""Write the placement instances of workloads on testbeds into the directory OUTPUT."""

from __future__ import annotations

import logging
import warnings

from splitshare.catalog.loader import load_catalog
from splitshare.catalog.testbeds import check_testbed, read_testbed
from splitshare.commands.instances import Options
from splitshare.placement.generate import StaleProfileWarning, build_instance, stale_rows, with_precision
from splitshare.placement.instance import PlacementInstance
from splitshare.placement.pinned import check_pinned
from splitshare.profiling.read import read_profiles
from splitshare.profiling.records import ModuleDescriptions

_log = logging.getLogger(__name__)


def run(options: Options) -> list[PlacementInstance]:
    """Write ``<output_dir>/<workload>.<testbed>.json`` for every pair, testbed by testbed.

    All instances are built before the first is written. A profile that is older than a module's definition is
    told of in one line on the log, once, and used.

    Raises:
        InputError: a file is wrong, a name is unknown, or a profile is missing or incomplete.
        WorkError: an instance is not the pinned one.
    """
    catalog = load_catalog(options.catalog_root)
    described = ModuleDescriptions.read(options.descriptions)
    by_device = read_profiles(options.profiles)
    chosen = [catalog.workload(name) for name in options.workloads] or list(catalog.workloads.values())
    testbeds = [with_precision(read_testbed(path), options.precision) for path in options.testbeds]
    memory_bytes = {name: profile.device.memory_bytes for name, profile in by_device.items()}
    for path, testbed in zip(options.testbeds, testbeds, strict=True):
        check_testbed(testbed, memory_bytes, path)
    for line in stale_rows(catalog, chosen, testbeds, by_device, described):
        _log.warning("%s", line)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", StaleProfileWarning)  # told once above, not once an instance
        instances = [
            build_instance(catalog, workload, testbed, by_device, described)
            for testbed in testbeds
            for workload in chosen
        ]
    if options.pinned is not None:
        check_pinned(instances, options.pinned)
    for instance in instances:
        instance.write(options.output_dir / f"{instance.name}.json")
    return instances
