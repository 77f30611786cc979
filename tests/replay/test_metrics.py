import numpy as np
import pandas as pd
import pytest
from scipy import stats

from splitshare.placement.objective import Route
from splitshare.replay.metrics import OVERALL, min_requests, percentile, request_metrics, utilisation
from splitshare.replay.simulator import simulate
from tests.replay.examples import example, trace_of


def requests_table(latency_s: list[float], names: list[str] | None = None, status: list[str] | None = None):
    arrival_s = np.arange(len(latency_s), dtype=float)
    return pd.DataFrame(
        {
            "request_id": np.arange(len(latency_s)),
            "request": names or ["k"] * len(latency_s),
            "arrival_s": arrival_s,
            "start_s": arrival_s,
            "finish_s": arrival_s + latency_s,
            "latency_s": latency_s,
            "status": status or ["ok"] * len(latency_s),
        }
    )


def test_a_percentile_is_loadgens() -> None:
    values = np.arange(1.0, 101.0)
    assert [percentile(values, p) for p in (50, 90, 95, 99)] == [51.0, 91.0, 96.0, 100.0]
    assert percentile(np.array([3.0]), 99) == 3.0
    # int(n * p) with p = 0.29 and n = 100 would be 28 in binary fractions.
    assert percentile(values, 29) == 30.0


@pytest.mark.parametrize("percent", [50, 90, 95, 99])
def test_a_percentile_needs_enough_requests(percent) -> None:
    published = {90: 64, 99: 662}  # MLPerf inference rules
    n = min_requests(percent)
    assert n == published.get(percent, n)
    above = 1 - percent / 100
    assert stats.binom.cdf(1, n, above) <= 0.01 < stats.binom.cdf(1, n - 1, above)


def test_too_few_requests_leave_a_percentile_open() -> None:
    row = request_metrics(requests_table([float(i) for i in range(64)])).iloc[0]
    assert (row["p50_s"], row["p90_s"]) == (32.0, 57.0)
    assert np.isnan(row["p95_s"])
    assert np.isnan(row["p99_s"])
    assert np.isnan(request_metrics(requests_table([float(i) for i in range(63)])).iloc[0]["p90_s"])


def test_classes_and_all_together() -> None:
    table = requests_table([1.0, 3.0, 2.0, 8.0], ["b", "a", "b", "b"])
    metrics = request_metrics(table, latency_limit_s=2.0).set_index("request")
    assert list(metrics.index) == ["a", "b", OVERALL]
    assert metrics["n"].tolist() == [1, 3, 4]
    assert metrics["mean_s"].tolist() == pytest.approx([3.0, 11 / 3, 3.5])
    assert metrics["slo_attainment"].tolist() == pytest.approx([0.0, 2 / 3, 0.5])  # the limit itself is met
    assert metrics["throughput_per_s"].tolist() == pytest.approx([1 / 11, 3 / 11, 4 / 11])  # from 0 to 3 + 8
    by_class = request_metrics(table, latency_limit_s={"a": 3.0, "b": 1.0})
    assert by_class["slo_attainment"].tolist() == pytest.approx([1.0, 1 / 3, 0.5])
    with pytest.raises(ValueError, match="'b'"):
        request_metrics(table, latency_limit_s={"a": 3.0})
    assert request_metrics(table)["slo_attainment"].isna().all()


def test_lost_requests_count_as_late_and_have_no_latency() -> None:
    table = requests_table([1.0, 1.0, 5.0], status=["ok", "dropped", "failed"])
    table.loc[1, ["finish_s", "latency_s"]] = np.nan
    row = request_metrics(table, latency_limit_s=10.0).iloc[-1]
    assert (row["n"], row["ok"], row["mean_s"]) == (3, 1, 1.0)
    assert row["slo_attainment"] == pytest.approx(1 / 3)


def test_the_warm_up_is_left_out_and_stated() -> None:
    table = requests_table([100.0, 100.0, 1.0, 2.0])
    row = request_metrics(table, warm_up_fraction=0.5).iloc[-1]
    assert (row["n"], row["mean_s"], row["warm_up_fraction"]) == (2, 1.5, 0.5)
    assert row["throughput_per_s"] == pytest.approx(2 / 3)  # from 2 to 3 + 2
    for fraction in (-0.1, 1.0):
        with pytest.raises(ValueError, match="warm_up_fraction"):
            request_metrics(table, warm_up_fraction=fraction)


def test_utilisation_is_busy_time_over_the_window() -> None:
    links = [{"a": "a", "b": b, "latency_s": 0.0, "bandwidth_bytes_per_s": 1e6, "cell": "air"} for b in ("b", "c")]
    instance = example(links=links)
    routes = {"pair": Route(("b", "c"), "a"), "single": Route(("b",), "a")}
    trace = trace_of(instance, [(0.0, "pair", 1.0), (1.0, "single", 1.0)])
    result = simulate(instance, routes, trace, link_model="serial")
    window_s = 1.0 + 0.1 + 0.2 + 0.001 + 0.01
    busy = utilisation(result.requests, result.stages, instance).set_index(["kind", "name"])
    expected = {
        ("device", "a"): 0.02,
        ("device", "b"): 0.4,
        ("device", "c"): 0.1,
        ("link", "a->b"): 0.2,
        ("link", "b->a"): 0.002,
        ("link", "a->c"): 0.05,
        ("link", "c->a"): 0.001,
        ("cell", "air"): 0.253,
    }
    assert list(busy.index) == list(expected)
    assert busy["busy_s"].tolist() == pytest.approx(list(expected.values()))
    assert busy["utilisation"].tolist() == pytest.approx([s / window_s for s in expected.values()])
    later = utilisation(result.requests, result.stages, instance, warm_up_fraction=0.5).set_index(["kind", "name"])
    assert later.loc[("device", "b"), "utilisation"] == pytest.approx(0.2 / 0.311)
    assert later.loc[("device", "c"), "busy_s"] == 0.0
