"""Links that change, in the simulator: by hand, against a readable replay byte by byte, and what a file may say."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from splitshare.cli import app
from splitshare.errors import InputError
from splitshare.placement.objective import Route
from splitshare.replay.batching import Batching
from splitshare.replay.link_changes import LinkChanges, read_link_changes
from splitshare.replay.serving.rules import Serving
from splitshare.replay.simulator import simulate
from splitshare.replay.traces import write_trace
from tests.commands.test_replay import placement
from tests.replay.examples import example, trace_of

HEADER = "link,time_s,bandwidth_bytes_per_s,latency_s\n"
ROUTES = {"pair": Route(("b", "c"), "a"), "single": Route(("b",), "a")}


def written(folder: Path, *rows: str) -> Path:
    path = folder / "changes.csv"
    path.write_text(HEADER + "\n".join(rows) + "\n")
    return path


def test_a_transfer_goes_on_at_the_new_rate(tmp_path: Path) -> None:
    """100,000 bytes at 1 MB/s from 1 s on: half of them have left at 1.05 s, when the link falls to 0.1 MB/s.

    The rest takes 0.5 s; the last byte leaves at 1.55 s, when the latency is 0.2 s. The next request's picture follows
    at once and takes 1 s; the output comes back over a link that is as it was.
    """
    changes = read_link_changes(written(tmp_path, "a->b,1.05,100000,0.2"), example())
    trace = trace_of(example(), [(1.0, "single", 1.0), (1.1, "single", 1.0)])
    result = simulate(example(), ROUTES, trace, changes=changes)
    inputs = result.stages[result.stages["stage"] == "input"]
    assert inputs["start_s"].tolist() == pytest.approx([1.0, 1.55])
    assert inputs["finish_s"].tolist() == pytest.approx([1.55 + 0.2, 2.55 + 0.2])
    assert inputs["busy_s"].tolist() == pytest.approx([0.55, 1.0])
    sends = result.stages[result.stages["stage"] == "send"]
    assert (sends["finish_s"] - sends["start_s"]).tolist() == pytest.approx([0.002, 0.002])
    alone = simulate(example(), ROUTES, trace, changes=changes, keep_stages=False)
    pd.testing.assert_frame_equal(alone.requests, result.requests)


def test_nothing_leaves_during_an_outage(tmp_path: Path) -> None:
    changes = read_link_changes(written(tmp_path, "a--b,0.05,0,0.001", "a--b,9,1000000,0.001"), example())
    result = simulate(example(), ROUTES, trace_of(example(), [(0.0, "single", 1.0)]), changes=changes)
    assert result.stages["finish_s"].iloc[0] == pytest.approx(9.05 + 0.001)  # half had left


def leaves_s(times: list[float], rates: list[float], begin_s: float, size_bytes: float) -> float:
    """When the last byte has left, change by change."""
    now, left = begin_s, size_bytes
    for i, rate in enumerate(rates):
        end = times[i + 1] if i + 1 < len(times) else np.inf
        if end <= now:
            continue
        if rate > 0 and now + left / rate <= end:
            return now + left / rate
        left -= rate * (end - now)
        assume(left > 1e-6)  # of a last byte that leaves at the very moment of a change, rounding says when
        now = end
    raise AssertionError


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_every_transfer_leaves_when_it_should(data: st.DataObject) -> None:
    """First come, first served over a link that changes: each begins when it is ready and the one before has left."""
    count = data.draw(st.integers(1, 6))
    gaps = data.draw(st.lists(st.integers(1, 40), min_size=count, max_size=count))
    times = [0.0, *np.cumsum(gaps) / 100]
    rates = [1e6, *data.draw(st.lists(st.sampled_from([0.0, 1e5, 5e5, 3e6]), min_size=count, max_size=count))]
    rates[-1] = max(rates[-1], 2e5)
    latencies = [0.001, *data.draw(st.lists(st.sampled_from([0.0, 0.01, 0.3]), min_size=count, max_size=count))]
    changes = LinkChanges({"a->b": (np.array(times), np.array(rates), np.array(latencies))})
    arrivals = np.cumsum(data.draw(st.lists(st.integers(0, 30), min_size=1, max_size=12))) / 100
    sizes = [data.draw(st.sampled_from([0.0, 0.5, 1.0, 4.0])) for _ in arrivals]
    trace = trace_of(example(), [(float(t), "single", s) for t, s in zip(arrivals, sizes, strict=True)])
    result = simulate(example(), ROUTES, trace, changes=changes)
    inputs = result.stages[result.stages["stage"] == "input"].reset_index(drop=True)
    free = 0.0
    for i, size in enumerate(sizes):
        begin = max(float(arrivals[i]), free)
        gone = leaves_s(times, rates, begin, 100_000 * size) if size else begin
        at = int(np.searchsorted(times, gone + 1e-12, side="right")) - 1
        latency = latencies[at]
        assert inputs["start_s"][i] == pytest.approx(begin, abs=1e-9)
        assert inputs["busy_s"][i] == pytest.approx(gone - begin, abs=1e-9)
        if abs(gone - times[at]) > 1e-9:  # at the very moment of a change either latency is right
            assert inputs["finish_s"][i] == pytest.approx(gone + latency, abs=1e-9)
        free = gone
    alone = simulate(example(), ROUTES, trace, changes=changes, keep_stages=False)
    pd.testing.assert_frame_equal(alone.requests, result.requests)


def test_links_that_change_go_with_other_rules_of_serving(tmp_path: Path) -> None:
    rows = ("a->b,1.05,100000,0.2", "a->b,3,0,0.1", "a->b,4,900000,0", "b->a,2,1000,0.01")
    changes = read_link_changes(written(tmp_path, *rows), example())
    stream = np.random.default_rng(5)
    times = np.cumsum(stream.exponential(0.2, 300))
    trace = trace_of(example(), [(float(t), ("pair", "single")[i % 2], 1 + i % 3) for i, t in enumerate(times)])
    plain = simulate(example(), ROUTES, trace, changes=changes)
    never = simulate(example(), ROUTES, trace, changes=changes, serving=Serving(deadline_s={"pair": 1e9}))
    pd.testing.assert_frame_equal(plain.requests, never.requests)
    pd.testing.assert_frame_equal(plain.stages, never.stages)
    assert plain.load is not None
    assert never.load is not None
    pd.testing.assert_frame_equal(plain.load.resources, never.load.resources)
    some = simulate(example(), ROUTES, trace, changes=changes, serving=Serving(deadline_s={"pair": 1.0, "single": 1.0}))
    began = some.stages[some.stages["start_s"].notna()]
    assert (began["busy_s"] >= 0).all()
    assert set(some.requests["status"]) == {"ok", "dropped"}


def test_changes_to_what_it_was_change_nothing() -> None:
    trace = trace_of(example(), [(0.05 * i, ("pair", "single")[i % 2], 1.0) for i in range(40)])
    same = LinkChanges(
        {f"{a}->{b}": (np.zeros(1), np.array([1e6]), np.array([0.001])) for a in "abc" for b in "abc" if a != b}
    )
    for link_model in ("serial", "independent"):
        plain = simulate(example(), ROUTES, trace, link_model=link_model)
        changed = simulate(example(), ROUTES, trace, link_model=link_model, changes=same)
        pd.testing.assert_frame_equal(plain.requests, changed.requests)
        pd.testing.assert_frame_equal(plain.stages, changed.stages)


def test_the_load_is_of_the_mean_bandwidth(tmp_path: Path) -> None:
    changes = read_link_changes(written(tmp_path, "a->b,5,500000,0.001"), example())
    trace = trace_of(example(), [(float(i), "single", 1.0) for i in range(11)])
    load = simulate(example(), ROUTES, trace, changes=changes).load
    assert load is not None
    told = load.resources.set_index(["kind", "name"])["seconds_per_request"]
    assert told["link", "a->b"] == pytest.approx(100_000 / 750_000)


@pytest.mark.parametrize(
    ("rows", "problem"),
    [
        (["a--z,1,1,1"], "link, row 1: 'a--z' is no link of example; did you mean"),
        (["a,1,1,1"], "link, row 1"),
        (["a--b,1,1,1", "a->b,1,1,1"], "time_s, row 2: is not after the row above of a->b"),
        (["a--b,1,0,1"], "bandwidth_bytes_per_s, row 1: the last bandwidth of a link must be above 0"),
        (["a--b,1,1e-300,1"], "bandwidth_bytes_per_s, row 1: must be 0, an outage, or at least 0.001"),
        (["a--b,x,1,1"], "time_s, row 1"),
        (["a--b,1,-1,1"], "bandwidth_bytes_per_s, row 1"),
    ],
)
def test_a_mistake_in_a_file_is_named(rows: list[str], problem: str, tmp_path: Path) -> None:
    with pytest.raises(InputError) as error:
        read_link_changes(written(tmp_path, *rows), example())
    assert problem in str(error.value)


def test_the_command_replays_over_them(tmp_path: Path) -> None:
    example().write(tmp_path / "i.json")
    placement(example().sha256()).write(tmp_path / "p.json")
    write_trace(trace_of(example(), [(0.0, "single", 1.0)]), tmp_path / "t.parquet")
    path = written(tmp_path, "a--b,0,100000,0.001")
    asked = ["simulate", *(str(tmp_path / name) for name in ("i.json", "p.json", "t.parquet"))]
    done = CliRunner().invoke(app, [*asked, "-o", str(tmp_path / "r.parquet"), "--link-changes", str(path)])
    assert done.exit_code == 0, done.output
    slow = pd.read_parquet(tmp_path / "r.parquet")["latency_s"].iloc[0]
    CliRunner().invoke(app, [*asked, "-o", str(tmp_path / "r.parquet")])
    assert slow - pd.read_parquet(tmp_path / "r.parquet")["latency_s"].iloc[0] > 0.89  # 1 s in place of 0.1


def test_batches_are_refused() -> None:
    trace = trace_of(example(), [(0.0, "single", 1.0)])
    with pytest.raises(InputError, match="is for replays without batches"):
        simulate(example(), ROUTES, trace, batching=Batching(max_batch=2), changes=LinkChanges({}))


def drawn(folder: Path, *more: str) -> LinkChanges:
    example().write(folder / "i.json")
    asked = ["link-changes", str(folder / "i.json"), "-o", str(folder / "drawn.csv"), "--horizon-s", "20000", *more]
    done = CliRunner().invoke(app, asked)
    assert done.exit_code == 0, str(done.exception) + done.output
    return read_link_changes(folder / "drawn.csv", example())


def test_outages_take_the_share_of_time_that_they_should(tmp_path: Path) -> None:
    changes = drawn(tmp_path, "--kind", "outages", "--stay-s", "15", "--outage-s", "5", "--link", "a--b")
    assert set(changes.by_link) == {"a->b", "b->a"}
    times, rates, _ = changes.by_link["a->b"]
    down_s = np.diff(times)[rates[:-1] == 0].sum()
    assert down_s / 20_000 == pytest.approx(0.25, abs=0.03)
    assert set(rates) == {0.0, 1e6}
    assert rates[-1] == 1e6
    again = drawn(tmp_path, "--kind", "outages", "--stay-s", "15", "--outage-s", "5")
    assert again.by_link["a->b"][0].tolist() == times.tolist()  # a link's draws are its own, whoever else changes
    assert len(again.by_link) == 6


def test_levels_are_gone_through_as_by_the_chain(tmp_path: Path) -> None:
    """Inner levels are left for either side, outer ones for the inside: in the long run 1/6, 1/3, 1/3, 1/6."""
    times, rates, _ = drawn(tmp_path, "--kind", "markov", "--stay-s", "2").by_link["a->b"]
    stay_s = pd.Series(np.diff(times)).groupby(rates[:-1]).sum() / times[-1]
    assert stay_s.index.tolist() == [1e5, 2.5e5, 5e5, 1e6]
    assert stay_s.to_numpy() == pytest.approx([1 / 6, 1 / 3, 1 / 3, 1 / 6], abs=0.03)
    steps = np.abs(np.diff(np.searchsorted([1e5, 2.5e5, 5e5, 1e6], rates[:-1])))
    assert set(steps.tolist()) == {1}


@pytest.mark.parametrize(
    ("more", "problem"),
    [
        (["--link", "a--z"], "is no link of example"),
        (["--stay-s", "0.001"], "more than a million changes"),
        (["--horizon-s", "0.001"], "so short that nothing changes"),
    ],
)
def test_what_cannot_be_drawn_is_told(more: list[str], problem: str, tmp_path: Path) -> None:
    example().write(tmp_path / "i.json")
    asked = ["link-changes", str(tmp_path / "i.json"), "-o", str(tmp_path / "o.csv"), "--kind", "markov"]
    done = CliRunner().invoke(app, [*asked, "--horizon-s", "1000", *more])
    assert problem in str(done.exception) + done.output
    assert not (tmp_path / "o.csv").exists()
