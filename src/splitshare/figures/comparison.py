"""Methods over many instances: performance profile and gaps to the optimum, for a verdict and for the baselines."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from splitshare.figures.declaration import Declaration
from splitshare.figures.inputs import Inputs
from splitshare.figures.performance import PROFILE, profile_figure
from splitshare.figures.style import paper_style, save_figure, save_table
from splitshare.results.baselines import read_baselines
from splitshare.results.verdict import per_instance, summarise

DECLARATION = Declaration(
    name="baselines",
    category="Optimality",
    records=("placements.parquet",),
    tables=("baselines",),
    printed={
        "baselines": {
            "family": "Family",
            "method": "Method",
            "instances": "n",
            "placed": "Placed",
            "optimal": "Optimal",
            "mean_gap": ("Mean gap (%)", 100),
            "worst_gap": ("Worst gap (%)", 100),
        }
    },
    drawn=("performance_profile",),
    caption="Share of the instances on which a recorded method is within a factor of the best one.",
    takeaway=(
        "On the paper's setting many methods are optimal; on random instances they fall apart, so a method is "
        "judged on both."
    ),
    claim="S4",
)

NAME = "baselines"


def draw(inputs: Inputs, output: Path) -> None:
    """Write the table ``baselines`` and the performance profiles of the recorded methods."""
    recorded = read_baselines(inputs.recorded("placements.parquet")).rename(
        columns={"objective_s": "objective", "optimum_s": "reference"}
    )
    table = summaries(recorded)
    save_table(table, output, NAME)
    with paper_style():
        save_figure(profile_figure(recorded, list(dict.fromkeys(recorded["family"]))), output, PROFILE)


def summaries(recorded: pd.DataFrame) -> pd.DataFrame:
    """One row a family and method: instances, placed, optimal, mean gap, its 95 % interval or none, worst gap."""
    rows = []
    for (family, method), results in recorded.groupby(["family", "method"], sort=False):
        summary = summarise(str(method), per_instance(results), seed=0)
        gap = summary.mean_gap
        rows.append(
            {
                "family": family,
                "method": method,
                "instances": summary.instances,
                "placed": summary.placed,
                "optimal": summary.optimal,
                "mean_gap": gap.estimate if gap else np.nan,
                "mean_gap_low": gap.low if gap and gap.low is not None else np.nan,
                "mean_gap_high": gap.high if gap and gap.high is not None else np.nan,
                "worst_gap": np.nan if summary.worst_gap is None else summary.worst_gap,
            }
        )
    table = pd.DataFrame(rows)
    return table.sort_values(["family", "mean_gap", "method"], kind="stable").reset_index(drop=True).round(12)
