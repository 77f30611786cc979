"""What was measured of devices, and what the layer method is worth."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from splitshare.profiling.records import ModuleProfile

LAYER_METHOD = "layer_method_error"
"""Name of its table."""
LAYER_METHOD_CAPTION = "The layer method against decoders measured whole (error: share of the measured seconds)."

_DEVICE_COLUMNS = (
    "device",
    "cpu",
    "gpu",
    "threads",
    "memory_bytes",
    "modules",
    "whole_rows",
    "layer_extrapolated_rows",
    "left_out_rows",
    "not_runnable_rows",
)
_CHECK_COLUMNS = ("device", "module", "batch", "part", "layers", "measured_layers", "whole_s", "by_layers_s", "error")


def measured(profiles: Sequence[ModuleProfile]) -> list[ModuleProfile]:
    """The profiles that hold measured rows, in order."""
    return [profile for profile in profiles if any(row.provenance == "measured" for row in profile.rows)]


def devices_table(profiles: Sequence[ModuleProfile]) -> pd.DataFrame:
    """One row a device: what it is, and how many rows (a module at a batch size) were measured in which way.

    ``left_out`` rows run and have no times; their ``reason`` says why: it would have taken too long, or was cold.
    """
    rows = []
    for profile in profiles:
        device = profile.device
        timed = [row for row in profile.rows if row.compute_median_s is not None]
        rows.append(
            {
                "device": device.name,
                "cpu": device.cpu,
                "gpu": device.gpu or "",
                "threads": device.threads,
                "memory_bytes": device.memory_bytes,
                "modules": len({row.module for row in profile.rows}),
                "whole_rows": sum(row.method == "whole" for row in timed),
                "layer_extrapolated_rows": sum(row.method == "layer-extrapolated" for row in timed),
                "left_out_rows": sum(row.runnable for row in profile.rows) - len(timed),
                "not_runnable_rows": sum(not row.runnable for row in profile.rows),
            }
        )
    return pd.DataFrame(rows, columns=_DEVICE_COLUMNS)


def layer_method_table(profiles: Sequence[ModuleProfile]) -> pd.DataFrame:
    """One row a device, decoder and part of a request: seconds measured whole and by layers, and the relative error."""
    rows = [
        {
            "device": profile.device.name,
            **check.model_dump(),
            "measured_layers": " and ".join(map(str, check.measured_layers)),
            "error": check.by_layers_s / check.whole_s - 1,
        }
        for profile in profiles
        for check in profile.layer_checks
    ]
    return pd.DataFrame(rows, columns=_CHECK_COLUMNS)
