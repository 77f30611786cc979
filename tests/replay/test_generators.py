from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from splitshare.errors import InputError
from splitshare.replay.arrival_counts import read_arrival_counts
from splitshare.replay.generators import bursty_trace, poisson_trace, trace_at
from tests.replay.examples import example

COUNTS = Path(__file__).parents[2] / "data" / "traces" / "azure_llm_2023_code_arrivals_per_10s.csv"


def variation(times: np.ndarray) -> float:
    """Coefficient of variation of the inter-arrival times."""
    gaps = np.diff(times)
    return float(gaps.std() / gaps.mean())


def test_poisson_gaps_are_exponential_and_classes_follow_the_rates() -> None:
    trace = poisson_trace(example(), 5.0, requests=20_000, seed=3)
    gaps = np.diff(trace.arrival_s, prepend=0.0)
    assert stats.kstest(gaps, stats.expon(scale=1 / 5.0).cdf).pvalue > 0.01
    shares = np.bincount(trace.request_class) / len(trace)
    assert trace.classes == ("pair", "single")
    assert shares == pytest.approx([0.25, 0.75], abs=4 * np.sqrt(0.25 * 0.75 / 20_000))  # rates 1 and 3
    # A class does not foretell the next one or the gap before it.
    assert abs(np.corrcoef(trace.request_class[1:], trace.request_class[:-1])[0, 1]) < 4 / np.sqrt(20_000)
    assert abs(np.corrcoef(trace.request_class, gaps)[0, 1]) < 4 / np.sqrt(20_000)


def test_poisson_counts_within_a_horizon() -> None:
    counts = [len(poisson_trace(example(), 2.0, horizon_s=50.0, seed=seed)) for seed in range(200)]
    assert np.mean(counts) == pytest.approx(100, abs=4 * 10 / np.sqrt(200))
    assert np.var(counts) == pytest.approx(100, abs=4 * 100 * np.sqrt(2 / 200))
    trace = poisson_trace(example(), 2.0, horizon_s=50.0, seed=1)
    assert 0 <= trace.arrival_s[0] <= trace.arrival_s[-1] < 50.0


@pytest.mark.parametrize("make", ["poisson", "bursty"])
def test_a_seed_is_a_trace(make) -> None:
    def times(seed: int) -> tuple[list[float], list[int]]:
        if make == "poisson":
            trace = poisson_trace(example(), 1.0, requests=50, seed=seed)
        else:
            trace = bursty_trace(COUNTS, example(), 1.0, requests=50, seed=seed)
        return trace.arrival_s.tolist(), trace.request_class.tolist()

    assert times(4) == times(4)
    assert times(4)[0] != times(5)[0]
    assert times(4)[1] != times(5)[1]


def test_the_recorded_counts_are_what_the_data_card_says() -> None:
    counts = read_arrival_counts(COUNTS)
    arrivals = counts.arrivals
    assert (counts.width_s, len(arrivals), arrivals.sum(), arrivals.max()) == (10.0, 344, 8819, 327)
    assert np.sum(arrivals == 0) == 193
    assert arrivals.var() / arrivals.mean() == pytest.approx(71, abs=0.5)
    trace = bursty_trace(COUNTS, example(), 2.56, requests=8819, seed=0)
    assert variation(trace.arrival_s) == pytest.approx(12.0, abs=0.1)


@pytest.mark.parametrize("rate_per_s", [0.5, 40.0])
def test_a_bursty_trace_keeps_the_recorded_bins_at_any_rate(rate_per_s) -> None:
    counts = read_arrival_counts(COUNTS)
    total = int(counts.arrivals.sum())
    trace = bursty_trace(COUNTS, example(), rate_per_s, requests=2 * total, seed=9)
    # The window is two passes and the little until the third one's first arrival; places within a bin are random.
    bins = 2 * len(counts.arrivals)
    recorded = np.concatenate([[0], np.cumsum(np.tile(counts.arrivals, 2))])
    expected = np.interp(trace.arrival_s * rate_per_s / len(trace) * bins, np.arange(bins + 1), recorded)
    assert np.max(np.abs(expected - np.arange(len(trace)))) < 0.005 * len(trace)
    slow = bursty_trace(COUNTS, example(), 1.0, requests=2 * total, seed=9)
    assert trace.arrival_s == pytest.approx(slow.arrival_s / rate_per_s, rel=1e-12)
    assert variation(trace.arrival_s) > 10


def test_a_part_of_the_record_has_the_asked_rate_too() -> None:
    trace = bursty_trace(COUNTS, example(), 8.0, horizon_s=60.0, seed=2)
    assert len(trace) == 480
    assert 0.9 * 60 < trace.arrival_s[-1] < 60.0


def test_given_times_are_kept_or_stretched() -> None:
    times_s = np.array([0.0, 2e-7, 60.5])
    assert trace_at(example(), times_s, seed=0).arrival_s.tolist() == [0.0, 2e-7, 60.5]
    assert trace_at(example(), times_s, rate_per_s=0.5, seed=0).arrival_s[-1] == pytest.approx(3 / 0.5)


@pytest.mark.parametrize(
    ("rows", "field", "problem"),
    [
        ("0,1\n10,1\n30,1\n", "start_s, row 3", "must be 20"),
        ("5,1\n10,1\n", "start_s, row 1", "must be 0"),
        ("0,1\n", "start_s", "two bins"),
        ("0,0\n10,0\n", "arrivals", "nothing ever arrives"),
        ("0,1\n10,1.5\n", "arrivals, row 2", "whole number"),
    ],
)
def test_counts_with_gaps_are_refused(tmp_path, rows, field, problem) -> None:
    path = tmp_path / "counts.csv"
    path.write_text("start_s,arrivals\n" + rows)
    with pytest.raises(InputError, match=problem) as error:
        read_arrival_counts(path)
    assert error.value.field == field


@pytest.mark.parametrize(
    ("arguments", "source"),
    [
        ({"rate_per_s": 0.0, "requests": 1}, "rate_per_s"),
        ({"rate_per_s": float("nan"), "requests": 1}, "rate_per_s"),
        ({"rate_per_s": 1.0}, "requests, horizon_s"),
        ({"rate_per_s": 1.0, "requests": 1, "horizon_s": 1.0}, "requests, horizon_s"),
        ({"rate_per_s": 1.0, "requests": 0}, "requests"),
        ({"rate_per_s": 1.0, "horizon_s": -1.0}, "horizon_s"),
        ({"rate_per_s": 1.0, "horizon_s": 1e-9}, "horizon_s"),
        ({"rate_per_s": 1.0, "requests": 1, "seed": -1}, "seed"),
    ],
)
def test_arguments_out_of_range_are_refused(arguments, source) -> None:
    given = {"seed": 0} | arguments
    for make in (lambda: poisson_trace(example(), **given), lambda: bursty_trace(COUNTS, example(), **given)):
        with pytest.raises(InputError) as error:
            make()
        assert error.value.source == source
    with pytest.raises(InputError):
        trace_at(example(), np.zeros(2), rate_per_s=1.0, seed=0)
