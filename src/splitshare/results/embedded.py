"""Parameters and accuracy of the embedded benchmark, by arrangement."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import pandas as pd

from splitshare.benchmarks.accuracy import AccuracyRow, Arrangement
from splitshare.catalog.loader import Catalog
from splitshare.profiling.records import ModuleDescriptions
from splitshare.results.memory import RULES, counted_parameters


@dataclass(frozen=True)
class _Row:
    """A way to arrange the three tasks: the workload, how its models are held, how they answer."""

    title: str
    workload: str
    pieces: Literal["models", "modules", "shared modules"]
    arrangement: Arrangement


_ROWS = (
    _Row("A model a task, whole", "embedded-alone", "models", "whole"),
    _Row("A model a task, split", "embedded-alone", "modules", "split"),
    _Row("Shared encoders, a whole copy a task", "embedded-together", "models", "whole"),
    _Row("Shared encoders, split, a copy a task", "embedded-together", "modules", "split"),
    _Row("Shared encoders, split and shared", "embedded-together", "shared modules", "shared"),
)


def arrangements(catalog: Catalog, descriptions: ModuleDescriptions, rows: Sequence[AccuracyRow]) -> pd.DataFrame:
    """One row an arrangement and counting rule.

    ``total_thousand`` are the parameters of all three tasks, ``largest_piece_thousand`` those that one device must hold
    at least, both in thousands; accuracies are top-1 by task, with the ends of their 95 % intervals; ``differing`` are
    the predictions, of all tasks, that are not those of the same models in one piece.
    """
    by_arrangement = {(row.model, row.arrangement): row for row in rows if row.metric == "top-1"}
    table = []
    for row in _ROWS:
        models = [catalog.model(name) for name in catalog.workload(row.workload).models]
        judged = [by_arrangement[model.name, row.arrangement] for model in models]
        accuracy: dict[str, float] = {}
        for model, measured in zip(models, judged, strict=True):
            task = model.task.replace("-", "_")
            accuracy |= {task: measured.value, f"{task}_low": measured.ci_low, f"{task}_high": measured.ci_high}
        for rule in RULES:
            size = {name: counted_parameters(descriptions.by_name[name], rule) / 1e3 for name in catalog.modules()}
            refs = [[ref.module for ref in model.modules().values()] for model in models]
            modules = [module for names in refs for module in names]
            pieces = {
                "models": [sum(size[module] for module in names) for names in refs],
                "modules": [size[module] for module in modules],
                "shared modules": [size[module] for module in dict.fromkeys(modules)],
            }[row.pieces]
            table.append(
                {
                    "arrangement": row.title,
                    "counting": rule,
                    "total_thousand": sum(pieces),
                    "largest_piece_thousand": max(pieces),
                    **accuracy,
                    "requests": sum(measured.samples for measured in judged),
                    "differing": sum(measured.differing_predictions for measured in judged),
                }
            )
    return pd.DataFrame(table)
