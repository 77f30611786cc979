"""Measure how well the emulator's links are shaped, over rates and latencies; a table to the file OUTPUT."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence

import pandas as pd
import typer

from splitshare.commands.shaping import Options
from splitshare.placement.instance import PlacementInstance
from splitshare.replay.emulator.emulate import measure
from splitshare.replay.emulator.network import WorkerSetup
from splitshare.replay.emulator.testbed import open_testbed
from splitshare.results.provenance import provenance
from splitshare.results.write import write_csv


def run(options: Options, echo: Callable[[str], None] = typer.echo) -> None:
    """Measure links of every rate with every latency, as ``emulate`` does before each run.

    Writes a row a link direction and repeat: what was configured and measured, and by how much they differ.

    Raises:
        WorkError: the network is not to be had here.
    """
    instance = mesh([*itertools.product(options.bytes_per_s, options.latency_s)])
    facts = {key: value for key, value in provenance().items() if key in {"machine", "date", "revision"}}
    rows: list[dict[str, object]] = []
    for repeat in range(options.repeats):
        echo(f"{options.network}, {repeat + 1} of {options.repeats}")
        with open_testbed(instance, WorkerSetup(), network=options.network, link_model="serial", echo=echo) as testbed:
            rows += [
                {
                    "network": options.network,
                    "repeat": repeat,
                    **vars(link),
                    "rate_error": link.rate_error,
                    "delay_error_s": link.delay_error_s,
                    **facts,
                }
                for link in measure(instance, testbed, echo, any_links=True)
            ]
    write_csv(pd.DataFrame(rows), options.output)


def mesh(links: Sequence[tuple[float, float]]) -> PlacementInstance:
    """As few devices as give every rate and latency a link of its own; what runs on them does not matter."""
    count = next(n for n in itertools.count(2) if n * (n - 1) // 2 >= len(links))
    devices = [f"d{i}" for i in range(count)]
    pairs = itertools.combinations(devices, 2)
    return PlacementInstance.parse(
        {
            "schema": "splitshare.placement-instance/1",
            "name": "mesh",
            "objective": "mean",
            "devices": [{"name": name, "memory_bytes": 1.0} for name in devices],
            "links": [
                {"a": a, "b": b, "latency_s": latency_s, "bandwidth_bytes_per_s": bytes_per_s}
                for (a, b), (bytes_per_s, latency_s) in zip(pairs, links, strict=False)
            ],
            "modules": [
                {"name": "head", "kind": "head", "memory_bytes": 1.0, "output_bytes": 1.0, "compute_s": {"d0": 1.0}}
            ],
            "requests": [
                {
                    "name": "nothing",
                    "task": "none",
                    "model": "none",
                    "source": "d0",
                    "rate_per_s": 1.0,
                    "encoders": [{"module": "head", "input_bytes": 1.0}],
                    "head": "head",
                    "result_bytes": 1.0,
                }
            ],
        },
        "mesh",
    )
