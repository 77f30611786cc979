"""Parameters of models whole, split and shared, under both counting rules (claims S1 and S2)."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from splitshare.catalog.loader import Catalog
from splitshare.profiling.records import ModuleDescription, ModuleDescriptions

RULES = {
    "all parameters": "every parameter of a module",
    "without token embedding": "token embeddings left out (a table look-up, no multiplication)",
}
"""The two ways to count a module's parameters."""


def counted_parameters(module: ModuleDescription, rule: str) -> int:
    """Parameters of ``module`` under a counting rule of ``RULES``."""
    return module.parameters - (module.embedding_parameters if rule == "without token embedding" else 0)


def model_memory(catalog: Catalog, descriptions: ModuleDescriptions) -> pd.DataFrame:
    """One row a model and counting rule: parameters whole, and of the largest module when split, in millions.

    ``saving`` is S1's: one minus largest module over whole model, the memory that the most loaded device no longer
    needs.
    """
    rows = []
    for model in catalog.models.values():
        for rule in RULES:
            sizes = [
                counted_parameters(descriptions.by_name[ref.module], rule) / 1e6
                for ref in (*model.encoders, model.head)
            ]
            rows.append(
                {
                    "number": model.number,
                    "model": model.title,
                    "encoders": len(model.encoders),
                    "counting": rule,
                    "whole_million": sum(sizes),
                    "largest_module_million": max(sizes),
                    "saving": 1 - max(sizes) / sum(sizes),
                }
            )
    return pd.DataFrame(rows)


def workload_memory(catalog: Catalog, descriptions: ModuleDescriptions, workloads: Sequence[str]) -> pd.DataFrame:
    """One row a workload and counting rule: parameters unshared and shared, in millions; ``saving`` is S2's."""
    rows = []
    for name in workloads:
        workload = catalog.workload(name)
        models = [catalog.model(m) for m in workload.models]
        unshared = [ref.module for model in models for ref in (*model.encoders, model.head)]
        for rule in RULES:
            size = {m: counted_parameters(descriptions.by_name[m], rule) / 1e6 for m in unshared}
            whole = sum(size[m] for m in unshared)
            rows.append(
                {
                    "workload": workload.title,
                    "models": len(models),
                    "counting": rule,
                    "unshared_million": whole,
                    "shared_million": sum(size.values()),
                    "saving": 1 - sum(size.values()) / whole,
                }
            )
    return pd.DataFrame(rows)
