"""How busy each device and link is, as the load grows."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.ticker import PercentFormatter

from splitshare.figures.declaration import Declaration
from splitshare.figures.inputs import Inputs
from splitshare.figures.palette import method_key, methods_among
from splitshare.figures.sizes import PAGE_WIDTH_IN
from splitshare.figures.style import paper_style, save_figure, save_table

DECLARATION = Declaration(
    name="utilisation_map",
    category="Replay",
    inputs=("load/utilisation.csv",),
    tables=("utilisation_against_load",),
    drawn=("utilisation_against_load",),
    loaded=True,
    caption="Share of the time for which each device, and each direction of a link, is busy, against the load; grey: "
    "not used by the method. Means over seeds.",
    takeaway="One device fills up while the others and the links are idle for most of the time.",
)

NAME = "utilisation_against_load"
MOST_LABELS = 4
UNUSED = "0.85"


def draw(inputs: Inputs, output: Path) -> None:
    """Write the table and the figure ``utilisation_against_load``: a row of panels a testbed, a column a method."""
    table = inputs.csv("load/utilisation.csv")
    sweep = inputs.config.load_sweep
    assert sweep is not None  # it is drawn where there is one
    save_table(table, output, NAME)
    titles = {f"{sweep.workload}.{testbed}": inputs.testbed(testbed).title for testbed in sweep.testbeds}
    with paper_style():
        save_figure(_figure(table, titles), output, NAME)


def _figure(table: pd.DataFrame, titles: dict[str, str]) -> Figure:
    loads = sorted(map(float, table["share"].unique()))
    methods = methods_among(table["method"].map(method_key))
    names = {instance: _resources(table[table["instance"] == instance]) for instance in titles}
    heights = [0.75 + 0.16 * len(found) for found in names.values()]
    figure = Figure(figsize=(PAGE_WIDTH_IN, sum(heights)))
    rows = figure.subfigures(len(titles), 1, squeeze=False, height_ratios=heights)[:, 0]
    for row, (instance, title) in zip(rows, titles.items(), strict=True):
        own = table[table["instance"] == instance]
        keys = own["method"].map(method_key)
        row.suptitle(title, size=8)
        panels = row.subplots(1, len(methods), sharex=True, sharey=True, squeeze=False)[0]
        for axes, (method, (name, _, _)) in zip(panels, methods.items(), strict=True):
            image = _panel(axes, own[keys == method], names[instance], loads)
            axes.set_title(name)
            axes.set_xlabel("Load")
        row.colorbar(image, ax=panels, label="Busy", pad=0.01, format=PercentFormatter(1.0))
    return figure


def _resources(table: pd.DataFrame) -> list[str]:
    """Devices, then links and cells, in order of name."""
    pairs = sorted(set(zip(table["kind"], table["name"], strict=True)))
    return [name for _, name in pairs]


def _panel(axes: Axes, rows: pd.DataFrame, names: list[str], loads: list[float]) -> AxesImage:
    """Cells of a method; grey where it uses nothing, as it does where it places nothing."""
    shown = rows.pivot_table(index="name", columns="share", values="utilisation").reindex(index=names, columns=loads)
    image = axes.imshow(shown.to_numpy(dtype=float), vmin=0, vmax=1, cmap="Blues", aspect="auto")
    axes.set_yticks(range(len(names)), [name.replace("->", " → ") for name in names])
    places = np.unique(np.linspace(0, len(loads) - 1, MOST_LABELS).round().astype(int))
    axes.set_xticks(places.tolist(), [f"{loads[i]:.0%}" for i in places])
    axes.set_facecolor(UNUSED)
    axes.grid(visible=False)
    return image
