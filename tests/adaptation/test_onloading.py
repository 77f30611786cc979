"""Onloading as things change: states and bytes by hand, policies against every sequence of decisions."""

import itertools
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from splitshare.adaptation.onloading import (
    CLAIRVOYANT,
    POLICIES,
    Terms,
    follow,
    held,
    moving_s,
    new_bytes,
    summary,
    table_of,
    without_lost,
)
from splitshare.adaptation.onloading_timeline import (
    Event,
    Span,
    cut_off,
    demand_over_time,
    read_changes,
    spans_of,
    state_of,
)
from splitshare.cli import app
from splitshare.errors import WorkError
from splitshare.onloading.arrays import arrays_of
from splitshare.onloading.contract import load
from splitshare.onloading.instance import OnloadingInstance
from splitshare.onloading.objective import hosts_of
from splitshare.onloading.run import solve
from tests.adaptation.examples import COUNTS, flat, two
from tests.adaptation.wrong import complaint
from tests.onloading.examples import fields, sharing, tiered, tiny
from tests.onloading.judge import best_offloading


def test_what_happens_counts_from_the_next_span() -> None:
    events = (Event(0, "goes", "c0"), Event(11, "comes", "c0"), Event(12, "moves", "c1", "s0"), Event(25, "lost", "s1"))
    found = spans_of(two(), (*events, Event(26, "demand", "*", "2")), flat(two(), 4), 10.0)
    assert [span.factor["c0"] for span in found] == [0, 0, 1, 2]
    assert [span.server.get("c1") for span in found] == [None, None, "s0", "s0"]
    assert [span.lost for span in found] == [frozenset(), frozenset(), frozenset(), {"s1"}]
    state = state_of(two(), found[3])
    assert state is not None
    assert [c.server for c in state.clients] == ["s0", "s0", "s0"]
    assert state.clients[0].demand_per_s == {t: 2 * rate for t, rate in two().clients[0].demand_per_s.items()}
    assert state_of(two(), Span(0, 1, {"c0": 0, "c1": 0, "c2": 0})) is None


def test_a_lost_server_answers_nothing_and_carries_nothing() -> None:
    instance = tiny(3)
    state = state_of(instance, Span(0, 1, {"c0": 1.0, "c1": 1.0}, lost=frozenset({"s0"})))
    assert state is not None
    alone = solve(instance, load("local-only")).objective
    assert solve(state, load("optimum")).objective == pytest.approx(alone, abs=1e-4)


def test_demand_has_its_mean_and_shape() -> None:
    instance = two()
    wave = demand_over_time(instance, "diurnal", 24, 3600, period_s=86_400, depth=0.5, seed=0)
    assert wave.mean(axis=0) == pytest.approx(1.0)
    assert wave.max() == pytest.approx(1 + 0.5 * np.cos(np.pi / 24), abs=1e-3)
    same = [i for i, c in enumerate(instance.clients) if c.server == "s0"]
    assert (wave[:, same[0]] == wave[:, same[1]]).all()
    bursts = demand_over_time(instance, "bursts", 40_000, 10, period_s=1000, depth=0.8, seed=1)
    assert set(np.round(np.unique(bursts), 9)) == {0.2, 8.2}
    assert bursts.mean() == pytest.approx(1.0, abs=0.05)
    changes = (np.diff(bursts, axis=0) != 0).mean()
    assert changes == pytest.approx(2 * 10 / 1000, rel=0.15)


def test_bytes_are_of_what_was_not_there_and_of_a_backbone_once() -> None:
    plain = fields(2, clients=2)
    plain["backbones"] = [{"name": "tower", "memory_bytes": 7}]
    for model, size in zip(plain["models"], (1, 2, 4), strict=True):
        model["memory_bytes"] = size
    plain["models"][0]["backbone"] = plain["models"][1]["backbone"] = "tower"
    instance = OnloadingInstance.parse(plain, "shared")
    arrays = arrays_of(instance)
    before = hosts_of(instance, {"c0": {"m0": 1}, "s0": {"m2": 1}})
    after = hosts_of(instance, {"c0": {"m0": 1, "m1": 1}, "c1": {"m1": 1}, "s0": {"m0": 1, "m1": 1}})
    sent = new_bytes(arrays, before, after)
    assert sent.tolist() == [2, 2 + 7, 1 + 2 + 7]
    clients, (server,) = instance.clients, instance.servers
    # Through the server go its clients' models and its own: 2, 9 and 10 bytes.
    through_s = 21 / server.backhaul_bytes_per_s
    over_links_s = [2 / clients[0].uplink_bytes_per_s, 9 / clients[1].uplink_bytes_per_s]
    assert moving_s(arrays, sent) == pytest.approx([max(own_s, through_s) for own_s in over_links_s] + [through_s])
    assert moving_s(arrays, np.array([2.0, 0.0, 0.0]))[1:].tolist() == [0.0, 0.0]


