"""What was measured on this machine: seconds of each module by batch size."""

from __future__ import annotations

from itertools import cycle
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from splitshare.figures.declaration import Declaration
from splitshare.figures.inputs import Inputs
from splitshare.figures.palette import PALETTE
from splitshare.figures.sizes import COLUMN_WIDTH_IN
from splitshare.figures.style import legend_below, paper_style, save_figure, save_table
from splitshare.profiling.records import ModuleProfile

DECLARATION = Declaration(
    name="profile",
    category="Profile",
    inputs=("this-machine.json",),
    tables=("module_profile",),
    drawn=("module_profile",),
    scopes=("local",),
    caption="Seconds of each module on this machine by batch size, measured.",
    takeaway="Where seconds grow less than the batch does, batches pay.",
)

NAME = "module_profile"


def profile_table(profile: ModuleProfile) -> pd.DataFrame:
    """One row a module and batch of a profile."""
    return pd.DataFrame([row.model_dump(exclude={"definition_sha256"}) for row in profile.rows])


def draw(inputs: Inputs, output: Path) -> None:
    """Write the table and the figure ``module_profile``."""
    import seaborn as sns  # takes a second to import, and no other figure needs it

    profile = inputs.profile()
    table = profile_table(profile)
    short = table.drop(columns=["source", "parameter_bytes", "output_bytes", "method", "reason"])
    save_table(table, output, NAME)
    with paper_style():
        figure = Figure(figsize=(COLUMN_WIDTH_IN, 4.0))
        axes = figure.subplots()
        colours = sns.color_palette(PALETTE, short["module"].nunique())
        runnable = short[short["runnable"]].groupby("module", sort=False)
        for (module, rows), colour, marker in zip(runnable, colours, cycle("osD^vxP*+"), strict=False):
            spread = [
                rows["compute_median_s"] - rows["compute_p10_s"],
                rows["compute_p90_s"] - rows["compute_median_s"],
            ]
            label = str(module).partition("@")[0]
            axes.errorbar(
                rows["batch"], rows["compute_median_s"], spread, marker=marker, markersize=3, color=colour, label=label
            )
        axes.set_xscale("log", base=2)
        axes.set_yscale("log")
        axes.set_xlabel("Batch size")
        axes.set_ylabel("Seconds a batch (median, p10–p90)")
        legend_below(figure, axes, columns=2)
        save_figure(figure, output, NAME)
