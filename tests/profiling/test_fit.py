import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from splitshare.profiling.derive import CHOSEN_RULE, derivation_errors
from splitshare.profiling.fit import Point, constant_rate, leave_one_out, power_law
from splitshare.profiling.published import LATENCY_COLUMNS, read_published

TABLE = Path(__file__).parents[2] / "data" / "published" / "timm_image_towers.csv"


def test_a_power_law_is_found_in_its_own_points():
    points = [Point(str(f), "transformer", f, 3e-11 * f**0.9) for f in (1e9, 7e9, 2e11, 5e11)]
    law = power_law(points)
    assert law.exponent == pytest.approx(0.9)
    assert math.exp(law.log_scale) == pytest.approx(3e-11)
    assert law.seconds(0) == 0
    assert leave_one_out(points, "power-law").worst_ratio == pytest.approx(1)


def test_a_constant_rate_is_the_geometric_mean():
    points = [Point("a", "transformer", 1e9, 1.0), Point("b", "transformer", 4e9, 1.0)]
    assert constant_rate(points).seconds(2e9) == pytest.approx(1.0)


def test_a_power_law_needs_different_work():
    points = [Point("a", "transformer", 1e9, 1.0), Point("b", "transformer", 1e9, 2.0)]
    with pytest.raises(ValueError, match="different work"):
        power_law(points)


def test_twins_leave_together():
    """The twin has the same work and time: had it stayed, the odd point would be predicted by itself."""
    steady = [Point(f"s{i}", "transformer", f, f / 1e9) for i, f in enumerate((1e9, 2e9, 4e9))]
    twins = [Point(f"t{i}", "transformer", 8e9, 80.0) for i in range(2)]
    assert leave_one_out(steady + twins, "constant-rate").worst_ratio == pytest.approx(10)


def _independent_errors(column: str) -> dict[str, tuple[float, float]]:
    """The same four errors by numpy's polyfit over the table as pandas reads it."""
    frame = pd.read_csv(TABLE)
    frame["x"] = np.log(2e9 * frame.gmacs)
    frame["y"] = np.log(frame[column] / 1e3 if column.endswith("_ms") else 1 / frame[column])
    frame["family"] = frame.model.str.startswith("resnet")
    errors = {}
    for degree, name in ((0, "constant-rate"), (1, "power-law")):
        for by_family in (False, True):
            off = []
            for i in frame.index:
                rest = frame[frame.gmacs != frame.gmacs[i]]
                if by_family:
                    rest = rest[rest.family == frame.family[i]]
                target = rest.y - rest.x if degree == 0 else rest.y
                predicted = np.polyval(np.polyfit(rest.x, target, degree), frame.x[i])
                off.append(abs(predicted + (frame.x[i] if degree == 0 else 0) - frame.y[i]))
            errors[name + ("-by-family" if by_family else "")] = (np.exp(np.mean(off)), np.exp(np.max(off)))
    return errors


@pytest.mark.parametrize("column", LATENCY_COLUMNS)
def test_leave_one_out_errors_agree_with_an_independent_computation(column):
    expected = _independent_errors(column)
    errors = derivation_errors(read_published(TABLE), column)
    assert {e.rule for e in errors} == set(expected)
    for error in errors:
        assert error.points == 13
        assert (error.geometric_mean_ratio, error.worst_ratio) == pytest.approx(expected[error.rule], rel=1e-9)


@pytest.mark.parametrize("column", LATENCY_COLUMNS)
def test_the_rule_in_use_has_the_least_error(column):
    errors = derivation_errors(read_published(TABLE), column)
    assert min(errors, key=lambda e: e.geometric_mean_ratio).rule == CHOSEN_RULE
