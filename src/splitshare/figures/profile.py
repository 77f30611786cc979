"""What was measured on this machine: seconds of each module by batch size."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from splitshare.figures.declaration import Declaration
from splitshare.figures.inputs import Inputs
from splitshare.figures.style import COLUMN_WIDTH_IN, legend_below, paper_style, save_figure, save_table
from splitshare.profiling.records import ModuleProfile
from splitshare.results.measured import LAYER_METHOD, LAYER_METHOD_CAPTION, layer_method_table

DECLARATION = Declaration(
    name="profile",
    category="Profile",
    inputs=("this-machine.json",),
    tables=("module_profile", "layer_method_error"),
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
    """Write the table and the figure ``module_profile``, and the table ``layer_method_error``."""
    import seaborn as sns  # takes a second to import, and no other figure needs it

    profile = inputs.profile()
    table = profile_table(profile)
    short = table.drop(columns=["source", "parameter_bytes", "output_bytes", "method", "reason"])
    save_table(layer_method_table([profile]), output, LAYER_METHOD, caption=LAYER_METHOD_CAPTION)
    save_table(table, output, NAME, caption=f"Modules on {profile.device.cpu or profile.device.name}.")
    with paper_style():
        figure = Figure(figsize=(COLUMN_WIDTH_IN, 4.0))
        axes = figure.subplots()
        colours = sns.color_palette("colorblind", short["module"].nunique())
        for (module, rows), colour in zip(
            short[short["runnable"]].groupby("module", sort=False), colours, strict=False
        ):
            spread = [
                rows["compute_median_s"] - rows["compute_p10_s"],
                rows["compute_p90_s"] - rows["compute_median_s"],
            ]
            label = str(module).partition("@")[0]
            axes.errorbar(rows["batch"], rows["compute_median_s"], spread, marker=".", color=colour, label=label)
        axes.set_xscale("log", base=2)
        axes.set_yscale("log")
        axes.set_xlabel("Batch size")
        axes.set_ylabel("Seconds a batch (median, p10–p90)")
        legend_below(figure, axes, columns=2)
        save_figure(figure, output, NAME)
