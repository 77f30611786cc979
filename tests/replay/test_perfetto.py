"""Timelines for Perfetto: fields as the format documents them, slices that do not overlap and add up to the use."""

import json
from collections import defaultdict
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from splitshare.errors import InputError
from splitshare.replay.batching import Batching
from splitshare.replay.generators import poisson_trace
from splitshare.replay.metrics import utilisation
from splitshare.replay.perfetto import Window, write_trace_events
from splitshare.replay.plan import LinkModel
from splitshare.replay.result import ReplayResult
from splitshare.replay.serving.rules import Serving
from splitshare.replay.simulator import simulate
from tests.replay.examples import example
from tests.replay.test_batching import curves_of
from tests.replay.test_simulator import APART, ON_B

REQUIRED = {
    "M": {"name", "pid", "args"},
    "X": {"name", "cat", "ts", "dur", "pid", "tid", "args"},
    "C": {"name", "ts", "pid", "args"},
    "s": {"name", "cat", "id", "ts", "pid", "tid"},
    "f": {"name", "cat", "id", "ts", "pid", "tid", "bp"},
}
"""What the format asks of each phase, by Google's description of it."""
EXAMPLE = example()


def replayed(link_model: LinkModel = "serial", rate: float = 3.0, requests: int = 300) -> ReplayResult:
    return simulate(EXAMPLE, APART, poisson_trace(EXAMPLE, rate, requests=requests, seed=5), link_model=link_model)


def events_of(path: Path, result: ReplayResult, window: Window | None = None) -> dict[str, list[dict[str, Any]]]:
    count = write_trace_events(path, result, EXAMPLE, window)
    written = json.loads(path.read_text())
    assert written["displayTimeUnit"] == "ms"
    by_phase: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for event in written["traceEvents"]:
        by_phase[event["ph"]].append(event)
    assert len(by_phase["X"]) == count
    return by_phase


def threads(events: dict[str, list[dict[str, Any]]]) -> dict[str, list[dict[str, Any]]]:
    """Slices by the name of their thread, by start."""
    names = {(e["pid"], e["tid"]): e["args"]["name"] for e in events["M"] if e["name"] == "thread_name"}
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in names.values()}
    assert len(found) == len(names)
    for event in sorted(events["X"], key=lambda event: event["ts"]):
        found[names[event["pid"], event["tid"]]].append(event)
    return found


def assert_disjoint(slices: list[dict[str, Any]]) -> None:
    for one, following in pairwise(slices):
        assert round(one["ts"] * 1000) + round(one["dur"] * 1000) <= round(following["ts"] * 1000)


def test_every_event_has_the_fields_of_its_phase(tmp_path: Path) -> None:
    events = events_of(tmp_path / "t.json", replayed())
    assert set(events) == set(REQUIRED)
    processes = {e["pid"]: e["args"]["name"] for e in events["M"] if e["name"] == "process_name"}
    assert set(processes.values()) == {"Devices", "Links", "Requests"}
    for phase, found in events.items():
        for event in found:
            assert set(event) >= REQUIRED[phase]
            assert event["pid"] in processes
            assert isinstance(event["name"], str)
            for number in ("ts", "dur"):
                assert event.get(number, 0) >= 0
    assert {e["name"] for e in events["M"]} == {
        *("process_name", "process_sort_index", "thread_name", "thread_sort_index")
    }
    for event in events["C"]:
        assert all(isinstance(value, int) and value >= 0 for value in event["args"].values())


def test_slices_are_the_stages_and_add_up_to_the_utilisation(tmp_path: Path) -> None:
    result = replayed()
    tracks = threads(events_of(tmp_path / "t.json", result))
    stages = result.stages
    assert set(tracks) == {"a", "b", "c", *stages["link"].dropna().unique()}
    span_s = result.requests["finish_s"].max() - result.requests["arrival_s"].min()
    busy = utilisation(result.requests, stages, EXAMPLE).set_index("name")["utilisation"]
    assert busy.max() > 0.3
    for name, slices in tracks.items():
        assert_disjoint(slices)
        assert sum(e["dur"] for e in slices) / 1e6 / span_s == pytest.approx(busy[name], abs=1e-8)
        held = stages[(stages["device"] == name) | (stages["link"] == name)].sort_values(["start_s", "request_id"])
        assert [e["ts"] / 1e6 for e in slices] == pytest.approx(held["start_s"].tolist(), abs=2e-9)
        assert sorted(e["args"]["request"] for e in slices) == sorted(held["request_id"])


def test_transfers_that_overlap_are_spread_over_threads(tmp_path: Path) -> None:
    result = replayed("independent", rate=20.0)
    tracks = threads(events_of(tmp_path / "t.json", result))
    assert "a->b (2)" in tracks
    shown = 0.0
    for name, slices in tracks.items():
        assert_disjoint(slices)
        shown += sum(e["dur"] for e in slices if name.startswith("a->b")) / 1e6
    assert shown == pytest.approx(result.stages.loc[result.stages["link"] == "a->b", "busy_s"].sum())


def test_runs_that_share_a_device_are_spread_and_tell_for_how_long_they_kept_it_busy(tmp_path: Path) -> None:
    trace = poisson_trace(EXAMPLE, 3.0, requests=200, seed=5)
    result = simulate(EXAMPLE, ON_B, trace, serving=Serving(queues={"b": "ps"}))
    tracks = threads(events_of(tmp_path / "t.json", result))
    assert "b (2)" in tracks
    on_b = [slices for name, slices in tracks.items() if name.split(" (")[0] == "b"]
    for slices in on_b:
        assert_disjoint(slices)
    told = sum(e["args"]["busy_s"] for slices in on_b for e in slices)
    assert told == pytest.approx(result.stages.loc[result.stages["device"] == "b", "busy_s"].sum())
    assert sum(e["dur"] for slices in on_b for e in slices) / 1e6 > told


