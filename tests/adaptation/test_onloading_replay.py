"""Timelines of onloading decisions replayed: by hand, against plain replays, against the plan, and the command."""

import copy
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from splitshare.adaptation.onloading import CLAIRVOYANT, POLICIES, Outcome, Terms, follow, nothing, table_of
from splitshare.adaptation.onloading_demand import DemandMapping, RecordedQueries, recorded_demand
from splitshare.adaptation.onloading_replay import (
    MOST_QUERIES,
    TimelineReplay,
    replayed,
)
from splitshare.adaptation.onloading_timeline import Event, Span, spans_of, state_of
from splitshare.cli import app
from splitshare.errors import WorkError
from splitshare.onloading.arrays import Arrays, arrays_of
from splitshare.onloading.contract import load
from splitshare.onloading.instance import OnloadingInstance
from splitshare.onloading.objective import EDGE, Hosts, hosts_of
from splitshare.onloading.run import solve
from splitshare.replay.onloading import PLACE_TITLES, Queries, replay
from splitshare.replay.public_traces import read_public_trace
from tests.adaptation.examples import COUNTS, flat
from tests.onloading.examples import fields
from tests.onloading.test_objective import BY_HAND


def slow(seed: int = 4, factor: int = 200) -> OnloadingInstance:
    """A tiny instance with batches whose models take some seconds to travel."""
    plain = fields(seed, clients=4, servers=2, models=4, batching=True)
    for one in (*plain["models"], *plain["servers"], *plain["clients"]):
        one["memory_bytes"] *= factor
    return OnloadingInstance.parse(plain, "slow")


def by_hand() -> OnloadingInstance:
    """One client that asks twice a second, one server, and no cloud."""
    plain = copy.deepcopy(BY_HAND)
    plain["clients"][0]["demand_per_s"]["t"] = 2
    plain["cloud"]["compute_limit"] = 0
    return OnloadingInstance.parse(plain, "by hand")


def one_client(arrival_s: list[float]) -> RecordedQueries:
    """Queries of the first client for the first task."""
    none = np.zeros(len(arrival_s), dtype=int)
    return RecordedQueries(np.array(arrival_s), none, none)


def stood(hosts: Hosts, moving_s: float = 0.0, during: Hosts | None = None) -> Outcome:
    return Outcome(0.0, 0.0, 0.0, moving_s, 0.0, hosts if during is None else during, hosts)


def plainly(arrays: Arrays, hosts: Hosts, table: pd.DataFrame, start_s: float = 0.0) -> pd.DataFrame:
    """The same queries on the same ways in a plain replay of one decision."""
    row_of = {(c, t): r for r, (c, t) in enumerate(zip(arrays.row_client, arrays.row_task, strict=True))}
    rows = np.array([row_of[c, t] for c, t in zip(table["client"], table["task"], strict=True)])
    places = table["place"].map(PLACE_TITLES.index).to_numpy(dtype=int)
    servers = np.where(places == EDGE, arrays.row_server[rows], -1)
    queries = Queries(table["arrival_s"].to_numpy() - start_s, rows, table["model"].to_numpy(), places, servers)
    return replay(arrays, hosts, queries)


def test_a_switch_by_hand() -> None:
    """A client's small model, then after 4 s of moving the server's large one, then the server is lost.

    A query takes the client 0.05 s; to the server 0.05 s on the uplink, 0.01 s of latency and 0.1 s of computing.
    """
    instance = by_hand()
    small, large = hosts_of(instance, {"c": {"small": 1}}), hosts_of(instance, {"s": {"large": 1}})
    timeline = [
        Span(0, 10, {"c": 1.0}),
        Span(10, 20, {"c": 1.0}),
        Span(20, 30, {"c": 1.0}, lost=frozenset({"s"})),
    ]
    queries = one_client([9.97, 9.98, 10.0, 13.98, 13.99, 14.0, 19.82, 19.88, 19.95, 20.0])
    did = [stood(small), stood(large, 4.0, during=small), stood(nothing(instance))]
    table = TimelineReplay(instance, timeline, queries=queries).run(did)
    finish_s = [10.02, 10.07, 10.12, 14.03, 14.08, 14.16, 19.98, np.nan, np.nan, np.nan]
    assert table["finish_s"].to_numpy() == pytest.approx(np.array(finish_s), nan_ok=True)
    assert table["place"].tolist() == ["client"] * 5 + ["edge"] * 4 + ["unserved"]
    assert table["accuracy"].tolist() == [0.5] * 5 + [0.8] * 2 + [0.0] * 3


