"""Regional servers put over instances, and what is replayed and moved over several backhauls."""

import numpy as np
import pytest
from typer.testing import CliRunner

from splitshare.adaptation.onloading import Outcome, moving_s
from splitshare.adaptation.onloading_demand import RecordedQueries
from splitshare.adaptation.onloading_replay import TimelineReplay
from splitshare.adaptation.onloading_timeline import Span
from splitshare.cli import app
from splitshare.errors import InputError
from splitshare.onloading.arrays import arrays_of
from splitshare.onloading.contract import load
from splitshare.onloading.instance import OnloadingInstance
from splitshare.onloading.objective import EDGE, hosts_of, offloading_of
from splitshare.onloading.regions import Regions, with_regions
from splitshare.onloading.run import solve
from splitshare.replay.onloading import Queries, planned_latency_s, replay
from tests.onloading.examples import tiered, tiny
from tests.onloading.judge import way_of
from tests.onloading.test_tiers import by_hand


def test_an_instance_of_a_long_name_gets_one_that_fits():
    names = {with_regions(tiny(3).with_changes(name="x" * length), Regions()).name for length in (1, 112, 113, 120)}
    assert {len(name) for name in names} == {9, 120}
    assert len(names) == 4


def test_regions_are_as_the_rules_say():
    instance = tiny(3, clients=5, servers=5)
    above = with_regions(instance, Regions(servers=2, memory=3.0, compute=0.5, backhaul=0.25, latency=0.75))
    assert [server.upstream for server in above.servers] == [
        *("region-1", "region-1", "region-2", "region-2", "region-3"),
        *(None, None, None),
    ]
    for region in above.servers[5:]:
        below = [s for s, now in zip(instance.servers, above.servers, strict=False) if now.upstream == region.name]
        assert region.memory_bytes == pytest.approx(3.0 * np.mean([s.memory_bytes for s in below]))
        assert region.compute_limit == pytest.approx(0.5 * below[0].compute_limit)
        assert region.backhaul_bytes_per_s == pytest.approx(0.25 * sum(s.backhaul_bytes_per_s for s in below))
    servers = {server.name: server for server in above.servers}
    for client in instance.clients:
        latency_s = sum(servers[name].backhaul_latency_s for name in way_of(above, client))
        assert latency_s == pytest.approx(servers["region-1"].backhaul_latency_s / 0.75)
    twice = with_regions(above, Regions(servers=2))
    assert [server.upstream for server in twice.servers[5:]] == ["region-4", "region-4", "region-5", None, None]
    assert {len(way_of(twice, client)) for client in twice.clients} == {3}


def test_a_region_of_room_is_worth_something(tmp_path):
    """By the command; a region that carries and holds little is worth less than one of room."""
    instance = tiny(1, clients=6, servers=4, models=5)
    instance.write(tmp_path / "instance.json")
    worth = []
    for memory in ("0.1", "4"):
        output = tmp_path / f"{memory}.json"
        asked = ["onloading", "regions", str(tmp_path / "instance.json"), "-o", str(output), "--memory", memory]
        done = CliRunner().invoke(app, asked, catch_exceptions=False)
        assert done.exit_code == 0, done.output
        found = solve(OnloadingInstance.read(output), load("j3o"))
        optimum = solve(OnloadingInstance.read(output), load("optimum"))
        assert found.objective is not None
        assert found.bound is not None
        assert optimum.objective is not None
        assert found.objective <= optimum.objective * (1 + 1e-6) <= found.bound * (1 + 2e-6)
        worth.append(optimum.objective)
    assert worth[1] > worth[0]


@pytest.mark.parametrize(("memory_bytes", "options"), [(1e18, []), (1e-3, ["--memory", "1e-3"])])
def test_factors_out_of_range_are_told(tmp_path, memory_bytes, options):
    said = tiny(1)
    servers = tuple(s.model_copy(update={"memory_bytes": memory_bytes}) for s in said.servers)
    said.model_copy(update={"servers": servers}).write(tmp_path / "instance.json")
    asked = ["onloading", "regions", str(tmp_path / "instance.json"), "-o", str(tmp_path / "out.json"), *options]
    error = CliRunner().invoke(app, asked).exception
    assert isinstance(error, InputError)
    assert "take other factors" in str(error)
    assert not (tmp_path / "out.json").exists()


