"""Half precision: what models take in it, and what they answer otherwise."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from splitshare.benchmarks.accuracy import ARRANGEMENTS, AccuracyRow, Arrangement
from splitshare.figures.declaration import Declaration
from splitshare.figures.inputs import Inputs
from splitshare.figures.style import save_table
from splitshare.results.memory import memory_by_precision

DECLARATION = Declaration(
    name="precision",
    category="Memory",
    inputs=("modules.json",),
    accuracy=True,
    tables=("memory_by_precision", "accuracy_by_precision"),
    records=("accuracy.json",),
    caption="Bytes of models and workloads by precision, and what models answer otherwise in it.",
    takeaway=(
        "Half precision halves what every model takes but one that has it already; splitting and sharing save about "
        "the same shares, and few answers change."
    ),
    claim="S1",
)


def accuracy_by_precision(rows: Sequence[AccuracyRow]) -> pd.DataFrame:
    """One row a benchmark, model, metric and precision in which the model was judged beside its own.

    Columns ``own`` (the whole model in its own precision), ``whole``, ``split`` and ``shared`` are the metric's values;
    ``differ_whole`` and so on are the samples that the arrangement answers otherwise than in its own precision.
    """
    by_key = {row.key: row for row in rows}
    parts: list[dict[str, object]] = []
    for row in rows:
        if row.precision is None or row.arrangement != "whole":
            continue
        found: dict[Arrangement, AccuracyRow | None] = {
            a: by_key.get(row.model_copy(update={"arrangement": a}).key) for a in ARRANGEMENTS
        }
        own = by_key.get(row.model_copy(update={"precision": None}).key)
        part: dict[str, object] = row.model_dump(include={"benchmark", "model", "metric", "precision", "samples"})
        same = own is not None and own.provenance.get("weights") == row.provenance.get("weights")
        part["own"] = own.value if own and same else None  # else the model was trained again since
        part |= {a: r.value if r else None for a, r in found.items()}
        part |= {f"differ_{a}": r.differing_from_own_precision if r else None for a, r in found.items()}
        parts.append(part)
    numbers = ["own", *ARRANGEMENTS]
    counts = ["samples", *(f"differ_{a}" for a in ARRANGEMENTS)]
    table = pd.DataFrame(parts, columns=["benchmark", "model", "metric", "precision", "samples", *numbers, *counts[1:]])
    return table.astype(dict.fromkeys(counts, "Int64") | dict.fromkeys(numbers, "float64"))


def draw(inputs: Inputs, output: Path) -> None:
    """Write the tables ``memory_by_precision`` and ``accuracy_by_precision``."""
    save_table(
        memory_by_precision(inputs.catalog, inputs.descriptions(), inputs.config.workloads),
        output,
        "memory_by_precision",
    )
    save_table(
        accuracy_by_precision(inputs.accuracy().rows),
        output,
        "accuracy_by_precision",
    )
