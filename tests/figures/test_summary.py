"""The page of claims."""

from pathlib import Path

import pandas as pd
import pytest

from splitshare.figures.registry import figures
from splitshare.figures.summary import robustness_of
from splitshare.figures.summary_plots import PLOTS
from splitshare.results.claim import STATEMENTS, Claim
from splitshare.results.robustness import hangs_on_assumed

ROOT = Path(__file__).parents[2]


def record(holds_assumed=1.0):
    rows = [
        ("S4", "all", "exceeded", "all", 0.25, 0.995, 95),
        ("S4", "all", "exceeded", "all", 0.5, 0.9, 95),
        ("S4", "all", "exceeded", "assumed", 0.5, holds_assumed, 95),
        ("J1", "all", "reproduced", "all", 0.25, 1.0, 26),
    ]
    return pd.DataFrame(rows, columns=["claim", "reading", "as_recorded", "times", "spread", "holds", "n"])


def claim(name="S4", verdict="exceeded", n=95, reading="all"):
    return Claim(name, reading, "p", "m", "u", n, "r", verdict, "", "s")


@pytest.mark.parametrize(
    ("of", "told"),
    [
        (claim(), "holds in 99.5% at ±25%, 90% at ±50% of draws"),
        (claim(n=94), ""),
        (claim(verdict="partly"), ""),
        (claim(reading="another"), ""),
        (claim("J1", "reproduced", 72), "holds in 100% at ±25% of draws (26 instances)"),
        (claim("S1"), ""),
    ],
)
def test_robustness_is_told_of_what_was_drawn_only(of, told):
    assert robustness_of(record(), of) == told


def test_a_claim_that_fails_where_only_assumed_times_are_off_is_marked():
    assert robustness_of(record(0.99), claim()).endswith("of draws; hangs on assumed times")
    assert hangs_on_assumed(record(0.99)).tolist() == [True, True, True, False]
    assert not hangs_on_assumed(record()).any()


def test_the_page_and_the_table_of_claims_read_the_same():
    page, table = figures()["summary"], figures()["claims"]
    assert page.inputs == table.inputs
    assert set(page.records) - set(table.records) == {"robustness.csv"}


def test_every_claim_has_a_statement_a_plot_and_a_row_on_the_committed_page():
    claims = pd.read_csv(ROOT / "paper_figures/claims.csv")
    page = pd.read_csv(ROOT / "paper_figures/summary.csv")
    names = list(dict.fromkeys(claims["claim"]))
    assert list(page["claim"]) == names == list(STATEMENTS)
    assert set(PLOTS) == set(names)
    first = claims.drop_duplicates("claim").set_index("claim")
    assert list(page["verdict"]) == list(first["verdict"])
    assert list(page["here"]) == list(first["measured_value"])
