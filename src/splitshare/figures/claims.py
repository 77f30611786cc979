"""The papers' claims, each with what was measured and a verdict by its rule (``splitshare.results.claim``)."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from splitshare.figures.all_claims import claims_of, times_of
from splitshare.figures.declaration import Declaration
from splitshare.figures.inputs import Inputs
from splitshare.figures.style import save_table
from splitshare.files import sha256_file
from splitshare.results.claims_s2m3 import (
    ACCURACY,
    EQUIVALENCE,
    MODELS,
)
from splitshare.results.onloading import RECORD

DECLARATION = Declaration(
    name="claims",
    category="Claims",
    inputs=(
        "modules.json",
        "placements.csv",
        "prompt_cache.csv",
        "cloud_grid.csv",
        "cloud_readings.csv",
        "onloading/results.csv",
    ),
    records=("split_equivalence.csv", "accuracy.json", "onloading.csv"),
    accuracy=True,
    profiles="clouds",
    zoos=True,
    tables=("claims",),
    caption="The claims of the papers' abstracts, with verdicts by rule.",
    takeaway="What the abstracts state and what was measured here, each with the rule that decides.",
    claim="S1",
)

NAME = "claims"


def draw(inputs: Inputs, output: Path) -> None:
    """Write the table ``claims``."""
    claims, times = claims_of(inputs), times_of(inputs)
    places = {MODELS: inputs.catalog.root / MODELS}
    places |= {name: inputs.recorded(name) for name in (EQUIVALENCE, ACCURACY, RECORD)}
    rows = []
    for claim in claims:
        source = places.get(claim.source) or inputs.result(claim.source)
        rests = {"times_rest_on": times[claim.claim]}
        rows.append(vars(claim) | rests | {"source": source.as_posix(), "source_sha256": sha256_file(source)})
    save_table(
        pd.DataFrame(rows),
        output,
        NAME,
    )
