"""The zoos: models, and the lines through their batch curves with what these are off."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from splitshare.figures.declaration import Declaration
from splitshare.figures.inputs import Inputs
from splitshare.figures.style import save_table
from splitshare.onloading.zoo import Zoo
from splitshare.profiling.batch_curve import fit

DECLARATION = Declaration(
    name="onloading-zoos",
    category="Onloading",
    zoos=True,
    tables=("onloading_zoo_models", "onloading_batch_curves"),
    caption="Models of the zoos, and the lines through their batch curves.",
    takeaway="A line through the batch times is close for most models; the table says where it is not.",
)

MODELS, CURVES = "onloading_zoo_models", "onloading_batch_curves"


def models_table(zoo: Zoo) -> pd.DataFrame:
    """A row a model: parameters, memory, accuracy by task."""
    rows = []
    for model in zoo.models:
        row: dict[str, object] = {"zoo": zoo.name, "model": model.name, "parameters": model.parameters}
        row["memory_bytes"] = model.memory_bytes
        rows.append(row | {task.name: model.accuracy.get(task.name) for task in zoo.tasks})
    return pd.DataFrame(rows)


def curves_table(zoo: Zoo) -> pd.DataFrame:
    """A row a model and device: ``seconds = start + per query x batch``, and the line's error at the curve's points."""
    rows = []
    for model in zoo.models:
        for curve in model.curves:
            line = fit(curve)
            rows.append(
                {
                    "zoo": zoo.name,
                    "model": model.name,
                    "device": curve.device,
                    "provenance": curve.provenance,
                    "points": line.points,
                    "start_s": line.start_s,
                    "per_query_s": line.per_query_s,
                    "mean_error": round(line.mean_error, 6),
                    "worst_error": round(line.worst_error, 6),
                }
            )
    return pd.DataFrame(rows)


def draw(inputs: Inputs, output: Path) -> None:
    """Write the tables ``onloading_zoo_models`` and ``onloading_batch_curves``."""
    zoos = [Zoo.read(path) for path in inputs.zoos()]
    save_table(
        pd.concat([models_table(zoo) for zoo in zoos], ignore_index=True),
        output,
        MODELS,
    )
    save_table(
        pd.concat([curves_table(zoo) for zoo in zoos], ignore_index=True),
        output,
        CURVES,
    )
