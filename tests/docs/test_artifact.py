"""The page for artefact evaluation: the values that it tells are those of the table of claims."""

import re
from pathlib import Path

import pandas as pd
import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "ARTIFACT.md").read_text()
CLAIMS = pd.read_csv(ROOT / "paper_figures/claims.csv")
TOLD = [
    ("S1", "all models"),
    ("S2", None),
    ("S4", "all instances"),
    ("S4", "prompts encoded beforehand"),
    ("S5", None),
    ("J1", "all instances"),
]


@pytest.mark.parametrize(("claim", "reading"), TOLD)
def test_values_are_those_of_the_claims(claim, reading):
    rows = CLAIMS[CLAIMS["claim"] == claim]
    row = rows.iloc[0] if reading is None else rows[rows["reading"] == reading].iloc[0]
    lines = [line for line in PAGE.splitlines() if line.startswith("|") and claim in line.split("|")[1]]
    assert any(row["measured_value"] in line.replace(" %", "%") for line in lines)


def test_every_claim_has_a_row_and_every_target_exists():
    told = " ".join(line.split("|")[1] for line in PAGE.splitlines() if line.startswith("|"))
    assert set(CLAIMS["claim"]) - {"S6"} <= set(re.findall(r"\b[SJ]\d\b", told))
    targets = set(re.findall(r"^([a-z][a-z -]*):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE))
    known = {name for names in targets for name in names.split()}
    assert set(re.findall(r"`make ([a-z-]+)", PAGE)) <= known


def test_the_edge_is_faster_for_as_many_models_as_the_page_says():
    stated = pd.read_csv(ROOT / "paper_figures/edge_against_cloud_stated.csv").query("models == 1")
    assert f"faster for {(stated['reduction'] > 0).sum()} of {len(stated)}" in PAGE
