"""The catalogue: models with their modules, and modules with their counts."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from splitshare.figures.declaration import Declaration
from splitshare.figures.inputs import Inputs
from splitshare.figures.style import save_table

DECLARATION = Declaration(
    name="catalogue",
    category="Catalogue",
    inputs=("modules.json",),
    tables=("catalogue", "modules"),
    printed={
        "catalogue": {
            "model": ("Model", "3.4cm"),
            "task": ("Task", "3cm"),
            "encoders": ("Encoders", "3.8cm"),
            "head": ("Head", "3cm"),
            "parameters_million": "Parameters (M)",
        }
    },
    caption="Models and modules of the catalogue (ours).",
    takeaway="Models of several tasks name the same modules: there is much to share.",
    claim="S6",
)


def draw(inputs: Inputs, output: Path) -> None:
    """Write the tables ``catalogue`` (a row a model) and ``modules`` (a row a module and batch)."""
    catalog, descriptions = inputs.catalog, inputs.descriptions().by_name
    models = [
        {
            "number": model.number,
            "model": model.title,
            "task": catalog.tasks[model.task].title,
            "encoders": ", ".join(e.module for e in model.encoders),
            "head": model.head.module,
            "parameters_million": sum(descriptions[r.module].parameters for r in (*model.encoders, model.head)) / 1e6,
        }
        for model in sorted(catalog.models.values(), key=lambda m: m.number)
    ]
    modules = [
        {
            "module": module.module,
            "kind": module.kind,
            "dtype": module.dtype,
            "parameters_million": module.parameters / 1e6,
            "embedding_million": module.embedding_parameters / 1e6,
            "parameter_bytes": module.parameter_bytes,
            "gflops": module.at(1).flops / 1e9,
            "input_bytes": module.at(1).input_bytes,
            "output_bytes": module.at(1).output_bytes,
            "used_by": ", ".join(catalog.module(module.module).users),
        }
        for module in descriptions.values()
    ]
    save_table(pd.DataFrame(models), output, "catalogue")
    save_table(pd.DataFrame(modules), output, "modules")
