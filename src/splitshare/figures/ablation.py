"""Every reading of S2M3's greedy that the abstract allows: how much the reading matters."""

from __future__ import annotations

from pathlib import Path

from splitshare.figures.declaration import Declaration
from splitshare.figures.inputs import Inputs
from splitshare.figures.style import save_table

DECLARATION = Declaration(
    name="greedy-readings",
    category="Optimality",
    inputs=("ablation.csv",),
    tables=("greedy_readings",),
    printed={
        "greedy_readings": {
            "order": "Order",
            "transfer_aware": "Transfers",
            "load_aware": "Load",
            "tie_break": "Ties by",
            "ours": "Ours",
            "placed": "Placed",
            "optimal": "Optimal",
            "mean_gap": ("Mean gap (%)", 100),
            "worst_gap": ("Worst gap (%)", 100),
        }
    },
    caption="Every reading of the greedy that the abstract allows.",
    takeaway=(
        "Only largest first by compute, with transfers counted and load left out, is optimal on every "
        "instance: the claim hangs on how the abstract is read."
    ),
    claim="S4",
)

NAME = "greedy_readings"


def draw(inputs: Inputs, output: Path) -> None:
    """Write the table ``greedy_readings``, a row a reading, ours marked."""
    save_table(
        inputs.csv("ablation.csv"),
        output,
        NAME,
    )
