"""Latencies, and the claims that rest on them, on testbeds in which every time is measured."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from splitshare.errors import InputError
from splitshare.figures.declaration import Declaration
from splitshare.figures.inputs import Inputs
from splitshare.figures.latency_by_method import compute_provenance, latency_figure, latency_table
from splitshare.figures.palette import method_key
from splitshare.figures.style import paper_style, save_figure, save_table
from splitshare.results.claim import Claim
from splitshare.results.claims_s2m3 import greedy_optimal, latency_against_cloud, models_of

DECLARATION = Declaration(
    name="measured-testbeds",
    category="Latency",
    inputs=("measured/placements.csv", "cloud_pairs.csv"),
    measured=True,
    profiles="testbeds",
    tables=("latency_measured", "claims_measured"),
    printed={
        "latency_measured": {
            "workload": ("Workload", "4cm"),
            "testbed": ("Testbed", "2.8cm"),
            "optimum_s": "Optimum (s)",
            "s2m3_greedy_s": "Greedy (s)",
            "sequential_routing_s": "Sequential (s)",
            "local_s": "Local (s)",
        }
    },
    drawn=("latency_measured",),
    caption="Mean latency of an idle request on testbeds in which every time is measured.",
    takeaway=(
        "With measured times, too, the greedy stands at the optimum; two small CPUs win little against a GPU in the "
        "cloud."
    ),
    claim="S4",
)

NAME = "latency_measured"
CLAIMS = "claims_measured"


def draw(inputs: Inputs, output: Path) -> None:
    """Write the table and figure ``latency_measured``, and ``claims_measured``, a row a claim and where it is read.

    Raises:
        InputError: a testbed has a device with times that were not measured.
    """
    check_measured(inputs)
    placements = inputs.csv("measured/placements.csv")
    table = latency_table(placements)
    origins = {name: compute_provenance(inputs, name) for name in table["testbed"].unique()}
    table["compute_times"] = table["testbed"].map(origins)
    save_table(table, output, NAME)
    save_table(
        pd.DataFrame(_claims(inputs, placements)),
        output,
        CLAIMS,
    )
    with paper_style():
        titles = {name: inputs.testbed(name).title for name in table["testbed"].unique()}
        workloads = {name: inputs.workload_title(name) for name in table["workload"].unique()}
        save_figure(latency_figure(table, placements["method"].map(method_key), workloads, titles), output, NAME)


def check_measured(inputs: Inputs) -> None:
    """Refuse testbeds of the configuration's ``measured`` that have a time of another origin; raises as ``draw``."""
    measured = inputs.config.measured
    for i, name in enumerate(measured.testbeds if measured else ()):
        for device in inputs.testbed(name).devices:
            others = {row.provenance for row in inputs.device_profile(device.device_type).rows} - {"measured"}
            if others:
                told = f"{name!r} has {device.device_type!r}, whose times are {' and '.join(sorted(others))}"
                raise InputError("the run's configuration", f"measured.testbeds[{i}]", f"{told}; leave it out there")


def _claims(inputs: Inputs, placements: pd.DataFrame) -> list[dict[str, str]]:
    """S4 over the measured testbeds, and S5 for every edge and cloud."""
    testbeds = list(placements["testbed"].unique())
    where = " and ".join(testbeds)
    rows = [_row(claim, where, inputs, testbeds) for claim in greedy_optimal(placements, models_of(inputs.catalog))]
    pairs = inputs.csv("cloud_pairs.csv")
    for both, grid in pairs.groupby(["edge_testbed", "cloud_testbed"], sort=False):
        names = [str(name) for name in both]
        claim = latency_against_cloud(grid, inputs.config.cloud.stated)
        rows.append(_row(claim, " against ".join(names), inputs, names))
    return rows


def _row(claim: Claim, where: str, inputs: Inputs, testbeds: list[str]) -> dict[str, str]:
    shown = {name: value for name, value in vars(claim).items() if name != "source"}
    origins = dict.fromkeys(part for name in testbeds for part in compute_provenance(inputs, name).split("; "))
    return {"claim": claim.claim, "testbeds": where, **shown, "compute_times": "; ".join(origins)}
