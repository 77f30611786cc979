"""Placement as things change: steps by hand, hindsight against brute force, decisions against their replay."""

import itertools
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from splitshare.adaptation.policies import Anew, Repair, Seen, Stay, Worth, first_placement
from splitshare.adaptation.replay import moves_of, replayable
from splitshare.adaptation.run import HINDSIGHT, Lived, live, over_time, summary
from splitshare.adaptation.steps import Rules, step, survivors
from splitshare.adaptation.timeline import Event, Span, churn_table, read_events, spans, state_of
from splitshare.cli import app
from splitshare.errors import InputError
from splitshare.placement.contract import load
from splitshare.placement.instance import PlacementInstance
from splitshare.placement.objective import evaluate, memory_by_device
from splitshare.placement.run import solve
from splitshare.replay.link_changes import LinkChanges, read_link_changes
from splitshare.replay.simulator import simulate
from splitshare.replay.traces import write_trace
from tests.adaptation.wrong import complaint
from tests.commands.test_replay import placement
from tests.replay.examples import example, fields, module, request, trace_of

HOME = {"vision": "b", "text": "b", "head": "a"}
RULES = Rules(store="a")


def heavy() -> PlacementInstance:
    """The example with modules of 1 MB: a move takes a second and a millisecond."""
    modules = [
        module("vision", a=None, b=0.2, c=0.3),
        module("text", a=None, b=0.1, c=0.1),
        module("head", a=0.01, b=0.01, c=0.01),
    ]
    for one in modules:
        one["memory_bytes"] = 1e6
    return example(modules=modules, devices=[{"name": name, "memory_bytes": 2e6} for name in "abc"])


def of(*events: Event, horizon_s: float = 100.0, changes: LinkChanges | None = None) -> tuple[Span, ...]:
    return spans(heavy(), events, changes, horizon_s)


def test_time_is_cut_where_something_changes(tmp_path: Path) -> None:
    (tmp_path / "l.csv").write_text(
        "link,time_s,bandwidth_bytes_per_s,latency_s\na--b,20,0,0.001\na--b,30,500000,0.001\n"
    )
    changes = read_link_changes(tmp_path / "l.csv", heavy())
    events = (Event(10, "leaves", "c"), Event(20, "rate", "pair", 0.0), Event(25, "slows", "b", 2.0))
    found = of(*events, Event(40, "joins", "c"), horizon_s=60, changes=changes)
    assert [(one.start_s, one.end_s) for one in found] == [(0, 10), (10, 20), (20, 25), (25, 30), (30, 40), (40, 60)]
    states = [state_of(heavy(), one) for one in found]
    first, second, third, _, fifth, last = (one.instance for one in states)
    assert first is not None
    assert second is not None
    assert fifth is not None
    assert last is not None
    assert [d.name for d in second.devices] == ["a", "b"]
    assert third is None  # nothing leads from a to a device that runs vision
    assert states[2].unserved_per_s == 3.0  # of single; pair is not asked
    assert [r.name for r in fifth.requests] == ["single"]
    assert fifth.comm_s("a", "b", 500_000) == pytest.approx(1.001)
    assert fifth.modules_by_name["vision"].compute_s["b"] == pytest.approx(0.4)
    assert [m.name for m in fifth.modules] == ["vision", "head"]
    assert [d.name for d in last.devices] == ["a", "b", "c"]


def test_a_class_changes_over_when_its_modules_have_arrived() -> None:
    """b leaves; vision (from the store, 1.001 s) and text after it go to c.

    Of 10 s, single (3/s) is served for 10 - 1.001, pair (1/s) for 10 - 2.002.
    """
    (_, span) = of(Event(5, "leaves", "b"), horizon_s=15)
    target = {"vision": "c", "text": "c", "head": "a"}
    state = state_of(heavy(), span)
    assert state.instance is not None
    done = step(heavy(), state, span, HOME, target, RULES)
    assert [(m.module, m.giver, m.taker) for m in done.moves] == [("vision", "a", "c"), ("text", "a", "c")]
    assert [m.arrives_s for m in done.moves] == pytest.approx([6.001, 7.002])
    assert done.asked == pytest.approx(40)
    assert done.unserved == pytest.approx(3 * 1.001 + 2.002)
    latency_s = evaluate(state.instance, {m: (d,) for m, d in target.items()}).latency_s
    waited_s = 3 * (10 - 1.001) * latency_s["single"] + (10 - 2.002) * latency_s["pair"]
    assert done.waited_s == pytest.approx(waited_s)
    assert done.held == target
    assert done.moved_bytes == 2e6
    rules = Rules(store="a", unserved_s=7.0, s_per_gb=100.0, load_bytes_per_s=1e6)
    slower = step(heavy(), state, span, HOME, target, rules)
    assert [m.arrives_s for m in slower.moves] == pytest.approx([7.001, 9.002])
    assert slower.cost_s(rules) == pytest.approx(slower.waited_s + 7 * (3 * 2.001 + 4.002) + 0.2)