def test_what_was_cut_off_was_in_no_batch() -> None:
    """Of three queries for the server, alone in their batches, it is lost before the last one is answered."""
    instance = by_hand()
    large = hosts_of(instance, {"s": {"large": 1}})
    timeline = [Span(0, 10, {"c": 1.0}), Span(10, 20, {"c": 1.0}, lost=frozenset({"s"}))]
    replay = TimelineReplay(instance, timeline, queries=one_client([1.0, 5.0, 9.99]))
    windows, whole = replayed(replay, {"mine": [stood(large), stood(nothing(instance))]}, windows=1)
    assert windows["cut_off"].tolist() == pytest.approx([1 / 3, np.nan], nan_ok=True)
    assert windows["batch_mean"].tolist() == [1.0, 0.0]
    assert whole["replayed_batch_mean"].tolist() == [1.0]


def test_while_a_model_travels_who_asks_for_it_is_refused() -> None:
    instance = by_hand()
    large = hosts_of(instance, {"s": {"large": 1}})
    did = [stood(large, 4.0, during=nothing(instance))]
    replay = TimelineReplay(instance, [Span(0, 10, {"c": 1.0})], queries=one_client([3.9, 4.1]))
    assert replay.run(did)["place"].tolist() == ["unserved", "edge"]
    # 2 queries a second, all right in 8 of 10: from second 4 on.
    assert replay.planned_right(did, np.array([0.0, 3.0, 5.0, 10.0])) == pytest.approx([0, 1.6, 8.0])
    assert replay.asked(np.array([0.0, 3.0, 5.0, 20.0])) == pytest.approx([6, 4, 10])


def test_where_nothing_changes_it_is_the_plain_replay() -> None:
    instance = slow()
    timeline = spans_of(instance, (), flat(instance, 5), 8.0)
    for did in follow(instance, timeline, load("j3o-batching"), POLICIES, Terms(1.0)).values():
        table = TimelineReplay(instance, timeline, seed=3).run(did)
        plain = plainly(arrays_of(instance), did[0].after, table)
        assert (table["batch"] > 1).any()
        for column in ("finish_s", "batch", "latency_s", "limit_s", "accuracy"):
            pd.testing.assert_series_equal(table[column], plain[column])


def test_a_switch_where_nothing_is_in_flight_is_two_plain_replays() -> None:
    """Nobody asks in the second span, so that queues are empty when another decision holds in the third."""
    instance = slow()
    events = (Event(20, "demand", "*", "0"), Event(40, "demand", "*", "2.5"), Event(40, "moves", "c0", "s1"))
    timeline = spans_of(instance, events, flat(instance, 3), 20.0)
    later = state_of(instance, timeline[2])
    assert later is not None
    first, second = (hosts_of(one, solve(one, load("j3o-batching")).onloading or {}) for one in (instance, later))
    assert not (first.client == second.client).all() or not (first.server == second.server).all()
    table = TimelineReplay(instance, timeline, seed=1).run([stood(first), stood(first), stood(second)])
    before = table["arrival_s"] < 20
    assert table.loc[before, "finish_s"].max() < 40
    assert ((table["arrival_s"] < 20) | (table["arrival_s"] >= 40)).all()
    parts = ((arrays_of(instance), first, table[before], 0.0), (arrays_of(later), second, table[~before], 40.0))
    for arrays, hosts, mine, start_s in parts:
        plain = plainly(arrays, hosts, mine, start_s)
        assert len(plain) > 100
        assert mine["latency_s"].to_numpy() == pytest.approx(plain["latency_s"].to_numpy(), nan_ok=True, abs=1e-9)
        assert mine["batch"].tolist() == plain["batch"].tolist()
        assert mine["accuracy"].tolist() == plain["accuracy"].tolist()


def test_the_replay_has_the_planned_accuracy_under_every_policy() -> None:
    instance = slow()
    events = (Event(30, "demand", "c0", "4"), Event(60, "moves", "c1", "s0"), Event(90, "lost", "s1"))
    after = (Event(120, "back", "s1"), Event(150, "goes", "c3"))
    timeline = spans_of(instance, (*events, *after), flat(instance, 6), 30.0)
    found = follow(instance, timeline, load("j3o-batching"), POLICIES, Terms(1.0))
    assert max(one.moving_s for one in found["anew"]) > 1
    runner = TimelineReplay(instance, timeline, seed=0)
    windows, whole = replayed(runner, found, windows=1)
    planned = table_of(found, timeline)
    assert windows["policy"].tolist() == planned["policy"].tolist()
    assert windows["planned"].to_numpy() == pytest.approx(planned["accuracy"].to_numpy())
    assert windows["queries"].sum() == whole["replayed_queries"].sum()
    for _, one in windows.iterrows():
        # What the server that is lost had not answered counts as wrong.
        assert one["accuracy"] + one["cut_off"] == pytest.approx(one["planned"], abs=4 * 0.5 / np.sqrt(one["queries"]))
        assert one["accuracy_in_time"] <= one["accuracy"]
    arrivals = [runner.run(did)["arrival_s"].to_numpy() for did in found.values()]
    assert all((one == arrivals[0]).all() for one in arrivals)
    finer, same = replayed(runner, found, windows=3)
    pd.testing.assert_frame_equal(whole, same)
    assert finer.groupby("policy")["queries"].sum().to_dict() == windows.groupby("policy")["queries"].sum().to_dict()


