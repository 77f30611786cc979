"""How far the rules for CPUs that nobody measured are off, on the published figures themselves."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from splitshare.catalog import paths
from splitshare.catalog.records import PublishedCpu
from splitshare.catalog.testbeds import read_device
from splitshare.figures.declaration import Declaration
from splitshare.figures.inputs import Inputs
from splitshare.figures.style import save_table
from splitshare.profiling.derive import CHOSEN_RULE, derivation_errors
from splitshare.profiling.published import read_published

DECLARATION = Declaration(
    name="derivation",
    category="Devices",
    tables=("derivation_errors",),
    printed={
        "derivation_errors": {
            "device": ("Device", "3cm"),
            "fitted_on": ("Fitted on", "3cm"),
            "points": "Points",
            "geometric_mean_ratio": "Geometric mean",
            "worst_ratio": "Worst",
            "worst_model": ("Worst model", "3.6cm"),
        }
    },
    caption="Leave-one-out error of the rules for CPUs that nobody measured.",
    takeaway="CPUs that nobody measured are known within a factor, not within a percent.",
)

NAME = "derivation_errors"


def draw(inputs: Inputs, output: Path) -> None:
    """Write the table ``derivation_errors``: a row a device type and candidate rule, the one in use marked."""
    published = read_published(paths.published_towers_file(inputs.catalog.root))
    rows: list[dict[str, object]] = []
    for path in sorted((inputs.catalog.root / "devices").glob("*.yaml")):
        device = read_device(path)
        if not isinstance(device.profile, PublishedCpu):
            continue
        column = device.profile.column
        rows.extend(
            {
                "device": device.name,
                "fitted_on": column,
                "rule": error.rule,
                "used": error.rule == CHOSEN_RULE,
                "points": error.points,
                "geometric_mean_ratio": error.geometric_mean_ratio,
                "worst_ratio": error.worst_ratio,
                "worst_model": error.worst_model,
            }
            for error in derivation_errors(published, column)
        )
    save_table(pd.DataFrame(rows), output, NAME)
