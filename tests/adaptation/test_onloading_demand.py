"""Demand of clients for tasks from recorded requests and counts, held against counting by hand."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from splitshare.adaptation.onloading_demand import DemandMapping, counted_demand, recorded_demand
from splitshare.adaptation.onloading_timeline import Event, spans_of, state_of
from splitshare.errors import InputError
from splitshare.onloading.instance import OnloadingInstance
from splitshare.replay.arrival_counts import ArrivalCounts, read_arrival_counts
from splitshare.replay.public_traces import RecordedRequests, read_public_trace
from tests.adaptation.examples import COUNTS
from tests.onloading.examples import tiny

ROWS = "\n".join(
    ["arrival_s,user,tokens", "0,ann,10", "3,bob,900", "4,ann,20", "11,bob,30", "12,ann,800", "13,ann,5", "31,bob,1"]
)
MAPPING = {
    "schema": "splitshare.demand-mapping/1",
    "rules": [
        {"where": {"tokens": {"at_least": 500}}, "clients": ["c1"], "tasks": ["t1"]},
        {"where": {"user": "ann"}, "clients": ["c0"], "tasks": ["t0"]},
    ],
}


def pair() -> OnloadingInstance:
    """Two clients at one server."""
    instance: OnloadingInstance = tiny(3, clients=2)
    return instance


def read(path: Path, text: str = ROWS) -> RecordedRequests:
    (path / "rows.csv").write_text(text + "\n")
    return read_public_trace(path / "rows.csv")


def mapping(**changes: object) -> DemandMapping:
    return DemandMapping.parse(MAPPING | changes, "m.yaml")


def rates(instance: OnloadingInstance) -> np.ndarray:
    return np.array([[c.demand_per_s[t.name] for t in instance.tasks] for c in instance.clients])


def demand(recorded: RecordedRequests, rules: DemandMapping, spans: int = 3, *, as_recorded: bool = True) -> np.ndarray:
    """Requests a span, client and task, as they come out of the factors."""
    found = recorded_demand(
        pair(), recorded, spans, 10.0, mapping=rules, source="m.yaml", as_recorded=as_recorded, seed=0
    )
    counts: np.ndarray = found.factors * rates(pair()) * 10.0
    return counts


def test_requests_are_counted_by_client_task_and_span(tmp_path: Path) -> None:
    """Ann's short ones are c0's of t0: two, one, none; long ones c1's of t1: Bob's, then Ann's; Bob's short: none's."""
    counts = demand(read(tmp_path), mapping())
    by_hand = np.zeros((3, 2, 2))
    by_hand[:, 0, 0] = [2, 1, 0]
    by_hand[:, 1, 1] = [1, 1, 0]
    assert counts == pytest.approx(by_hand)
    found = recorded_demand(
        pair(), read(tmp_path), 3, 10.0, mapping=mapping(), source="m.yaml", as_recorded=False, seed=0
    )
    assert found.told[:2] == (
        "2 of 7 rows fit no rule and are left out",
        "1 of 7 requests come after the last span and are left out",
    )
    # Five requests in 30 s become the demand of the instance: one factor on all of them.
    assert found.factors * rates(pair()) * 10.0 == pytest.approx(by_hand * rates(pair()).sum() * 30 / 5)


def test_a_span_asks_what_was_counted(tmp_path: Path) -> None:
    instance = pair()
    found = recorded_demand(
        instance, read(tmp_path), 3, 10.0, mapping=mapping(), source="m.yaml", as_recorded=True, seed=0
    )
    timeline = spans_of(instance, (Event(10, "demand", "c1", "3"),), found.factors, 10.0)
    states = [state_of(instance, span) for span in timeline]
    asked = [None if state is None else [c.demand_per_s for c in state.clients] for state in states]
    assert asked[0] == [{"t0": pytest.approx(0.2), "t1": 0}, {"t0": 0, "t1": pytest.approx(0.1)}]
    assert asked[1] == [{"t0": pytest.approx(0.1), "t1": 0}, {"t0": 0, "t1": pytest.approx(0.3)}]
    assert asked[2] is None


def test_without_rules_requests_are_drawn_by_the_demand(tmp_path: Path) -> None:
    text = "arrival_s\n" + "\n".join(map(str, np.linspace(0, 29.9, 20_000)))
    counts = demand(read(tmp_path, text), mapping(rules=None))
    assert counts.sum(axis=(1, 2)) == pytest.approx([20_000 / 29.9 * 10] * 2 + [20_000 / 29.9 * 9.9], abs=3)
    assert counts.sum(axis=0) / 20_000 == pytest.approx(rates(pair()) / rates(pair()).sum(), abs=0.01)


