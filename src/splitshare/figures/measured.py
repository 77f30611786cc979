"""Devices that were measured, not derived: what was measured on them, and what the layer method is worth there."""

from __future__ import annotations

from pathlib import Path

from splitshare.figures.declaration import Declaration
from splitshare.figures.inputs import Inputs
from splitshare.figures.style import save_table
from splitshare.results.measured import LAYER_METHOD, LAYER_METHOD_CAPTION, devices_table, layer_method_table, measured

DECLARATION = Declaration(
    name="measured-devices",
    category="Devices",
    profiles="all",
    tables=("measured_devices", "layer_method_error"),
    caption="Devices that were measured, and what the layer method is worth there.",
    takeaway=(
        "Extrapolating from two layers comes within about a tenth of the whole decoder, in every part of a request."
    ),
)

NAME = "measured_devices"


def draw(inputs: Inputs, output: Path) -> None:
    """Write the tables ``measured_devices`` and ``layer_method_error`` of all committed profiles."""
    profiles = measured(inputs.all_profiles())
    save_table(devices_table(profiles), output, NAME, caption="Devices that were measured.")
    save_table(layer_method_table(profiles), output, LAYER_METHOD, caption=LAYER_METHOD_CAPTION)