def test_a_move_that_does_not_end_is_given_up_and_memory_holds() -> None:
    """vision and head change places with text: the first arrives within the span, where there is no room for it yet."""
    base = heavy()
    home = {"vision": "b", "text": "b", "head": "c"}
    span = Span(0.0, 1.5)
    done = step(base, state_of(base, span), span, home, {"vision": "b", "text": "c", "head": "b"}, RULES)
    assert [m.arrives_s for m in done.moves] == pytest.approx([1.001, 1.001])
    assert done.held == {"vision": "b", "text": "c", "head": "b"}
    short = Span(0.0, 1.0)
    assert step(base, state_of(base, short), short, home, {"text": "c", "head": "b"}, RULES).held == home


EVENTS = st.lists(
    st.tuples(st.floats(0, 60), st.sampled_from("bc")).map(lambda pair: (round(pair[0], 2), pair[1])), max_size=7
)


def churn(draws: list[tuple[float, str]]) -> tuple[Event, ...]:
    """Each time that a device is drawn it goes, or comes back."""
    away: set[str] = set()
    found = []
    for time, name in sorted(draws):
        found.append(Event(time, "joins" if name in away else "leaves", name))
        away ^= {name}
    return tuple(found)


@given(EVENTS, st.sampled_from([0.2, 2.0, 60.0]))
@settings(deadline=None, max_examples=25)
def test_no_policy_breaks_memory_and_hindsight_is_the_least(draws: list[tuple[float, str]], unserved_s: float) -> None:
    base, rules = heavy(), Rules(store="a", unserved_s=unserved_s)
    timeline = spans(base, churn(draws), None, 61.0)
    greedy = load("s2m3-greedy")
    lived = live(base, timeline, HOME, [Stay(HOME), Repair(), Anew(greedy), Worth(greedy)], rules)
    for one in lived:
        assert len(one.steps) == len(timeline)
        for span, done in zip(timeline, one.steps, strict=True):
            used = memory_by_device(base, {m: (d,) for m, d in done.held.items()})
            assert all(used[d.name] <= d.memory_bytes for d in base.devices)
            assert not set(done.held.values()) & span.away
            assert -1e-9 <= done.unserved <= done.asked + 1e-9
    costs = {one.policy: one.cost_s(rules) for one in lived}
    assert costs[HINDSIGHT] <= min(costs.values()) + 1e-9
    table = summary(lived, rules).set_index("policy")
    assert (table["regret"] >= 0).all()  # not -2e-16
    time_s = over_time(lived, timeline).groupby("policy").apply(lambda own: (own["end_s"] - own["start_s"]).sum())
    assert time_s.to_numpy() == pytest.approx(61.0)


def test_hindsight_is_the_best_of_all_sequences() -> None:
    """Every sequence of the three policies' decisions, one by one."""
    base, rules = heavy(), Rules(store="a", unserved_s=1.0)
    timeline = of(Event(3, "leaves", "b"), Event(6, "joins", "b"), Event(7, "leaves", "c"), horizon_s=12)
    greedy = load("s2m3-greedy")
    lived = live(base, timeline, HOME, [Stay(HOME), Repair(), Anew(greedy)], rules)
    states = [state_of(base, span) for span in timeline]
    targets: list[dict[str, str]] = []
    for policy in (Stay(HOME), Repair(), Anew(greedy)):
        held = dict(HOME)
        for i, (span, state) in enumerate(zip(timeline, states, strict=True)):
            known = tuple(one.start_s for one in timeline[: i + 1])
            target = policy.decide(Seen(base, state, span, survivors(held, span), known, rules))
            targets += [] if target in targets else [target]
            held = step(base, state, span, held, target, rules).held
    least = np.inf
    for choice in itertools.product(targets, repeat=len(timeline)):
        held, cost_s = dict(HOME), 0.0
        for span, state, target in zip(timeline, states, choice, strict=True):
            possible = {m: d for m, d in target.items() if d not in span.away}
            done = step(base, state, span, held, possible, rules)
            held, cost_s = done.held, cost_s + done.cost_s(rules)
        least = min(least, cost_s)
    assert lived[-1].cost_s(rules) == pytest.approx(least)


