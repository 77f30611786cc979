"""Bytes as tasks are added, with a copy a model and with shared modules."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from splitshare.catalog.loader import Catalog
from splitshare.profiling.records import ModuleDescriptions


def growth_table(catalog: Catalog, descriptions: ModuleDescriptions, models: Sequence[str]) -> pd.DataFrame:
    """One row a number of models: bytes with a copy of each module a model and with shared modules."""
    rows = []
    copies = 0
    shared: dict[str, int] = {}
    for count, name in enumerate(models, start=1):
        model = catalog.model(name)
        sizes = {ref.module: descriptions.by_name[ref.module].parameter_bytes for ref in (*model.encoders, model.head)}
        copies += sum(sizes.values())
        shared |= sizes
        total = sum(shared.values())
        rows.append(
            {
                "models": count,
                "added": model.title,
                "task": catalog.tasks[model.task].title,
                "unshared_bytes": copies,
                "shared_bytes": total,
                "saving": 1 - total / copies,
            }
        )
    return pd.DataFrame(rows)


def nested_workload(catalog: Catalog, workloads: Sequence[str]) -> tuple[str, ...]:
    """Models of the largest workload, in the order in which the smaller ones inside it add them."""
    sets = sorted((catalog.workload(w).models for w in workloads if len(catalog.workload(w).models) > 1), key=len)
    if not sets:
        return catalog.workload(workloads[0]).models
    best: list[str] = []
    for first in sets:
        chain = list(first)
        for following in sets:
            if set(following) > set(chain):
                chain += [m for m in following if m not in chain]
        best = max(best, chain, key=len)
    return tuple(best)
