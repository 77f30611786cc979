"""What becomes of requests: each ends once, none is lost, tables say what happened and null what did not."""

import math

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from splitshare.errors import WorkError
from splitshare.placement.objective import Route
from splitshare.replay.emulator.outcome import STATUSES, Outcome, StageTimes, tables
from splitshare.replay.emulator.program import build_program
from tests.replay.examples import example, trace_of

INSTANCE = example()
ON_B = build_program(INSTANCE, {"single": Route(("b",), "b")}, {}, epoch=1)
ON_C = build_program(INSTANCE, {"single": Route(("c",), "a")}, {}, epoch=2)
PLACES = ("input", "encode", "send", "head", "result")


@given(st.lists(st.tuples(st.integers(0, 5), st.sampled_from(STATUSES)), max_size=30))
def test_the_first_end_counts(ends):
    outcome = Outcome()
    first: dict[int, str] = {}
    for time, (request, status) in enumerate(ends):
        assert outcome.end(request, status, float(time), status) is (request not in first)
        first.setdefault(request, status)
    counts = outcome.counts(len(first))
    assert counts == {status: list(first.values()).count(status) for status in STATUSES}
    assert sum(outcome.reasons().values()) == len(first) - counts["ok"]
    assert "ok" not in outcome.reasons()
    for issued in (len(first) + 1, len(first) - 1):
        with pytest.raises(WorkError, match=f"{issued} requests were issued, but .* the driver has lost some"):
            outcome.counts(issued)


def replayed():
    """One answered, one that failed on its way, one that was dropped, one of a second placement, in a batch of two."""
    outcome = Outcome()
    outcome.epoch |= {0: 1, 1: 1, 3: 2}
    times = [
        (0.0, 0.0, 0.101),
        (0.101, 0.101, 0.301),
        (0.301, 0.301, 0.301),
        (0.301, 0.302, 0.312),
        (0.312, 0.312, 0.4),
    ]
    for place, (ready_s, start_s, finish_s) in enumerate(times):
        outcome.stages[0, place] = StageTimes(ready_s, start_s, finish_s)
    outcome.stages[1, 0] = StageTimes(0.5, 0.6, 0.7)
    outcome.stages[3, 1] = StageTimes(1.6, 1.6, 1.9, batch=2)
    outcome.end(0, "ok", 0.4)
    outcome.end(1, "failed", 0.9, "b: died")
    outcome.end(2, "dropped", 1.0, "no placement without b")
    outcome.end(3, "ok", 2.0)
    return outcome


def test_tables_say_what_happened():
    trace = trace_of(INSTANCE, [(0.0, "single", 1.0), (0.5, "single", 1.0), (1.0, "single", 1.0), (1.5, "single", 1.0)])
    result = tables(trace, {1: ON_B, 2: ON_C}, replayed())
    requests = result.requests
    assert requests["request_id"].tolist() == [100, 101, 102, 103]
    assert requests["status"].astype(str).tolist() == ["ok", "failed", "dropped", "ok"]
    assert requests["finish_s"].tolist() == [0.4, 0.9, 1.0, 2.0]
    latency_s = requests["latency_s"].tolist()
    assert latency_s[0] == pytest.approx(0.4)
    assert latency_s[3] == pytest.approx(0.5)
    assert requests["latency_s"].isna().tolist() == [False, True, True, False]
    assert requests["start_s"].isna().tolist() == [False, False, True, False]
    stages = result.stages
    assert stages["request_id"].tolist() == [100] * 5 + [101] * 5 + [103] * 5  # what was dropped has none
    assert stages["stage"].astype(str).tolist() == list(PLACES) * 3
    first = stages.iloc[:5]
    assert first["device"].astype(object).tolist() == pytest.approx(
        [math.nan, "b", math.nan, "b", math.nan], nan_ok=True
    )
    assert first["link"].isna().tolist() == [False, True, True, True, False]
    # Of a transfer's time the link's latency is not time in which the link is held; a handover takes none.
    assert first["busy_s"].tolist() == pytest.approx([0.1, 0.2, 0.0, 0.01, 0.087])
    assert stages.iloc[6:10]["finish_s"].isna().all()
    moved = stages.iloc[11]
    assert moved["device"] == "c"
    assert moved["busy_s"] == pytest.approx(0.15)  # half of what the batch took


def test_no_table_without_an_end_for_each():
    trace = trace_of(INSTANCE, [(0.0, "single", 1.0)] * 5)
    with pytest.raises(WorkError, match="5 requests were issued"):
        tables(trace, {1: ON_B, 2: ON_C}, replayed())


def test_tables_can_be_written(tmp_path):
    trace = trace_of(INSTANCE, [(0.5 * i, "single", 1.0) for i in range(4)])
    tables(trace, {1: ON_B, 2: ON_C}, replayed()).write(tmp_path / "requests.parquet", tmp_path / "stages.parquet")
    assert len(pd.read_parquet(tmp_path / "requests.parquet")) == 4
    assert len(pd.read_parquet(tmp_path / "stages.parquet")) == 15