def test_a_lone_request_takes_in_the_replay_what_was_reckoned() -> None:
    base = heavy()
    timeline = of(Event(20, "leaves", "b"), Event(50, "slows", "c", 3.0), Event(70, "joins", "b"), horizon_s=100)
    greedy = load("s2m3-greedy")
    lived = live(base, timeline, HOME, [Anew(greedy)], RULES)[0]
    trace = trace_of(base, [(t, "pair" if i % 2 else "single", 1.0) for i, t in enumerate(range(1, 99, 4))])
    asked = replayable(base, timeline, lived, trace)
    assert asked is not None
    worth = evaluate(asked.instance, asked.assignment)
    done = simulate(asked.instance, worth.routes, asked.trace, link_model="independent")  # as the evaluator has it
    table = done.requests
    served = table[~table["request"].isin(asked.moves)]
    assert len(served) + asked.unserved == len(trace)
    stretches = [s for one in lived.steps for s in one.stretches]
    rows = zip(served["request"].astype(str), served["arrival_s"].tolist(), served["latency_s"].tolist(), strict=True)
    for version, arrival_s, latency_s in rows:
        name = version.split("@")[0]
        here = next(s for s in stretches if s.request == name and s.start_s <= arrival_s < s.end_s)
        assert latency_s == pytest.approx(here.latency_s)
    moves = table[table["request"].isin(asked.moves)]
    planned = [m for one in lived.steps for m in one.moves]
    assert len(moves) == len(planned) > 0
    last = done.stages[done.stages["stage"] == "encode"]
    arrived = last[last["request"].isin(asked.moves)].sort_values("request_id")["finish_s"]
    assert arrived.to_numpy() == pytest.approx([m.arrives_s for m in planned])
    lost = [t for t in trace.arrival_s if 20 <= t < 22.002]
    assert asked.unserved == len(lost)


def long(name: str, length: int = 120) -> str:
    return name + "x" * (length - len(name))


def with_long_names(said: Any) -> Any:
    """Plain data with all names of modules, classes and devices as long as names may be."""
    names = {"a", "b", "c", "vision", "text", "head", "pair", "single"}
    if isinstance(said, list):
        return [with_long_names(one) for one in said]
    if isinstance(said, dict):
        by_device = said.keys() <= set("abc") and not set(map(type, said.values())) & {str}
        return {long(key) if by_device else key: with_long_names(value) for key, value in said.items()}
    return long(said) if said in names else said


def test_names_as_long_as_they_may_be_are_replayed_like_short_ones() -> None:
    base = heavy()
    other = PlacementInstance.parse(with_long_names(json.loads(base.to_json())), "long")
    arrivals = [(float(t), "pair" if t % 2 else "single", 1.0) for t in range(1, 99, 3)]
    found = []
    for instance, name in ((base, str), (other, long)):
        events = (Event(20, "leaves", name("b")), Event(50, "slows", name("c"), 3.0), Event(70, "joins", name("b")))
        home = {name(module): name(device) for module, device in HOME.items()}
        timeline = spans(instance, events, None, 100.0)
        lived = live(instance, timeline, home, [Anew(load("s2m3-greedy"))], Rules(store=name("a")))[0]
        asked = replayable(instance, timeline, lived, trace_of(instance, [(t, name(c), s) for t, c, s in arrivals]))
        assert asked is not None
        routes = evaluate(asked.instance, asked.assignment).routes
        found.append((asked, simulate(asked.instance, routes, asked.trace).requests))
    (short, first), (asked, second) = found
    assert len(asked.moves) == len(short.moves) > 1
    assert len(asked.instance.modules) == len(short.instance.modules)
    assert len(asked.trace.classes) == len(short.trace.classes)
    assert second["latency_s"].tolist() == first["latency_s"].tolist()


def test_a_class_may_be_called_like_a_move() -> None:
    base = example(requests=[request("move1-vision", {"vision": 100_000})])
    timeline = spans(base, (Event(5, "leaves", "b"),), None, 20.0)
    home = {"vision": "b", "head": "a"}
    lived = live(base, timeline, home, [Repair()], RULES)[0]
    asked = replayable(base, timeline, lived, trace_of(base, [(1.0, "move1-vision", 1.0), (9.0, "move1-vision", 1.0)]))
    assert asked is not None
    assert asked.unserved == 0
    assert {name.partition("@")[0] for name in set(asked.trace.classes) - asked.moves} == {"move1-vision"}
    assert len(asked.moves) == sum(len(one.moves) for one in lived.steps) > 0


