"""Compare requests that encode their class prompts with requests that find them encoded."""

from __future__ import annotations

import pandas as pd

from splitshare.catalog.loader import load_catalog
from splitshare.catalog.testbeds import read_testbed
from splitshare.commands.prompt_cache import Options
from splitshare.placement.algorithms.optimum import Optimum
from splitshare.placement.algorithms.s2m3_greedy import S2M3Greedy
from splitshare.placement.generate import build_instance
from splitshare.placement.run import objective_of
from splitshare.profiling.read import read_profiles
from splitshare.profiling.records import ModuleDescriptions
from splitshare.progress import track
from splitshare.results.write import write_csv

SECONDS = ("encoded_greedy_s", "encoded_optimum_s", "cached_greedy_s", "cached_optimum_s")


def run(options: Options) -> None:
    """Write one row a workload and testbed: greedy and optimum with prompts encoded in each request, and beforehand.

    Workloads without class prompts are left out; if all are, the table has no row.

    Raises:
        InputError: a file is wrong, or a profile is missing.
        WorkError: an optimum was not proved.
    """
    catalog = load_catalog(options.catalog_root)
    described = ModuleDescriptions.read(options.descriptions)
    known = read_profiles(options.profiles)
    rows = []
    for name in track(options.workloads, "caching prompts"):
        workload = catalog.workload(name)
        if not any(e.items == "classes" for m in workload.models for e in catalog.model(m).encoders):
            continue
        for testbed in map(read_testbed, options.testbeds):
            row: dict[str, object] = {"workload": name, "testbed": testbed.name}
            for label, cached in (("encoded", False), ("cached", True)):
                instance = build_instance(catalog, workload, testbed, known, described, cached_prompts=cached)
                row[f"{label}_greedy_s"] = objective_of(instance, S2M3Greedy())
                row[f"{label}_optimum_s"] = objective_of(instance, Optimum())
            rows.append(row)
    table = pd.DataFrame(rows, columns=["workload", "testbed", *SECONDS])
    table["saved"] = 1 - table["cached_optimum_s"].astype(float) / table["encoded_optimum_s"].astype(float)
    write_csv(table, options.output)
