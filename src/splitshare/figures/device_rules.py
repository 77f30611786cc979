"""What the rules for devices that nobody measured make of the devices that were measured."""

from __future__ import annotations

from pathlib import Path
from textwrap import fill

import pandas as pd
from matplotlib.figure import Figure

from splitshare.catalog import paths
from splitshare.catalog.records import MeasuredCpu, MeasuredGpu
from splitshare.catalog.testbeds import read_device
from splitshare.figures.declaration import Declaration
from splitshare.figures.inputs import Inputs
from splitshare.figures.palette import KINDS
from splitshare.figures.sizes import PAGE_WIDTH_IN
from splitshare.figures.style import paper_style, save_figure, save_table
from splitshare.profiling.cpu_rule import predicted_cpu
from splitshare.profiling.gpu_rule import predicted_launches
from splitshare.profiling.predictions import Prediction, measured_work
from splitshare.results.device_rules import errors_table, predictions_table

DECLARATION = Declaration(
    name="device-rules",
    category="Devices",
    inputs=("modules.json",),
    profiles="all",
    tables=("device_rules", "device_rules_error"),
    printed={
        "device_rules_error": {
            "device": "Measured device",
            "part": "Part",
            "value": "Value",
            "rows": "Rows",
            "geometric_mean_ratio": "Geometric mean",
            "worst_ratio": "Worst",
        }
    },
    drawn=("device_rules",),
    caption=(
        "Measured devices as the rules for devices that nobody measured predict them, each architecture left out of "
        "its own fit."
    ),
    takeaway=(
        "Encoders come out close on both; what is small is decided by handing operations over, and known less well, "
        "as are decoders on the CPU."
    ),
)

NAME = "device_rules"
ERROR = "device_rules_error"


def draw(inputs: Inputs, output: Path) -> None:
    """Write the table and figure ``device_rules``, a row or mark a module and batch, and ``device_rules_error``."""
    predicted, titles = predictions(inputs), _titles(inputs)
    tables = {device: predictions_table(device, among) for device, among in predicted.items()}
    save_table(
        pd.concat(tables.values(), ignore_index=True),
        output,
        NAME,
    )
    errors = pd.concat([errors_table(*item) for item in predicted.items()], ignore_index=True)
    save_table(errors, output, ERROR)
    with paper_style():
        figure = Figure(figsize=(PAGE_WIDTH_IN, 3.2))
        for axes, (device, table) in zip(
            figure.subplots(1, len(tables), squeeze=False)[0], tables.items(), strict=True
        ):
            ends = [end(end(table["measured_s"]), end(table["predicted_s"])) for end in (min, max)]
            axes.plot(ends, ends, color="0.45", linewidth=0.8, zorder=1)
            for kind, among in table.groupby("kind", sort=False):
                title, line = KINDS[str(kind)]
                axes.plot(among["measured_s"], among["predicted_s"], linestyle="", label=title, **line)
            axes.set_xscale("log")
            axes.set_yscale("log")
            axes.tick_params(axis="x", pad=6)  # clear of the other axis in the corner
            axes.set_title(fill(titles[device], 48))
            axes.set_xlabel("Measured seconds a batch")
            axes.set_ylabel("Predicted seconds a batch")
        handles, labels = figure.axes[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=5)
        save_figure(figure, output, NAME)


def _titles(inputs: Inputs) -> dict[str, str]:
    """Titles of the devices by name."""
    folder = paths.device_file(inputs.catalog.root, "any").parent
    return {device.name: device.title for device in map(read_device, sorted(folder.glob("*.yaml")))}


def predictions(inputs: Inputs) -> dict[str, list[Prediction]]:
    """Of every device that was measured and has a device file, its rows as the rule for its kind predicts them."""
    found = {}
    for path in sorted(paths.device_file(inputs.catalog.root, "any").parent.glob("*.yaml")):
        device = read_device(path)
        if not isinstance(device.profile, MeasuredCpu | MeasuredGpu):
            continue
        rows = measured_work(inputs.descriptions(), inputs.device_profile(device.name))
        predict = predicted_cpu if isinstance(device.profile, MeasuredCpu) else predicted_launches
        found[device.name] = predict(rows, device)
    return found
