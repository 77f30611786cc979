"""Devices that were measured, not derived: what was measured on them, and what the layer method is worth there."""

from __future__ import annotations

from pathlib import Path

from splitshare.figures.declaration import Declaration
from splitshare.figures.inputs import Inputs
from splitshare.figures.style import save_table
from splitshare.results.measured import LAYER_METHOD, devices_table, layer_method_table, measured

DECLARATION = Declaration(
    name="measured-devices",
    category="Devices",
    profiles="all",
    tables=("measured_devices", "layer_method_error"),
    printed={
        "measured_devices": {
            "device": ("Device", "3.2cm"),
            "memory_bytes": ("Memory (GB)", 1e-09),
            "modules": "Modules",
            "whole_rows": "Whole",
            "layer_extrapolated_rows": "By layers",
            "left_out_rows": "Left out",
        },
        "layer_method_error": {
            "device": ("Device", "3.2cm"),
            "module": ("Module", "2.8cm"),
            "batch": "Batch",
            "part": ("Part", "2cm"),
            "whole_s": "Whole (s)",
            "by_layers_s": "By layers (s)",
            "error": ("Error (%)", 100),
        },
    },
    caption="Devices that were measured, and what the layer method is worth there.",
    takeaway=(
        "Extrapolating from two layers comes within about a tenth of the whole decoder, in every part of a request."
    ),
)

NAME = "measured_devices"


def draw(inputs: Inputs, output: Path) -> None:
    """Write the tables ``measured_devices`` and ``layer_method_error`` of all committed profiles."""
    profiles = measured(inputs.all_profiles())
    save_table(devices_table(profiles), output, NAME)
    save_table(layer_method_table(profiles), output, LAYER_METHOD)
