"""Emulated beside simulated: known offsets that are put into simulated tables must come back."""

import math

import numpy as np
import pytest

from splitshare.placement.instance import Assignment
from splitshare.placement.objective import evaluate
from splitshare.placement.what_if import with_compute_s
from splitshare.replay.emulator.fidelity import (
    METRICS,
    NEAR,
    SLO_FACTOR,
    busiest_demand_s,
    compare,
    idle_trace,
    measured_overheads,
)
from splitshare.replay.generators import poisson_trace
from splitshare.replay.metrics import OVERALL
from splitshare.replay.plan import IDEAL, Overheads
from splitshare.replay.simulator import simulate
from tests.replay.examples import example, request, trace_of

pytestmark = pytest.mark.alone

APART: Assignment = {"vision": ("b",), "text": ("c",), "head": ("c",)}
TOGETHER: Assignment = {"vision": ("b",), "text": ("b",), "head": ("c",)}
SINGLE_S = (0.1 + 0.001) + 0.2 + (0.001 + 0.001) + 0.01 + (0.00001 + 0.001)
"""Of one image: 100,000 bytes, the encoder, 1,000 bytes, the head, 10 bytes, at 1 Mbyte/s and 1 ms a link."""


@pytest.fixture
def instance():
    return example()


def worth(instance, assignment=APART):
    return evaluate(instance, assignment)


def compared(instance, trace, emulated, overheads=IDEAL):
    found = worth(instance)
    table = compare(instance, found.routes, trace, emulated, overheads, found.latency_s)
    return table.set_index(["request", "metric"])


def answered(instance, latencies_s, name="single"):
    """A trace of one class, and the requests table in which they took so long."""
    trace = trace_of(instance, [(10.0 * i, name, 1.0) for i in range(len(latencies_s))])
    requests = simulate(instance, worth(instance).routes, trace).requests
    return trace, requests.assign(
        latency_s=np.asarray(latencies_s), finish_s=requests["arrival_s"] + np.asarray(latencies_s)
    )


@pytest.mark.parametrize("assignment", [APART, TOGETHER])
@pytest.mark.parametrize(("message_s", "run_s"), [(0.0, 0.0), (0.003, 0.0), (0.0, 0.002), (0.0013, 0.0004)])
def test_overheads_of_idle_requests_come_back(instance, assignment, message_s, run_s):
    found = worth(instance, assignment)  # together: the text's input waits for the image on the link, and in the queue
    alone = idle_trace(instance, found.latency_s, 3)
    stages = simulate(instance, found.routes, alone, overheads=Overheads(message_s, run_s)).stages
    measured = measured_overheads(instance, found.routes, alone, stages)
    assert (measured.message_s, measured.run_s) == pytest.approx((message_s, run_s), abs=1e-12)


def test_an_emulation_that_is_ahead_has_no_negative_overheads(instance):
    found = worth(instance)
    alone = idle_trace(instance, found.latency_s, 2)
    stages = simulate(instance, found.routes, alone).stages
    stages["finish_s"] -= 0.0005
    assert measured_overheads(instance, found.routes, alone, stages) == Overheads(0.0, 0.0, signals=True)


def test_computing_is_no_overhead_however_slow_the_host(instance):
    """Every other run of the image encoder takes 0.45 or 0.55 s instead of 0.2, the rest is as profiled."""
    found = worth(instance)
    alone = idle_trace(instance, dict.fromkeys(found.latency_s, 2.0), 4)
    host = with_compute_s(instance, {(name, "vision", "b"): 0.5 for name in ("pair", "single")})
    stages = simulate(host, found.routes, alone, overheads=Overheads(0.002, 0.001)).stages
    slow = stages["device"] == "b"
    jitter_s = np.resize([-0.05, 0.05], slow.sum())
    stages.loc[slow, "finish_s"] += jitter_s
    place = stages.groupby("request_id").cumcount()
    runs = stages[stages["device"].notna()].assign(place=place, profiled_s=0.01)
    runs["wall_s"] = runs["finish_s"] - runs["start_s"] - 0.001
    runs.loc[runs["module"] == "vision", "profiled_s"] = 0.2
    runs.loc[runs["module"] == "text", ["profiled_s", "wall_s"]] = 0.1, 0.03  # this host is quicker here: it slept
    assert runs["wall_s"].max() == pytest.approx(0.55)
    measured = measured_overheads(host, found.routes, alone, stages, runs)
    assert measured.run_s == pytest.approx(0.001, abs=1e-12)
    assert measured.message_s == pytest.approx(0.002, abs=1e-12)


def test_idle_requests_meet_nobody(instance):
    found = worth(instance)
    trace = idle_trace(instance, found.latency_s, 3)
    assert trace.arrival_s[0] == 0
    assert [trace.classes[k] for k in trace.request_class] == ["pair", "single"] * 3
    result = simulate(instance, found.routes, trace).requests
    assert result["latency_s"].to_numpy() == pytest.approx([found.latency_s[n] for n in result["request"].astype(str)])
    assert np.diff(trace.arrival_s).min() > max(found.latency_s.values())