@pytest.mark.parametrize("right_per_gb", [0.0, 1e7, 1e12])
def test_clairvoyance_is_the_best_of_all_sequences(right_per_gb: float) -> None:
    instance, terms = two(0), Terms(right_per_gb, ahead=1)
    events = (
        Event(10, "lost", "s1"),
        Event(10, "demand", "c0", "3"),
        Event(20, "back", "s1"),
        Event(20, "moves", "c2", "s1"),
    )
    timeline = spans_of(instance, events, flat(instance, 3), 10.0)
    found = follow(instance, timeline, load("optimum"), POLICIES, terms)
    table = summary(found, terms).set_index("policy")
    assert (table["regret"] >= 0).all()  # not -2e-16
    states = [state_of(instance, span) for span in timeline]
    decisions = [solve(state, load("optimum")).onloading or {} for state in states if state is not None]
    assert len({str(one) for one in decisions}) == 3

    def left(held: dict[str, dict[str, int]], span: Span) -> dict[str, dict[str, int]]:
        return {place: models for place, models in held.items() if place not in span.lost}

    best = -np.inf
    sizes = {m.name: m.memory_bytes for m in instance.models}
    for choice in itertools.product(decisions, repeat=3):
        now, worth = decisions[0], 0.0
        for span, state, wanted in zip(timeline, states, choice, strict=True):
            assert state is not None
            there, wanted_here = left(now, span), left(wanted, span)
            # A client whose server is lost is sent nothing.
            cut = {c.name for c in state.clients if c.server in span.lost}
            if any(set(wanted_here.get(place, {})) - set(there.get(place, {})) for place in cut):
                break
            sent = sum(
                sizes[m] for place, models in wanted_here.items() for m in models if m not in there.get(place, {})
            )
            value = best_offloading(state, wanted_here)
            assert value is not None
            worth += value * arrays_of(state).demand * 10.0 - sent / 1e9 * right_per_gb
            now = wanted_here
        else:
            best = max(best, worth)
    asked = sum(arrays_of(state).demand * 10.0 for state in states if state is not None)
    # The clairvoyant also has what `priced` mixes.
    worth_of = dict(zip(table.index, table["worth"].to_numpy().tolist(), strict=True))
    assert worth_of[CLAIRVOYANT] >= best / asked - 1e-6
    if right_per_gb == 1e12:
        assert table.loc["priced", "moved_bytes"] == 0
    if right_per_gb == 0.0:
        assert table.loc[CLAIRVOYANT, "worth"] == pytest.approx(best / asked, abs=1e-6)


@pytest.mark.parametrize("seed", range(4))
def test_the_clairvoyant_is_sent_what_was_not_there(seed: int) -> None:
    """Models and backbones that they share, location by location, on the way that was found best."""
    instance: OnloadingInstance = sharing(seed, clients=3, servers=2, models=5)
    events = (Event(10, "demand", "c0", "9"), Event(10, "moves", "c2", "s1"), Event(20, "lost", "s1"))
    again = (Event(30, "back", "s1"), Event(30, "demand", "*", "3"), Event(40, "demand", "c0", "1"))
    timeline = spans_of(instance, (*events, *again), flat(instance, 5), 10.0)
    found = follow(instance, timeline, load("j3o"), POLICIES, Terms(1e5, ahead=1))
    stood, arrays = found["keep"][0].after, arrays_of(instance)
    for span, one in zip(timeline, found[CLAIRVOYANT], strict=True):
        sent = new_bytes(arrays, without_lost(instance, stood, span), one.after)
        assert one.moved_bytes == sent.sum()
        assert not sent[cut_off(instance, span)].any()
        stood = one.after
    assert sum(one.moved_bytes for one in found[CLAIRVOYANT]) > 0


def test_where_nothing_changes_nothing_moves() -> None:
    instance, terms = two(), Terms(1.0)
    timeline = spans_of(instance, (), flat(instance, 3), 10.0)
    found = follow(instance, timeline, load("j3o"), POLICIES, terms)
    table = summary(found, terms)
    assert (table["moved_bytes"] == 0).all()
    assert table["accuracy"].to_numpy() == pytest.approx(solve(instance, load("j3o")).objective)
    assert len(table_of(found, timeline)) == 4 * 3