def test_moves_and_requests_wait_for_each_other() -> None:
    """A request that comes while a module travels over its link waits until the module is there."""
    base = heavy()
    timeline = of(horizon_s=10)
    target = {"vision": "c", "text": "b", "head": "a"}
    done = step(base, state_of(base, timeline[0]), timeline[0], {"text": "b", "head": "a"}, target, RULES)
    lived = Lived("mine", (done,), (0.0,))
    (stretch,) = [s for s in done.stretches if s.request == "single" and s.route is not None]
    asked = replayable(base, timeline, lived, trace_of(base, [(1.0005, "pair", 1.0), (1.002, "single", 1.0)]))
    assert asked is not None
    assert asked.unserved == 1
    worth = evaluate(asked.instance, asked.assignment)
    table = simulate(asked.instance, worth.routes, asked.trace).requests
    latency_s = table.set_index("request")["latency_s"]
    assert latency_s["single@1"] == pytest.approx(stretch.latency_s)


@pytest.mark.parametrize(
    ("rows", "problem"),
    [
        ("1,leaves,z,", "'z' is no device"),
        ("1,rate,b,3", "'b' is no request class"),
        ("1,slows,b,", "value, row 1: must be a number"),
        ("1,slows,b,0", "value, row 1: must be 0.001 to 1e+06"),
    ],
)
def test_a_wrong_event_is_told_with_its_row(rows: str, problem: str, tmp_path: Path) -> None:
    assert problem in complaint(lambda path: read_events(path, heavy()), rows, tmp_path)


def test_a_link_that_changes_one_way_is_refused(tmp_path: Path) -> None:
    (tmp_path / "l.csv").write_text("link,time_s,bandwidth_bytes_per_s,latency_s\na->b,20,5,0.001\n")
    with pytest.raises(InputError, match="the same both ways"):
        of(changes=read_link_changes(tmp_path / "l.csv", heavy()))