def test_a_query_alone_takes_as_long_as_planned_over_every_backhaul():
    compared = 0
    for seed in range(8):
        instance = tiered(seed, clients=3, servers=2, models=3, levels=1 + seed % 2)
        arrays = arrays_of(instance)
        decision = solve(instance, load("optimum"))
        assert decision.onloading is not None
        assert decision.offloading is not None
        hosts, offloading = hosts_of(instance, decision.onloading), offloading_of(arrays, decision.offloading)
        planned_s = planned_latency_s(arrays, hosts, offloading)
        for i in range(len(offloading.row)):
            row, model, place, server = (getattr(offloading, name)[[i]] for name in ("row", "model", "place", "server"))
            alone = Queries(np.zeros(1), row, model, place, server)
            assert replay(arrays, hosts, alone)["latency_s"].item() == pytest.approx(planned_s[i])
            compared += offloading.place[i] == EDGE and offloading.server[i] != arrays.row_server[offloading.row[i]]
    assert compared >= 2


def test_what_is_moved_passes_every_backhaul_above():
    """By hand: c0 and c1 below s0, s0 below r0; c2 at r0. The region's backhaul carries everything."""
    instance = tiered(1, clients=3, servers=1)
    names = [server.name for server in instance.servers]
    arrays = arrays_of(instance)
    rate = {server.name: server.backhaul_bytes_per_s for server in instance.servers}
    sent = {"c0": 1e5, "c1": 0.0, "c2": 3e5, "s0": 5e5, "r0": 7e5}
    given = np.array([sent[name] for name in ("c0", "c1", "c2", *names)])
    region_s = 16e5 / rate["r0"]
    edge_s = max(6e5 / rate["s0"], region_s)
    uplink = {client.name: client.uplink_bytes_per_s for client in instance.clients}
    expected = {"c0": max(1e5 / uplink["c0"], edge_s), "c1": 0.0, "c2": max(3e5 / uplink["c2"], region_s)}
    expected |= {"s0": edge_s, "r0": region_s}
    assert moving_s(arrays, given) == pytest.approx([expected[name] for name in ("c0", "c1", "c2", *names)])


def test_who_is_under_way_to_a_region_that_is_lost_has_no_answer():
    """To the server below it takes a query 0.11 s, to the region 0.41 s; at 10 s the region is lost."""
    instance = OnloadingInstance.parse(by_hand(), "by hand")
    hosts = hosts_of(instance, {"edge": {"small": 1}, "region": {"large": 1}})
    timeline = [Span(0, 10, {"c": 1.0}), Span(10, 20, {"c": 1.0}, lost=frozenset({"region"}))]
    arrival_s, none = np.array([7.0, 7.5, 8.0, 8.5, 9.0, 9.61, 9.71, 9.81]), np.zeros(8, dtype=int)
    did = [Outcome(0.0, 0.0, 0.0, 0.0, 0.0, hosts, hosts)] * 2
    queries = RecordedQueries(arrival_s, none, none)
    table = TimelineReplay(instance, timeline, queries=queries).run(did)
    assert table["place"].tolist() == ["edge"] * 8
    above, late = table["model"] == 1, arrival_s + 0.41 > 10
    assert 0 < above[late].sum() < late.sum() == 3
    assert table.loc[~above, "latency_s"].to_numpy() == pytest.approx(0.11)
    assert table.loc[above & ~late, "latency_s"].to_numpy() == pytest.approx(0.41)
    assert table.loc[above & late, "latency_s"].isna().all()


@pytest.mark.parametrize(
    "asked",
    [
        ("headroom", "--limit", "0.7", "--horizon-s", "20", "--warm-up-s", "2", "--seeds", "1"),
        ("uncertain", "--samples", "4", "--candidates", "1", "--draws", "3"),
        ("follow", "--spans", "3", "--demand", "bursts", "--algorithm", "j3o"),
    ],
    ids=lambda asked: asked[0],
)
def test_what_plans_are_judged_by_knows_tiers(asked, tmp_path):
    tiered(2, clients=3, servers=2, models=3, levels=2).write(tmp_path / "instance.json")
    command, *options = asked
    words = ["onloading", command, str(tmp_path / "instance.json"), "-o", str(tmp_path / "out"), *options]
    done = CliRunner().invoke(app, words, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    assert list((tmp_path / "out").glob("*.csv"))
