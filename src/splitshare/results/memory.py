"""What models take whole, split and shared: parameters under both counting rules, bytes by precision (S1 and S2)."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from splitshare.catalog.loader import Catalog
from splitshare.catalog.records import DTYPE_BYTES
from splitshare.choices import Dtype
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


def split_bytes(catalog: Catalog, descriptions: ModuleDescriptions) -> pd.DataFrame:
    """One row a model: bytes whole and of its largest module, the saving (S1), and that in parameters by each rule."""
    parameters = model_memory(catalog, descriptions)
    rows = []
    for model in catalog.models.values():
        sizes = [descriptions.by_name[ref.module].parameter_bytes for ref in (*model.encoders, model.head)]
        rows.append(
            {
                "number": model.number,
                "model": model.title,
                "encoders": len(model.encoders),
                "whole_bytes": sum(sizes),
                "largest_module_bytes": max(sizes),
                "saving": 1 - max(sizes) / sum(sizes),
            }
        )
    return _with_parameters(pd.DataFrame(rows), parameters, "model")


def shared_bytes(catalog: Catalog, descriptions: ModuleDescriptions, workloads: Sequence[str]) -> pd.DataFrame:
    """One row a workload: bytes unshared and shared, the saving (S2), and that in parameters by each rule."""
    parameters = workload_memory(catalog, descriptions, workloads)
    rows = []
    for workload in map(catalog.workload, workloads):
        models = [catalog.model(name) for name in workload.models]
        unshared = [ref.module for model in models for ref in (*model.encoders, model.head)]
        before, after = (
            sum(descriptions.by_name[name].parameter_bytes for name in names)
            for names in (unshared, dict.fromkeys(unshared))
        )
        rows.append(
            {
                "workload": workload.title,
                "models": len(models),
                "unshared_bytes": before,
                "shared_bytes": after,
                "saving": 1 - after / before,
            }
        )
    return _with_parameters(pd.DataFrame(rows), parameters, "workload")


def saving_column(rule: str) -> str:
    """The column of the saving in parameters, counted by a rule."""
    return f"saving_{rule.replace(' ', '_')}"


def _with_parameters(table: pd.DataFrame, parameters: pd.DataFrame, label: str) -> pd.DataFrame:
    """A column of the saving in parameters for each way to count them."""
    for rule in RULES:
        saving = parameters[parameters["counting"] == rule].set_index(label)["saving"]
        table[saving_column(rule)] = table[label].map(saving)
    return table


PRECISIONS: tuple[Dtype | None, ...] = (None, "float32", "float16")
"""Types at which memory is told; bfloat16 takes what float16 does. ``None``: each module's own in the catalogue."""


def module_bytes(module: ModuleDescription, precision: Dtype | None) -> int:
    """Bytes of a module's parameters, held in a floating point type; ``None``: in its own."""
    return module.parameter_bytes if precision is None else module.parameters * DTYPE_BYTES[precision]


def memory_by_precision(catalog: Catalog, descriptions: ModuleDescriptions, workloads: Sequence[str]) -> pd.DataFrame:
    """One row a model or workload and precision: bytes (GB) as the claims S1 and S2 compare them, and the saving.

    Of a model: all of it, and its largest module (S1). Of a workload: a copy of each module a model, and modules shared
    (S2). All parameters count.
    """
    models = {m.name: [r.module for r in (*m.encoders, m.head)] for m in catalog.models.values()}
    rows: list[dict[str, object]] = []
    for precision in PRECISIONS:
        size = {m.module: module_bytes(m, precision) / 1e9 for m in descriptions.modules}

        for model in catalog.models.values():
            sizes = [size[m] for m in models[model.name]]
            rows.append(_saving("model, split", model.title, precision, sum(sizes), max(sizes)))
        for workload in (catalog.workload(name) for name in workloads):
            if len(workload.models) > 1:
                used = [m for name in workload.models for m in models[name]]
                before, after = (sum(size[m] for m in names) for names in (used, dict.fromkeys(used)))
                rows.append(_saving("workload, shared", workload.title, precision, before, after))
    return pd.DataFrame(rows)


def _saving(what: str, name: str, precision: Dtype | None, before_gb: float, after_gb: float) -> dict[str, object]:
    told = {"of": what, "name": name, "precision": precision or "as catalogued"}
    return told | {"before_gb": before_gb, "after_gb": after_gb, "saving": 1 - after_gb / before_gb}