def test_while_models_travel_only_what_stays_answers() -> None:
    """All models change places: 90 bytes through a link of 2000 bytes a second, 0.045 of the 0.09 s of a span.

    Until then nothing stands that stays, so that the cloud answers alone.
    """
    instance, size = tiny(0), 30.0
    timeline = spans_of(instance, (Event(0.09, "demand", "*", "3"),), flat(instance, 2), 0.09)
    anew = follow(instance, timeline, load("optimum"), ("anew",), Terms(0.0))["anew"][1]
    busier = state_of(instance, timeline[1])
    assert busier is not None
    first, second = (solve(state, load("optimum")).onloading or {} for state in (instance, busier))
    assert {place: set(models) for place, models in first.items()} == {"c0": {"m1"}, "c1": {"m1"}, "s0": {"m2"}}
    assert {place: set(models) for place, models in second.items()} == {"c0": {"m2"}, "c1": {"m2"}, "s0": {"m1"}}
    assert [m.memory_bytes for m in instance.models[1:]] == [size, size]
    assert anew.moved_bytes == 3 * size
    assert anew.moving_s == pytest.approx(3 * size / instance.servers[0].backhaul_bytes_per_s) == pytest.approx(0.045)
    assert not held(anew.during).any()
    cloud, everything = (best_offloading(busier, there) for there in ({}, second))
    assert cloud is not None
    assert everything is not None
    assert cloud < everything
    assert anew.right == pytest.approx((cloud + everything) * arrays_of(busier).demand * 0.045)


def test_what_does_not_arrive_in_its_span_is_sent_again() -> None:
    """A millisecond is too short for any model: what a new demand asks for is sent in each span, and never held."""
    instance = tiny(0, clients=3)
    timeline = spans_of(instance, (Event(1e-3, "demand", "c0", "9"),), flat(instance, 4), 1e-3)
    found = follow(instance, timeline, load("optimum"), ("keep", "anew"), Terms(0.0))
    moved = [one.moved_bytes for one in found["anew"]]
    assert moved[0] == 0 < moved[1] == moved[2] == moved[3]
    for kept, anew in zip(found["keep"], found["anew"], strict=True):
        assert kept.moved_bytes == 0
        assert anew.right <= kept.right + 1e-12
        assert anew.moving_s == pytest.approx(1e-3 if anew.moved_bytes else 0.0)


@pytest.mark.parametrize(
    ("lost", "cut"),
    [("s0", {"c0", "s0"}), ("s2", {"c2", "s2"}), ("r0", {"c0", "c1", "c3", "s0", "s1", "r0"})],
)
@pytest.mark.parametrize("seed", [0, 2, 5])
def test_nothing_is_sent_where_no_way_leads(lost: str, cut: set[str], seed: int) -> None:
    """What a lost server cuts off keeps what stands; all else moves on, in the time that its own bytes take."""
    instance: OnloadingInstance = tiered(seed, clients=4, servers=3, models=3)
    assert {s.name: s.upstream for s in instance.servers} == {"s0": "r0", "s1": "r0", "s2": None, "r0": None}
    assert [c.server for c in instance.clients] == ["s0", "s1", "s2", "r0"]
    events = (Event(10, "lost", lost), Event(10, "demand", "*", "4"), Event(10, "demand", "c1", "9"))
    timeline = spans_of(instance, (*events, Event(20, "back", lost)), flat(instance, 3), 10.0)
    found = follow(instance, timeline, load("optimum"), POLICIES, Terms(0.0, ahead=1))
    names = [c.name for c in instance.clients] + [s.name for s in instance.servers]
    arrays = arrays_of(instance)
    for outcomes in found.values():
        stood, span = outcomes[0].after, outcomes[1]
        sent = np.maximum(0, held(span.after) @ arrays.memory - held(stood) @ arrays.memory)
        for place, now, before, got in zip(names, held(span.after), held(stood), sent, strict=True):
            if place == lost:
                assert not now.any()
            elif place in cut:
                assert got == 0
                assert (now == before).all()
        assert span.moving_s < 1.0  # a lost server's link would take hours
    assert found["priced"][1].right >= found["keep"][1].right - 1e-9


def test_a_move_that_cannot_arrive_in_its_span_is_not_taken_for_its_price() -> None:
    instance = tiny(0, clients=3)
    timeline = spans_of(instance, (Event(1e-3, "demand", "c0", "9"),), flat(instance, 4), 1e-3)
    found = follow(instance, timeline, load("optimum"), ("keep", "anew", "priced"), Terms(0.0))
    assert found["anew"][1].moved_bytes > 0
    assert [one.moved_bytes for one in found["priced"]] == [0.0] * 4
    assert [one.right for one in found["priced"]] == pytest.approx([one.right for one in found["keep"]])


