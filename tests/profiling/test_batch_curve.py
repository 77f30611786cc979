import pytest

from splitshare.profiling.batch_curve import BatchCurve, fit


def curve(batches, seconds):
    return BatchCurve(device="d", batches=batches, seconds=seconds, provenance="derived", source="test")


def test_a_line_is_found_again():
    line = fit(curve((1, 2, 8, 32), (0.015, 0.02, 0.05, 0.17)))
    assert (line.start_s, line.per_query_s) == pytest.approx((0.01, 0.005))
    assert line.worst_error == pytest.approx(0, abs=1e-12)
    assert line.batch_s(16) == pytest.approx(0.09)


def test_the_error_is_relative_and_least():
    points = curve((1, 2, 4), (0.01, 0.012, 0.02))
    line = fit(points)
    best = sum(((line.batch_s(b) - s) / s) ** 2 for b, s in zip(points.batches, points.seconds, strict=True))
    for alpha, beta in ((1.01, 1), (0.99, 1), (1, 1.01), (1, 0.99)):
        other = [line.start_s * alpha + line.per_query_s * beta * b for b in points.batches]
        assert sum(((t - s) / s) ** 2 for t, s in zip(other, points.seconds, strict=True)) > best
    errors = [abs(line.batch_s(b) - s) / s for b, s in zip(points.batches, points.seconds, strict=True)]
    assert line.worst_error == pytest.approx(max(errors))
    assert line.mean_error == pytest.approx(sum(errors) / 3)


def test_no_coefficient_is_negative():
    line = fit(curve((1, 2, 4), (0.01, 0.03, 0.09)))
    assert line.start_s == 0
    assert line.per_query_s > 0


def test_one_point_is_all_slope():
    assert (fit(curve((1,), (0.02,))).start_s, fit(curve((1,), (0.02,))).per_query_s) == (0, 0.02)