@pytest.mark.parametrize(
    ("changes", "seconds"),
    [
        ({}, 0.2),  # the image encoder runs for every request
        (
            {"requests": [request("pair", {"vision": 450_000, "text": 50_000}), request("single", {"vision": 9e4})]},
            0.27,
        ),
        ({"requests": [request("pair", {"text": 1}), request("single", {"vision": 0}, rate_per_s=3.0)]}, 0.15),
    ],
)
def test_the_busiest_device_or_link_by_the_mix(changes, seconds):
    """Second: (450 + 90) kbytes at 1 Mbyte/s in equal parts. Third: three in four requests ask 0.2 s of ``b``."""
    instance = example(**changes)
    assert busiest_demand_s(instance, worth(instance).routes) == pytest.approx(seconds)


@pytest.mark.parametrize("overheads", [IDEAL, Overheads(0.004, 0.002)])
def test_an_emulation_equal_to_the_simulation_has_no_error(instance, overheads):
    trace = poisson_trace(instance, 2.0, requests=700, seed=5)
    emulated = simulate(instance, worth(instance).routes, trace, overheads=overheads).requests
    table = compared(instance, trace, [emulated, emulated], overheads)
    assert len(table) == 3 * len(METRICS)
    told = table[table["emulated"].notna()]
    assert set(told.index.get_level_values("metric")) == set(METRICS)
    assert (told["error_with_overheads"] == 0).all()
    assert (told["error"] == 0).all() == (overheads == IDEAL)
    assert (told["emulated_low"].dropna() == told["emulated_high"].dropna()).all()


def test_an_error_is_relative_to_the_emulated_latency_and_shares_are_plain_differences(instance):
    """Half of the requests take 1.25 times as long as simulated, half three times, which is too long."""
    latencies_s = np.resize([1.25 * SINGLE_S, 3 * SINGLE_S], 40)
    trace, requests = answered(instance, latencies_s)
    table = compared(instance, trace, [requests])
    mean_s = (1.25 + 3) / 2 * SINGLE_S
    for name in ("single", OVERALL):
        row = table.loc[name, "mean_s"]
        assert row["emulated"] == pytest.approx(mean_s)
        assert row["simulated"] == pytest.approx(SINGLE_S)
        assert row["error"] == pytest.approx(SINGLE_S / mean_s - 1)
        assert table.loc[name, "p50_s"]["emulated"] == pytest.approx(3 * SINGLE_S)  # sorted[20] of 40
        assert math.isnan(table.loc[name, "p95_s"]["emulated"])  # 40 are too few
        shares = table.loc[name, "slo_attainment"]
        assert (shares["emulated"], shares["simulated"], shares["error"]) == (0.5, 1.0, 0.5)
    assert "pair" not in table.index


def test_the_spread_is_of_single_runs_and_the_value_of_all(instance):
    trace, requests = answered(instance, [0.4] * 12)
    runs = [requests.assign(latency_s=seconds) for seconds in (0.4, 0.5, 0.9)]
    row = compared(instance, trace, runs).loc["single", "mean_s"]
    assert tuple(row[["emulated", "emulated_low", "emulated_high"]]) == pytest.approx((0.6, 0.4, 0.9))
    assert (row["n"], row["runs"]) == (36, 3)


def test_what_hangs_on_thousandths_is_told(instance):
    limit_s = SLO_FACTOR * SINGLE_S
    shares = [0.5, 1 - 2 * NEAR, 1 - NEAR / 2, 1 - NEAR / 4, 1 + NEAR / 2, 1 + 2 * NEAR, 1.5, 0.7]
    trace, requests = answered(instance, [share * limit_s for share in shares])
    table = compared(instance, trace, [requests])
    row = table.loc["single", "slo_attainment"]
    assert row["near_limit"] == 3 / 8
    assert row["emulated"] == 5 / 8
    assert table.loc["single"].drop("slo_attainment")["near_limit"].isna().all()


def test_the_limit_is_off_the_latencies_that_gather_at_multiples():
    """One encoder and hardly any head on one device: a head waits for whole runs of those that came in the meantime.

    With 0.2 s a run and 2 requests a second 60 % find nobody, 27 % of them are followed by one, 5 % by two.
    """
    instance = example(
        modules=[
            {"name": n, "kind": "k", "memory_bytes": 1, "output_bytes": 0, "compute_s": {"a": s}}
            for n, s in (("vision", 0.2), ("head", 1e-5))
        ],
        requests=[request("single", {"vision": 0}, result_bytes=0)],
    )
    found = evaluate(instance, {"vision": ("a",), "head": ("a",)})
    trace = poisson_trace(instance, 2.0, requests=4000, seed=1)
    latency_s = simulate(instance, found.routes, trace).requests["latency_s"] / found.latency_s["single"]
    near = {factor: float(((latency_s / factor - 1).abs() <= NEAR).mean()) for factor in (2.0, SLO_FACTOR, 3.0)}
    assert near[2.0] > 0.15
    assert near[3.0] > 0.03
    assert near[SLO_FACTOR] < 0.02