class Answers:
    """Holds nothing at first, then what it is told to; compiles for a hundred seconds by the clock, once."""

    name = "answers"

    def __init__(self, later: dict[str, dict[str, int]] | None, clock: list[float]) -> None:
        self.later, self.clock, self.asked, self.warm = later, clock, 0, False

    def warm_up(self) -> None:
        if not self.warm:
            self.clock[0] += 100.0
        self.warm = True

    def onload(
        self, instance: OnloadingInstance, *, seed: int, time_limit: float | None
    ) -> dict[str, dict[str, int]] | None:
        del instance, seed, time_limit
        self.asked += 1
        return {} if self.asked == 1 else self.later


@pytest.mark.parametrize(
    ("later", "problem"),
    [
        ({"nowhere": {"m0": 1}}, "nowhere"),
        ({"s0": {"m0": 3}}, "3"),
        ({"s0": {"m0": 1, "m1": 1}}, "variants of"),
        ({"s0": {"m0": 1, "m2": 1}}, "bytes"),
        (None, "no decision"),
    ],
)
def test_a_wrong_answer_is_refused_with_its_span(later: dict[str, dict[str, int]] | None, problem: str) -> None:
    plain = fields(2)
    for model, size in zip(plain["models"], (10, 10, 31), strict=True):
        model["memory_bytes"] = size
    plain["servers"][0]["memory_bytes"] = 40
    plain["models"][0]["variant_of"] = plain["models"][1]["variant_of"] = "group"
    instance = OnloadingInstance.parse(plain, "plain")
    timeline = spans_of(instance, (), flat(instance, 3), 10.0)
    with pytest.raises(WorkError, match=rf"^answers on span 2 of {instance.name}: infeasible \(.*{problem}.*\)$"):
        follow(instance, timeline, Answers(later, [0.0]), ("anew",), Terms(0.0))


def test_compiling_is_no_part_of_the_time_of_a_decision(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [0.0]
    monkeypatch.setattr("splitshare.adaptation.onloading.time", SimpleNamespace(perf_counter=lambda: clock[0]))
    timeline = spans_of(two(), (), flat(two(), 2), 10.0)
    found = follow(two(), timeline, Answers({}, clock), ("anew",), Terms(0.0))
    assert clock == [100.0]
    assert [one.decide_s for one in found["anew"]] == [0.0, 0.0]


@pytest.mark.parametrize(
    ("rows", "problem"),
    [
        ("1,goes,s0,", "name, row 1: 's0' is no client"),
        ("1,lost,c0,", "name, row 1: 'c0' is no server"),
        ("1,moves,c0,s9", "value, row 1: 's9' is no server"),
        ("1,demand,*,-1", "value, row 1: must be a number from 0"),
    ],
)
def test_a_wrong_event_is_told_with_its_row(rows: str, problem: str, tmp_path: Path) -> None:
    assert problem in complaint(lambda path: read_changes(path, two()), rows, tmp_path)


def test_the_command(tmp_path: Path) -> None:
    two().write(tmp_path / "i.json")
    (tmp_path / "e.csv").write_text("time_s,what,name,value\n15,lost,s1,\n25,back,s1,\n")
    asked = ["onloading", "follow", str(tmp_path / "i.json"), "-o", str(tmp_path / "out"), "--algorithm", "j3o"]
    asked += ["--spans", "4", "--every-s", "10"]
    done = CliRunner().invoke(app, [*asked, "--events", str(tmp_path / "e.csv"), "--plot", str(tmp_path / "fig")])
    assert done.exit_code == 0, str(done.exception) + done.output
    assert pd.read_csv(tmp_path / "out" / "policies.csv")["policy"].tolist() == [*POLICIES, CLAIRVOYANT]
    assert (tmp_path / "fig" / "follow.png").exists()
    assert "are left out" not in done.output
    (tmp_path / "late.csv").write_text("time_s,what,name,value\n30,lost,s1,\n31,lost,s0,\n99,back,s1,\n")
    late = CliRunner().invoke(app, [*asked, "--events", str(tmp_path / "late.csv"), "--policy", "keep"])
    assert "2 of 3 events come after the last span's start at 30 s and are left out" in late.output
    counted = ["--demand", "counts", "--arrivals", str(COUNTS)]
    for more, problem in [
        (["--demand", "flat", "--depth", "0.6"], "--depth: has no meaning for the kind flat; leave it out"),
        ([*counted, "--period-s", "9"], "--period-s: has no meaning for the kind counts; leave it out"),
        (["--demand", "recorded", "--depth", "0"], "--depth: has no meaning for the kind recorded; leave it out"),
        (["--demand", "flat", "--from-s", "0"], "--from-s: has no meaning for the kind flat; leave it out"),
        (["--demand", "flat", "--sort"], "--sort: has no meaning for the kind flat; leave it out"),
        (["--policy", "stay"], "is not known; "),
        (["--policy", "keep", "--policy", "keep"], "is there twice"),
    ]:
        wrong = CliRunner().invoke(app, [*asked, *more])
        assert problem in str(wrong.exception)
