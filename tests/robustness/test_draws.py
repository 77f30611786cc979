"""Draws of times that are off, and how their verdicts are counted."""

import numpy as np
import pytest

from splitshare.robustness.draws import Finding, Perturbation, factors, holds, summary

PAIRS = {("a", "x"), ("a", "y"), ("b", "x"), ("b", "y")}


def drawn(spread=0.5, which="all", seed=0, draw=0, assumed=()):
    factor = factors(PAIRS, Perturbation(spread, which), seed, draw, assumed)
    return {pair: factor(*pair) for pair in sorted(PAIRS)}


@pytest.mark.parametrize("spread", [0.25, 0.5])
def test_factors_are_a_device_s_times_a_module_s_each_within_the_spread(spread):
    values = np.array([list(drawn(spread, draw=draw).values()) for draw in range(4000)])
    assert values.min() >= (1 - spread) ** 2
    assert values.max() <= (1 + spread) ** 2
    # The mean of a product of independent factors of mean one, and its variance: (1 + s^2/3)^2 - 1.
    assert values.mean() == pytest.approx(1, abs=0.01)
    assert values.var(axis=0) == pytest.approx((1 + spread**2 / 3) ** 2 - 1, rel=0.08)
    # Modules of a device share its factor: the correlation of (a, x) and (a, y), none of (a, x) and (b, x).
    correlation = np.corrcoef(values.T)
    assert correlation[0, 1] == pytest.approx((spread**2 / 3) / ((1 + spread**2 / 3) ** 2 - 1), abs=0.06)
    assert abs(correlation[0, 2]) < 0.06


def test_a_draw_is_the_same_again_and_others_differ():
    assert drawn(draw=3) == drawn(draw=3)
    assert drawn(draw=3) != drawn(draw=4)
    assert drawn(seed=1) != drawn(seed=2)


def test_only_assumed_times_are_off_where_only_they_are_asked_for():
    every, assumed = drawn(), drawn(which="assumed", assumed={("a", "y")})
    assert assumed == {pair: every[pair] if pair == ("a", "y") else 1.0 for pair in sorted(PAIRS)}


@pytest.mark.parametrize(
    ("as_recorded", "verdict", "stands"),
    [
        ("exceeded", "reproduced", True),
        ("exceeded", "partly", False),
        ("reproduced", "exceeded", True),
        ("partly", "partly", True),
        ("partly", "not reproduced", False),
        ("not reproduced", "not reproduced", True),
        ("ahead", "level", True),
        ("level", "behind", False),
        ("behind", "behind", True),
    ],
)
def test_a_conclusion_stands(as_recorded, verdict, stands):
    assert holds(verdict, as_recorded) is stands


def test_verdicts_are_counted_and_what_cannot_be_judged_is_left_out():
    own = [
        Finding("S4", "all", "exceeded", 95),
        Finding("J2", "long", "reproduced", 4),
        Finding("X", "none", "partly", 1),
    ]
    draws = [
        [Finding("S4", "all", "exceeded", 95), Finding("J2", "long", "cannot be judged here", 0)],
        [Finding("S4", "all", "reproduced", 95), Finding("J2", "long", "partly", 2)],
        [Finding("S4", "all", "not reproduced", 95), Finding("J2", "long", "reproduced", 3)],
        [Finding("S4", "all", "exceeded", 95), Finding("J2", "long", "reproduced", 3)],
    ]
    table = summary(own, draws, Perturbation(0.25, "all"), seed=7).set_index("claim")
    assert list(table.index) == ["S4", "J2"]
    assert list(table["draws"]) == [4, 3]
    assert list(table["holds"]) == pytest.approx([0.75, 2 / 3])
    assert list(table["same_verdict"]) == pytest.approx([0.5, 2 / 3])
    assert table["verdicts"].iloc[0] == "exceeded 2; not reproduced 1; reproduced 1"
    assert set(table["seed"]) == {7}
