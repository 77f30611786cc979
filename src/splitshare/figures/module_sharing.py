"""Which model has which module, and what that saves: the catalogue's models against the modules that several have."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from splitshare.catalog.loader import Catalog
from splitshare.figures.declaration import Declaration
from splitshare.figures.inputs import Inputs
from splitshare.figures.palette import MEMORY
from splitshare.figures.sizes import PAGE_WIDTH_IN
from splitshare.figures.style import paper_style, save_figure, save_table
from splitshare.profiling.records import ModuleDescriptions

DECLARATION = Declaration(
    name="module-sharing",
    category="Catalogue",
    inputs=("modules.json",),
    tables=("module_sharing",),
    drawn=("module_sharing",),
    caption=(
        "Modules that several models of the catalogue have (a dot), their bytes, and what one copy for all saves; on "
        "the right, the bytes that each model has for itself."
    ),
    takeaway="A few towers are in several models; most bytes, and the large decoder, are in one model each.",
    claim="S2",
)

NAME = "module_sharing"


def sharing_table(catalog: Catalog, descriptions: ModuleDescriptions) -> pd.DataFrame:
    """One row a model and module that it has: bytes, in how many models the module is, bytes that one copy saves."""
    rows = []
    users: dict[str, list[str]] = {}
    for model in catalog.models.values():
        for ref in (*model.encoders, model.head):
            users.setdefault(ref.module, []).append(model.name)
    for module, models in users.items():
        size = descriptions.by_name[module].parameter_bytes
        rows += [(module, name, size, len(models), size * (len(models) - 1)) for name in models]
    return pd.DataFrame(rows, columns=["module", "model", "bytes", "models", "saved_bytes"])


def draw(inputs: Inputs, output: Path) -> None:
    """Write the table and the figure ``module_sharing``."""
    table = sharing_table(inputs.catalog, inputs.descriptions())
    save_table(table, output, NAME)
    with paper_style():
        save_figure(_figure(table, {m.name: m.title for m in inputs.catalog.models.values()}), output, NAME)


def _figure(table: pd.DataFrame, titles: dict[str, str]) -> Figure:
    """A row a model, a column a shared module; on the right what models have for themselves."""
    shared = table[table["models"] > 1]
    order = shared.drop_duplicates("module").sort_values("saved_bytes", ascending=False, kind="stable")
    modules, models = list(order["module"]), list(titles)
    figure = Figure(figsize=(PAGE_WIDTH_IN, 1.1 + 0.19 * len(models)))
    axes = figure.subplots()
    for column, module in enumerate(modules):
        places = [models.index(name) for name in shared.loc[shared["module"] == module, "model"]]
        axes.plot([column] * len(places), places, marker="o", markersize=6, linewidth=1.2, color=MEMORY["shared"])
    own = table[table["models"] == 1].groupby("model")["bytes"].sum()
    for row, name in enumerate(models):
        told = f"{_size(float(own.get(name, 0.0)))} GB"
        axes.annotate(told, (len(modules), row), ha="center", va="center", size=7)
    heads = [
        f"{module.partition('@')[0]}\n{_size(size)} GB, {_size(saved)} GB saved"
        for module, size, saved in order[["module", "bytes", "saved_bytes"]].itertuples(index=False)
    ]
    axes.axvline(len(modules) - 0.5, color="black", linewidth=0.6)
    axes.set_xticks(range(len(modules) + 1), [*heads, "of its own"])
    axes.xaxis.tick_top()
    axes.set_yticks(range(len(models)), list(titles.values()))
    axes.tick_params(length=0)
    axes.set_xlim(-0.5, len(modules) + 0.5)
    axes.set_ylim(len(models) - 0.5, -0.5)
    return figure


def _size(size: float) -> str:
    """Gigabytes, two digits after the point; nothing is nothing, and what is less than that is told so."""
    if size == 0:
        return "0"
    return f"{size / 1e9:.2f}" if size >= 5e6 else "<0.01"
