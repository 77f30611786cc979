"""S2M3's main table: a row a model with its bytes, its accuracy and its latency, whole, split and shared."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from splitshare.benchmarks.accuracy import AccuracyRow, in_own_precision
from splitshare.catalog.loader import Catalog
from splitshare.figures.declaration import Declaration
from splitshare.figures.inputs import Inputs
from splitshare.figures.style import save_table
from splitshare.profiling.records import ModuleDescriptions
from splitshare.results.cloud import at_cell

DECLARATION = Declaration(
    name="model-table",
    category="Catalogue",
    inputs=("modules.json", "cloud_grid.csv", "placements.csv"),
    records=("accuracy.json",),
    accuracy=True,
    tables=("models",),
    printed={
        "models": {
            "model": ("Model", "2.8cm"),
            "whole_bytes": ("Whole (GB)", 1e-9),
            "largest_module_bytes": ("Split (GB)", 1e-9),
            "own_bytes": ("Own (GB)", 1e-9),
            "accuracy": ("Accuracy (%)", 100),
            "local_s": "Local (s)",
            "cloud_s": "Cloud (s)",
            "edge_s": "Edge (s)",
        },
    },
    caption=(
        "Every model: bytes whole, of its largest module when split, and of the modules that no other model shares; "
        "accuracy on its benchmarks where they were run; latency of an idle request whole on one device of the edge "
        "testbed, whole in the cloud, and split over the edge by S2M3's greedy."
    ),
    takeaway=(
        "Splitting lowers what the most loaded device holds and what a request takes at the edge; against the cloud "
        "only few models gain."
    ),
    claim="S5",
)

NAME = "models"


def model_table(
    catalog: Catalog,
    descriptions: ModuleDescriptions,
    cloud: pd.DataFrame,
    local: pd.Series,
    accuracy: list[AccuracyRow],
) -> pd.DataFrame:
    """One row a model.

    Args:
        catalog: the models.
        descriptions: their modules.
        cloud: rows of the cloud grid at the cell of the verdict, by workload.
        local: seconds on one device of the edge testbed, by workload; none where it does not fit.
        accuracy: what was measured.
    """
    users = {ref.module: 0 for model in catalog.models.values() for ref in (*model.encoders, model.head)}
    for model in catalog.models.values():
        for ref in (*model.encoders, model.head):
            users[ref.module] += 1
    alone = {workload.models[0]: name for name, workload in catalog.workloads.items() if len(workload.models) == 1}
    by_workload = cloud.set_index("workload")
    rows = []
    for model in sorted(catalog.models.values(), key=lambda m: m.number):
        sizes = {ref.module: descriptions.by_name[ref.module].parameter_bytes for ref in (*model.encoders, model.head)}
        workload = alone.get(model.name)
        timed = workload is not None and workload in by_workload.index
        whole = [r.value for r in accuracy if (r.model, r.arrangement, r.metric) == (model.name, "whole", "top-1")]
        rows.append(
            {
                "model": model.title,
                "whole_bytes": sum(sizes.values()),
                "largest_module_bytes": max(sizes.values()),
                "own_bytes": sum(size for module, size in sizes.items() if users[module] == 1),
                "accuracy": sum(whole) / len(whole) if whole else None,
                "benchmarks": len(whole),
                "local_s": local.get(workload) if workload else None,
                "cloud_s": by_workload["cloud_s"].get(workload) if timed else None,
                "edge_s": by_workload["edge_s"].get(workload) if timed else None,
            }
        )
    return pd.DataFrame(rows).astype({"accuracy": float, "local_s": float, "cloud_s": float, "edge_s": float})


def draw(inputs: Inputs, output: Path) -> None:
    """Write the table ``models``."""
    stated = at_cell(inputs.csv("cloud_grid.csv"), inputs.config.cloud.stated)
    placements = inputs.csv("placements.csv")
    here = placements[(placements["testbed"] == inputs.config.cloud.edge_testbed) & (placements["method"] == "local")]
    local = here.set_index("workload")["objective_s"]
    accuracy = in_own_precision(inputs.accuracy().rows)
    save_table(model_table(inputs.catalog, inputs.descriptions(), stated, local, accuracy), output, NAME)
