"""Where the compute times of each device come from."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pandas as pd

from splitshare.figures.declaration import Declaration
from splitshare.figures.inputs import Inputs
from splitshare.figures.style import save_table
from splitshare.results.rests_on import KINDS

DECLARATION = Declaration(
    name="devices",
    category="Devices",
    profiles="clouds",
    tables=("device_profiles",),
    printed={
        "device_profiles": {
            "device": "Device",
            "memory_bytes": ("Memory (GB)", 1e-09),
            "measured_rows": "Measured",
            "published_rows": "Published",
            "derived_rows": "Derived",
            "assumed_rows": "Assumed",
        }
    },
    caption="Where the compute times of each device come from: measured, published, derived or assumed.",
    takeaway="Few compute times are measured on the device itself; the rest says what it stands on.",
)

NAME = "device_profiles"


def draw(inputs: Inputs, output: Path) -> None:
    """Write the table ``device_profiles``: a row a device type, its rows by provenance, and its rule with its error."""
    names = [*inputs.config.testbeds, inputs.config.cloud.edge_testbed, inputs.config.cloud.cloud_testbed]
    testbeds = [inputs.testbed(name) for name in dict.fromkeys(names)]
    rows = []
    for device in dict.fromkeys(d.device_type for testbed in testbeds for d in testbed.devices):
        profile = inputs.device_profile(device)
        counts = Counter[str](row.provenance for row in profile.rows)
        rows.append(
            {
                "device": device,
                "memory_bytes": profile.device.memory_bytes,
                **{f"{kind}_rows": counts[kind] for kind in KINDS},
                "rule": "; ".join(profile.notes),
            }
        )
    save_table(pd.DataFrame(rows), output, NAME)
