"""Twenty emulated devices beside the simulator: no further apart than the recorded testbeds of two to five devices."""

import itertools
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from typer.testing import CliRunner

import splitshare
from splitshare.cli import app
from splitshare.placement.instance import PlacementInstance
from splitshare.places import DATA
from splitshare.replay.metrics import OVERALL
from tests.replay.examples import fields

DEVICES, CLASSES = 20, 6
RECORDED = ("fidelity", "fidelity-namespaces", "fidelity-batches")
METRICS = ("mean_s", "p50_s", "p95_s", "slo_attainment")


def crowd() -> PlacementInstance:
    """Six classes of requests, each with its own source, share an encoder; nineteen modules fill nineteen devices."""
    names = [f"d{i:02}" for i in range(DEVICES)]
    heads, encoders = [f"head{i}" for i in range(CLASSES)], [f"encoder{i}" for i in range(2 * CLASSES)]
    own = [fields()["requests"][0] | {"name": f"class{i}", "source": names[3 * i]} for i in range(CLASSES)]
    for i, request in enumerate(own):
        uses = ("shared", encoders[2 * i], encoders[2 * i + 1])
        request["encoders"] = [{"module": m, "input_bytes": 20_000 * (j + 1)} for j, m in enumerate(uses)]
        request["head"] = heads[i]
    changes: dict[str, Any] = {
        "name": "crowd",
        "devices": [{"name": name, "memory_bytes": 1.0} for name in names],
        "links": [
            {"a": a, "b": b, "latency_s": 0.002, "bandwidth_bytes_per_s": 2.5e6}
            for a, b in itertools.combinations(names, 2)
        ],
        "modules": [
            {
                "name": module,
                "kind": "encoder",
                "memory_bytes": 1.0,
                "output_bytes": 5000,
                "compute_s": {
                    # The shared one is the bottleneck: every request runs it.
                    name: (0.12 if module == "shared" else 0.25) + 0.01 * ((7 * i + 3 * j) % DEVICES)
                    for j, name in enumerate(names)
                },
            }
            for i, module in enumerate(["shared", *encoders, *heads])
        ],
        "requests": own,
    }
    return PlacementInstance.parse(fields() | changes, "crowd")


def recorded_bars() -> "pd.Series[float]":
    """By metric: how far the simulator, with the measured terms, was off in the recorded campaign at the most."""
    tables = [pd.read_csv(DATA / "baselines" / "emulation" / f"{name}.csv") for name in RECORDED]
    return pd.concat(tables).groupby("metric")["error_with_overheads"].agg(lambda errors: errors.abs().max())


@pytest.mark.slow
@pytest.mark.alone
def test_the_simulator_says_what_twenty_devices_do(tmp_path: Path) -> None:
    instance = crowd()
    instance.write(tmp_path / "crowd.json")
    placed = splitshare.solve(instance, "s2m3-greedy")
    assert placed.assignment is not None
    assert len({device for held in placed.assignment.values() for device in held}) == DEVICES - 1
    placed.write(tmp_path / "placements" / "s2m3-greedy" / "crowd.json")
    asked = ["fidelity", str(tmp_path / "crowd.json"), "--placements", str(tmp_path / "placements")]
    asked += [
        "--method",
        "s2m3-greedy",
        "--load",
        "0.4",
        "--requests",
        "50",
        "--any-links",
        "-o",
        str(tmp_path / "out"),
    ]
    done = CliRunner().invoke(app, asked)
    assert done.exit_code == 0, done.output

    table = pd.read_csv(tmp_path / "out" / "fidelity.csv")
    rows = table[(table["request"] == OVERALL) & table["metric"].isin(METRICS)].set_index("metric")
    assert rows["n"].unique().tolist() == [300]
    bars = recorded_bars()
    errors = rows["error_with_overheads"].abs()
    for metric in METRICS:
        assert float(errors[metric]) <= bars[metric], metric
