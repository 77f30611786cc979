"""Differences that are rounding."""

import numpy as np
import pytest

from splitshare.errors import InputError
from splitshare.rounding import OBJECTIVE_TOLERANCE, check_stated, without_rounding


def test_what_is_within_rounding_of_0_is_0_and_the_rest_stays() -> None:
    values = [2e-16, -2e-16, -0.0, 0.0, 2 * OBJECTIVE_TOLERANCE, -2 * OBJECTIVE_TOLERANCE, 0.5, np.inf, np.nan]
    found = without_rounding(values)
    assert found[:4].tolist() == [0.0] * 4
    assert not np.signbit(found[:4]).any()
    np.testing.assert_array_equal(found[4:], values[4:])
    assert float(without_rounding(-1e-17)) == 0.0


@pytest.mark.parametrize(
    ("stated", "found"), [(1.0, 1 + 1e-7), (0.0, 1e-15), (-1e-15, 0.0), (None, 3.0), (1e9, 1e9 + 1)]
)
def test_a_worth_is_stated_within_rounding(stated: float | None, found: float) -> None:
    check_stated("file.json", "objective", stated, found)


@pytest.mark.parametrize(
    ("stated", "found"), [(1.0, 1 + 1e-5), (0.0, 1e-9), (1e-9, 0.0), (-1.0, 1.0), (1e9, 1e9 + 1e4)]
)
def test_another_worth_is_refused(stated: float, found: float) -> None:
    with pytest.raises(
        InputError, match=r"file.json: objective: is .*, where the evaluator finds .*; write that, or nul"
    ):
        check_stated("file.json", "objective", stated, found)