def test_devices_are_away_for_their_share_of_the_time() -> None:
    table = churn_table(heavy(), devices=[], horizon_s=40_000, stay_s=30, away_s=10, seed=1)
    assert set(table["name"]) == {"b", "c"}  # requests come from a
    own = table[table["name"] == "b"]["time_s"].to_numpy()
    assert (own[1::2] - own[: len(own) // 2 * 2 : 2]).sum() / 40_000 == pytest.approx(0.25, abs=0.02)


def test_the_commands(tmp_path: Path) -> None:
    base = heavy()
    base.write(tmp_path / "i.json")
    asked = ["device-changes", str(tmp_path / "i.json"), "-o", str(tmp_path / "e.csv"), "--horizon-s", "200"]
    done = CliRunner().invoke(app, [*asked, "--stay-s", "40", "--away-s", "10", "--seed", "3"])
    assert done.exit_code == 0, str(done.exception) + done.output
    write_trace(trace_of(base, [(t, "single", 1.0) for t in range(0, 190, 10)]), tmp_path / "t.parquet")
    asked = ["adapt", str(tmp_path / "i.json"), "--horizon-s", "200", "-o", str(tmp_path / "out")]
    asked += ["--events", str(tmp_path / "e.csv")]
    done = CliRunner().invoke(app, [*asked, "--trace", str(tmp_path / "t.parquet"), "--plot", str(tmp_path / "fig")])
    assert done.exit_code == 0, str(done.exception) + done.output
    table = pd.read_csv(tmp_path / "out" / "policies.csv")
    assert table["policy"].tolist() == ["stay", "repair", "anew", "worth", HINDSIGHT]
    assert (tmp_path / "fig" / "adaptation.png").exists()
    kept = tmp_path / "out" / "replay" / "worth"
    again = ["simulate", *(str(kept / name) for name in ("instance.json", "placement.json", "trace.parquet"))]
    done = CliRunner().invoke(app, [*again, "-o", str(tmp_path / "r.parquet")])
    assert done.exit_code == 0, str(done.exception) + done.output
    own = pd.read_parquet(tmp_path / "r.parquet")
    own = own[~own["request"].isin(moves_of(PlacementInstance.read(kept / "instance.json")))]
    assert own["latency_s"].mean() == pytest.approx(table.set_index("policy").loc["worth", "replayed_mean_s"])
    for more, problem in [
        (["--policy", "move"], "is not known; "),
        (["--policy", "stay", "--policy", "stay"], "is there twice"),
        (["--store", "z"], "is no device"),
        (["--store", "b"], "leaves; name a device that stays"),
    ]:
        wrong = CliRunner().invoke(app, [*asked, *more])
        assert problem in str(wrong.exception) + wrong.output
    PlacementInstance.parse(fields(replication=True), "x").write(tmp_path / "i.json")
    wrong = CliRunner().invoke(app, asked)
    assert "moving is of modules that stand once" in str(wrong.exception)


def test_a_policy_that_serves_nothing_does_not_hide_the_others(tmp_path: Path) -> None:
    heavy().write(tmp_path / "i.json")
    (tmp_path / "e.csv").write_text("time_s,what,name\n0,leaves,b\n")
    write_trace(trace_of(heavy(), [(9.0, "single", 1.0)]), tmp_path / "t.parquet")
    placed = placement(heavy().sha256(), assignment={"vision": ["b"], "text": ["b"], "head": ["a"]})
    placed.write(tmp_path / "p.json")
    asked = ["adapt", str(tmp_path / "i.json"), "--horizon-s", "20", "--events", str(tmp_path / "e.csv")]
    asked += ["--placement", str(tmp_path / "p.json"), "--trace", str(tmp_path / "t.parquet")]
    done = CliRunner().invoke(app, [*asked, "-o", str(tmp_path / "out")])
    assert done.exit_code == 0, str(done.exception) + done.output
    table = pd.read_csv(tmp_path / "out" / "policies.csv").set_index("policy")
    assert table["replayed_unserved"].to_dict() == {"stay": 1, "repair": 0, "anew": 0, "worth": 0, HINDSIGHT: 0}
    assert np.isnan(table["replayed_mean_s"]["stay"])


@pytest.mark.slow
def test_what_a_policy_did_is_emulated(tmp_path: Path) -> None:
    """Real processes and links: the moves travel, and requests change over, as in the simulator."""
    heavy().write(tmp_path / "i.json")
    (tmp_path / "e.csv").write_text("time_s,what,name,value\n2,leaves,b,\n7,joins,b,\n")
    trace = trace_of(heavy(), [(t, "single", 1.0) for t in (0.0, 1.0, 3.5, 5.0, 9.0)])
    write_trace(trace, tmp_path / "t.parquet")
    asked = ["adapt", str(tmp_path / "i.json"), "--events", str(tmp_path / "e.csv"), "--horizon-s", "12"]
    asked += ["--trace", str(tmp_path / "t.parquet"), "--policy", "repair", "-o", str(tmp_path / "out")]
    done = CliRunner().invoke(app, asked)
    assert done.exit_code == 0, str(done.exception) + done.output
    kept = tmp_path / "out" / "replay" / "repair"
    files = [str(kept / name) for name in ("instance.json", "placement.json", "trace.parquet")]
    done = CliRunner().invoke(app, ["emulate", *files, "-o", str(tmp_path / "e.parquet"), "--any-links"])
    assert done.exit_code == 0, str(done.exception) + done.output
    CliRunner().invoke(app, ["simulate", *files, "-o", str(tmp_path / "s.parquet")])
    emulated, simulated = (pd.read_parquet(tmp_path / f"{name}.parquet") for name in "es")
    assert emulated["status"].tolist() == ["ok"] * len(simulated)
    assert emulated["request"].astype(str).tolist() == simulated["request"].astype(str).tolist()
    assert (emulated["latency_s"] > 0.9 * simulated["latency_s"]).all()


def test_where_modules_stand_at_first_can_be_given(tmp_path: Path) -> None:
    base = heavy()
    base.write(tmp_path / "i.json")
    placed = solve(base, load("first-fit"))
    placed.write(tmp_path / "p.json")
    assert placed.assignment is not None
    asked = ["adapt", str(tmp_path / "i.json"), "--horizon-s", "10", "-o", str(tmp_path / "out"), "--policy", "stay"]
    done = CliRunner().invoke(app, [*asked, "--placement", str(tmp_path / "p.json")])
    assert done.exit_code == 0, str(done.exception) + done.output
    table = pd.read_csv(tmp_path / "out" / "over_time.csv")
    assert first_placement(placed.assignment)
    assert table["latency_s"].tolist() == pytest.approx([placed.objective, placed.objective])