@pytest.mark.parametrize("names", [[f"u{i % 7}" for i in range(60)], [str(i % 7) for i in range(60)]])
def test_rows_that_belong_together_are_of_one_client_and_task(names: list[str], tmp_path: Path) -> None:
    rows = [f"{i / 2},{name}" for i, name in enumerate(names)]
    counts = demand(read(tmp_path, "\n".join(["arrival_s,user", *rows])), mapping(rules=None, together="user"))
    total = counts.sum(axis=0).ravel()
    assert total.sum() == pytest.approx(60)
    # Each user has 8 or 9 of the requests: sums of whole users' counts are all that there can be.
    sizes = [names.count(name) for name in sorted(set(names))]
    sums = {sum(s for i, s in enumerate(sizes) if mask >> i & 1) for mask in range(2**7)}
    assert {round(value) for value in total.tolist()} <= sums
    assert (total > 0).sum() > 1


def test_counts_are_spread_evenly_within_their_bins() -> None:
    counted = ArrivalCounts(10.0, np.array([4, 0, 6]))
    found = counted_demand(pair(), counted, 2, 15.0, as_recorded=True)
    per_span = (found.factors * rates(pair())).sum(axis=(1, 2)) * 15.0
    assert per_span == pytest.approx([4.0, 6.0])
    found = counted_demand(pair(), counted, 4, 6.0, as_recorded=True)
    assert (found.factors * rates(pair())).sum(axis=(1, 2)) * 6.0 == pytest.approx([2.4, 1.6, 0, 0.4 * 6])
    # Every client and task has its share of the demand: one factor a span.
    assert np.ptp(found.factors, axis=(1, 2)) == pytest.approx(0.0)


def test_the_committed_trace_drives_the_demand() -> None:
    found = counted_demand(pair(), read_arrival_counts(COUNTS), 57, 60.0, as_recorded=True)
    by_hand = pd.read_csv(COUNTS)["arrivals"].to_numpy()[: 57 * 6].reshape(57, 6).sum(axis=1)
    assert (found.factors * rates(pair())).sum(axis=(1, 2)) * 60.0 == pytest.approx(by_hand)
    scaled = counted_demand(pair(), read_arrival_counts(COUNTS), 57, 60.0, as_recorded=False)
    assert (scaled.factors * rates(pair())).sum(axis=(1, 2)).mean() == pytest.approx(rates(pair()).sum())


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"rules": [{"clients": ["c7"]}]}, "rules[0].clients: unknown client 'c7'"),
        ({"rules": [{}, {"tasks": ["t7"]}]}, "rules[1].tasks: unknown task 't7'"),
        ({"rules": [{"where": {"tokns": {"at_least": 1}}}]}, "rules[0].where.tokns: unknown column 'tokns'"),
        ({"rules": [{"where": {"user": "eve"}}]}, "rules[0].where.user: no row has 'eve' there"),
        ({"rules": [{"clients": []}]}, "rules[0].clients: is empty; it needs at least one entry, or leave it out"),
        ({"rules": [{"tasks": []}]}, "rules[0].tasks: is empty; it needs at least one entry, or leave it out"),
        ({"rules": []}, "rules: is empty; it needs at least one entry, or leave it out"),
        ({"together": "usr"}, "together: unknown column 'usr'"),
        ({"rules": [{"where": {"tokens": {"at_least": 1e6}}}]}, "rules: no row within the spans fits any rule"),
    ],
)
def test_a_wrong_mapping_is_told(changes: dict[str, object], problem: str, tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        demand(read(tmp_path), mapping(**changes))
    assert problem in str(caught.value)


def test_a_timeline_is_no_longer_than_its_trace(tmp_path: Path) -> None:
    assert demand(read(tmp_path), mapping(), 4).shape[0] == 4
    with pytest.raises(InputError, match="in 31 s of arrivals; give 4 or fewer"):
        demand(read(tmp_path), mapping(), 5)
    with pytest.raises(InputError, match="in 30 s of arrivals; give 2 or fewer"):
        counted_demand(pair(), ArrivalCounts(10.0, np.array([4, 0, 6])), 3, 15.0, as_recorded=True)
    with pytest.raises(InputError, match="nothing was counted in them"):
        counted_demand(pair(), ArrivalCounts(10.0, np.array([0, 0, 6])), 2, 10.0, as_recorded=True)