def test_recorded_queries_are_replayed_as_they_came(tmp_path: Path) -> None:
    """Five rows by hand; that of a client that has gone is left out, and late ones are in the second span."""
    (tmp_path / "rows.csv").write_text("arrival_s,who\n0,c0\n1.5,c1\n2.25,c0\n10,c1\n13,c0\n")
    rules = [{"where": {"who": name}, "clients": [name], "tasks": ["t1"]} for name in ("c0", "c1")]
    mapping = DemandMapping.parse({"schema": "splitshare.demand-mapping/1", "rules": rules}, "m.yaml")
    instance, rows = slow(), read_public_trace(tmp_path / "rows.csv")
    demand = recorded_demand(instance, rows, 2, 10.0, mapping=mapping, source="m.yaml", as_recorded=True, seed=0)
    timeline = spans_of(instance, (Event(10, "goes", "c1"),), demand.factors, 10.0)
    assert demand.queries is not None
    held = hosts_of(instance, {"c0": {"m0": 1}, "c1": {"m0": 1}})
    table = TimelineReplay(instance, timeline, queries=demand.queries).run([stood(held), stood(held)])
    assert table["arrival_s"].tolist() == [0.0, 1.5, 2.25, 13.0]
    assert table["client"].tolist() == [0, 1, 0, 0]
    assert (table["task"] == 1).all()
    assert (table["place"] != "unserved").all()


def test_too_many_queries_are_refused() -> None:
    instance = slow()
    with pytest.raises(WorkError, match=re.escape(f"{MOST_QUERIES:.0e} is the most; take fewer or shorter spans")):
        TimelineReplay(instance, spans_of(instance, (), flat(instance, 2), 1e6))


def test_the_command(tmp_path: Path) -> None:
    slow().write(tmp_path / "i.json")
    asked = ["onloading", "follow", str(tmp_path / "i.json"), "-o", str(tmp_path / "out"), "--algorithm", "j3o"]
    counts = [*asked, "--spans", "6", "--every-s", "20", "--demand", "counts", "--arrivals", str(COUNTS)]
    done = CliRunner().invoke(app, [*counts, "--replay", "--windows", "2", "--plot", str(tmp_path / "fig")])
    assert done.exit_code == 0, str(done.exception) + done.output
    assert "requests a second in the mean, multiplied by" in done.output
    table = pd.read_csv(tmp_path / "out" / "replayed.csv")
    assert table.groupby("policy", sort=False).size().to_dict() == dict.fromkeys((*POLICIES, CLAIRVOYANT), 12)
    assert table["queries"].sum() > 0
    assert "replayed_accuracy_in_time" in pd.read_csv(tmp_path / "out" / "policies.csv").columns
    assert (tmp_path / "fig" / "follow.png").exists()
    (tmp_path / "rows.csv").write_text("arrival_s,user\n0,ann\n3,bob\n25,ann\n41,bob\n")
    (tmp_path / "m.yaml").write_text("schema: splitshare.demand-mapping/1\ntogether: user\n")
    recorded = [*asked, "--demand", "recorded", "--arrivals", str(tmp_path / "rows.csv"), "--every-s", "20"]
    done = CliRunner().invoke(app, [*recorded, "--spans", "3", "--mapping", str(tmp_path / "m.yaml"), "--as-recorded"])
    assert done.exit_code == 0, str(done.exception) + done.output
    assert "as recorded; the instance says" in done.output
    whole = [*recorded, "--spans", "3", "--as-recorded", "--replay"]
    done = CliRunner().invoke(app, whole)
    assert done.exit_code == 0, str(done.exception) + done.output
    assert pd.read_csv(tmp_path / "out" / "replayed.csv")["queries"].tolist() == [2, 1, 1] * 4
    (tmp_path / "e.csv").write_text("time_s,what,name,value\n20,demand,*,2\n")
    for wrong, problem in [
        ([*asked, "--windows", "2"], "has no meaning without --replay"),
        ([*asked, "--arrivals", "x.csv"], "--arrivals: has no meaning for the kind diurnal"),
        ([*counts, "--mapping", "x.yaml"], "--mapping: has no meaning for the kind counts"),
        ([*asked, "--demand", "recorded"], "--arrivals: is needed for the kind recorded"),
        ([*recorded, "--spans", "4"], "give 3 or fewer"),
        ([*whole, "--events", str(tmp_path / "e.csv")], "e.csv: demand: changes a demand"),
    ]:
        assert problem in str(CliRunner().invoke(app, wrong).exception)