def test_flows_lead_from_each_stage_to_what_waits_for_it(tmp_path: Path) -> None:
    result = replayed()
    events = events_of(tmp_path / "t.json", result)
    starts, ends = ({e["id"]: e for e in events[phase]} for phase in "sf")
    assert starts.keys() == ends.keys()
    slices = events["X"]

    def enclosing(event: dict[str, Any]) -> dict[str, Any]:
        (one,) = [
            e
            for e in slices
            if (e["pid"], e["tid"]) == (event["pid"], event["tid"]) and e["ts"] <= event["ts"] < e["ts"] + e["dur"]
        ]
        return one

    pairs: dict[int, list[tuple[str, str]]] = defaultdict(list)
    for number, start in list(starts.items())[:200]:
        before, after = enclosing(start), enclosing(ends[number])
        assert before["args"]["request"] == after["args"]["request"] == start["args"]["request"]
        assert before["args"]["done_at_s"] <= after["ts"] / 1e6 + 1e-8
        pairs[start["args"]["request"]].append((before["name"], after["name"]))
    classes = result.requests.set_index("request_id")["request"]
    whole = {number: sorted(found) for number, found in pairs.items() if classes[number] == "single"}
    # What the route of "single" does: input to b, encoder on b, its output to the head on its source.
    assert sorted(next(iter(whole.values()))) == sorted(
        [("input vision", "vision"), ("vision", "send vision"), ("send vision", "head")]
    )


def test_counters_are_the_queues(tmp_path: Path) -> None:
    result = replayed(rate=4.0)
    events = events_of(tmp_path / "t.json", result)
    stages = result.stages[result.stages["device"] == "b"]
    told = [(e["ts"] / 1e6, e["args"]["stages"]) for e in events["C"] if e["name"] == "waiting: b"]
    assert max(count for _, count in told) > 1
    for moment, count in told[1::7]:
        at = moment + 1e-8
        assert count == int(((stages["ready_s"] <= at) & (stages["start_s"] > at)).sum())
    under_way = [e["args"]["requests"] for e in events["C"] if e["name"] == "under way"]
    assert under_way[-1] == 0


def test_what_is_dropped_waits_until_it_is(tmp_path: Path) -> None:
    trace = poisson_trace(EXAMPLE, 6.0, requests=200, seed=5)
    result = simulate(EXAMPLE, ON_B, trace, serving=Serving(deadline_s={"pair": 2.0, "single": 1.0}))
    dropped = result.requests.set_index("request_id")["finish_s"][result.requests["status"].eq("dropped").to_numpy()]
    assert len(dropped) > 100
    stages = result.stages[result.stages["device"] == "b"]
    left_s = stages["start_s"].fillna(stages["request_id"].map(dropped))
    events = events_of(tmp_path / "t.json", result)
    told = [(e["ts"] / 1e6, e["args"]["stages"]) for e in events["C"] if e["name"] == "waiting: b"]
    assert told[-1][1] == 0
    for moment, count in told[1::5]:
        at = moment + 1e-8
        assert count == int(((stages["ready_s"] <= at) & (left_s > at)).sum())
    assert_disjoint(threads(events)["b"])


def test_a_window_holds_what_touches_it_with_the_queues_that_it_found(tmp_path: Path) -> None:
    result = replayed(rate=4.0)
    events = events_of(tmp_path / "t.json", result, Window(20.0, 30.0))
    held = result.stages[result.stages["device"].notna() | result.stages["link"].notna()]
    inside = held[(held["start_s"] < 30) & (held["start_s"] + held["busy_s"] >= 20)]
    assert len(events["X"]) == len(inside) < len(held)
    for event in events["C"]:
        assert 20e6 <= event["ts"] <= 30e6
    first = next(e for e in events["C"] if e["name"] == "under way")
    requests = result.requests
    assert first["args"]["requests"] == int(((requests["arrival_s"] <= 20) & (requests["finish_s"] > 20)).sum())
    with pytest.raises(InputError, match="the replay ends at"):
        write_trace_events(tmp_path / "n.json", result, EXAMPLE, Window(1e6))


def test_a_batch_is_one_slice_of_all_its_requests(tmp_path: Path) -> None:
    trace = poisson_trace(EXAMPLE, 8.0, requests=200, seed=5)
    result = simulate(EXAMPLE, ON_B, trace, batching=Batching(4, curves_of(EXAMPLE, {4: 1.5})))
    tracks = threads(events_of(tmp_path / "t.json", result))
    batches = [e for e in tracks["b"] if "requests" in e["args"]]
    assert batches
    assert_disjoint(tracks["b"])
    on_b = result.stages[result.stages["device"] == "b"]
    assert sum(e["dur"] for e in tracks["b"]) / 1e6 == pytest.approx(on_b["busy_s"].sum())
    numbers = [n for e in tracks["b"] for n in e["args"].get("requests", [e["args"].get("request")])]
    assert sorted(numbers) == sorted(on_b["request_id"])


def test_too_much_for_a_browser_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("splitshare.replay.perfetto.MOST_SLICES", 100)
    with pytest.raises(InputError, match="--from-s"):
        write_trace_events(tmp_path / "t.json", replayed(), EXAMPLE)
    assert not (tmp_path / "t.json").exists()
    assert write_trace_events(tmp_path / "t.json", replayed(), EXAMPLE, Window(0.0, 1.0)) <= 100
