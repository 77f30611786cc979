"""Servers above servers: the rules held against trying everything, and every method on them."""

import json
import random
import re

import numpy as np
import pytest

from splitshare.errors import InputError, WorkError
from splitshare.onloading.alternation import alternate
from splitshare.onloading.arrays import arrays_of
from splitshare.onloading.columns import limits_of
from splitshare.onloading.contract import load, shipped
from splitshare.onloading.greedy import hosts_of_filling, knapsacks_of, lazy_greedy, rows_worth, upper_bound
from splitshare.onloading.instance import Flow, OnloadingInstance
from splitshare.onloading.lagrangian import values_at, worth_of_limits
from splitshare.onloading.lp import OffloadingLp
from splitshare.onloading.objective import InfeasibleDecisionError, evaluate, hosts_of, offloading_of, onloading_of
from splitshare.onloading.run import solve
from tests.onloading import judge
from tests.onloading.examples import fields, tiered, tiny, with_limits
from tests.onloading.held import hold_both_solvers

SHAPES = (
    {"clients": 2, "servers": 1, "models": 2},
    {"clients": 3, "servers": 2, "models": 2},
    {"clients": 2, "servers": 1, "models": 2, "batching": True},
    {"clients": 2, "servers": 1, "models": 2, "levels": 2},
)
METHODS = [name for name in shipped() if name not in ("optimum", "j3o-decomposed")]


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_both_solvers_find_what_trying_everything_finds_and_no_method_exceeds_its_bound(shape):
    for seed in range(3):
        instance = tiered(seed, **shape)
        best = judge.optimum(instance)
        hold_both_solvers(instance, best)
        for name in METHODS:
            found = solve(instance, load(name))
            assert found.objective is not None, (seed, name, found.reason)
            assert found.objective <= best * (1 + 1e-6), (seed, name)
            if found.bound is not None:
                assert found.bound >= best * (1 - 1e-6), (seed, name)


def test_the_offloading_program_is_that_of_plain_loops():
    compared = 0
    for seed in range(6):
        instance = tiered(seed, clients=3, servers=2, models=2, batching=seed % 2 == 0, levels=1 + seed % 2)
        arrays = arrays_of(instance)
        program = OffloadingLp(arrays)
        for k, onloading in enumerate(judge.onloadings(instance)):
            if k % 97 == 0:
                expected = judge.best_offloading(instance, onloading)
                found = program.solve(hosts_of(instance, onloading))
                assert (found is None) == (expected is None)
                if found is not None:
                    assert found.right_per_s / arrays.demand == pytest.approx(expected, rel=1e-6, abs=1e-9)
                    evaluate(arrays, hosts_of(instance, onloading), found.offloading)
                    compared += 1
    assert compared > 50


def test_side_constraints_count_what_is_answered_above():
    """Least shares and energy with servers above servers, against trying everything; J3O's bound holds there, too."""
    kept = 0
    for seed in range(8):
        draw = random.Random(f"tiered limits {seed}")
        said = json.loads(tiered(seed, clients=2, servers=1, models=2, levels=1 + seed % 2).to_json())
        instance = OnloadingInstance.parse(with_limits(said, draw), "limited")
        best = judge.optimum_if_any(instance)
        decision = solve(instance, load("optimum", gap=0.0))
        assert (decision.objective is None) == (best is None)
        found = solve(instance, load("j3o-batching"))
        if best is not None:
            kept += 1
            assert decision.objective == pytest.approx(best, rel=1e-6)
            assert found.bound is None or found.bound >= best * (1 - 1e-6)
            assert found.objective is None or found.objective <= best * (1 + 1e-6)
    assert kept >= 3


def test_a_server_above_is_used_and_its_backhaul_counts():
    """Otherwise the tests above would not see one that nobody uses."""
    used, above = 0, 0
    for seed in range(6):
        decision = solve(tiered(seed, clients=3, servers=2, models=2), load("optimum"))
        assert decision.offloading is not None
        assert decision.onloading is not None
        used += any(flow.server is not None for flow in decision.offloading)
        above += "r0" in decision.onloading
    assert used >= 2
    assert above >= 3


@pytest.mark.parametrize("batching", [False, True])
def test_a_tier_that_is_of_no_use_and_in_nobodys_way_changes_nothing(batching):
    for seed in range(4):
        said = fields(seed, clients=3, servers=2, models=3, batching=batching)
        for server in said["servers"]:
            server["upstream"] = "useless"
        useless = {"memory_bytes": 1e-3, "compute_limit": 1.0, "backhaul_bytes_per_s": 1e15, "backhaul_latency_s": 0}
        said["servers"].insert(1, {"name": "useless", "device": "edge"} | useless)
        with_it, without = (
            OnloadingInstance.parse(said, "x"),
            tiny(seed, clients=3, servers=2, models=3, batching=batching),
        )
        for solver in ("highs", "gurobi"):
            optima = [solve(one, load("optimum", solver=solver, gap=0.0)).objective for one in (with_it, without)]
            assert optima[0] == pytest.approx(optima[1], rel=1e-6)
        for name in ("j3o-batching", "j3o", "density-greedy"):
            found = [solve(one, load(name)) for one in (with_it, without)]
            assert found[0].objective == pytest.approx(found[1].objective, rel=1e-6), (seed, name)
            if found[1].bound is not None:
                assert found[0].bound == pytest.approx(found[1].bound, rel=1e-6)


def test_j3o_is_near_the_optimum_with_servers_above_servers():
    shares = []
    for seed in range(12):
        instance = tiered(seed, clients=6, servers=3, models=4, levels=1 + seed % 2, batching=seed % 3 == 0)
        best = solve(instance, load("optimum", gap=0.0)).objective
        found = solve(instance, load("j3o-batching"))
        assert best is not None
        assert found.objective is not None
        assert found.bound is not None
        assert found.bound >= best * (1 - 1e-6)
        shares.append(found.objective / best)
    assert np.mean(shares) > 0.98
    assert min(shares) > 0.9


def test_the_bound_holds_at_any_prices():
    """At random prices no decision that trying everything finds is worth more than the relaxation says."""
    draw = np.random.default_rng(4)
    for seed in range(4):
        instance = tiered(seed, clients=2, servers=1, models=2, levels=1 + seed % 2)
        best = judge.optimum(instance)
        arrays = arrays_of(instance)
        limits, sacks = limits_of(arrays), knapsacks_of(arrays)
        for _ in range(20):
            prices = draw.choice([0.0, 1.0], len(limits.bound)) * draw.exponential(0.5, len(limits.bound))
            prices[limits.rows :] /= np.maximum(limits.bound[limits.rows :], 1e-9) / arrays.demand
            values = values_at(arrays, limits, prices)
            held = lazy_greedy(values, sacks)
            for start in (values.elsewhere, rows_worth(values, sacks, held)):
                bound = (upper_bound(values, sacks, start) + worth_of_limits(limits, prices)) / arrays.demand
                assert bound >= best * (1 - 1e-9)


def test_without_prices_the_greedys_worth_is_that_of_its_models():
    """F by its definition, over every stop of every row."""
    for seed in range(4):
        arrays = arrays_of(tiered(seed, clients=4, servers=3, models=4, levels=2))
        limits, sacks = limits_of(arrays), knapsacks_of(arrays)
        values = values_at(arrays, limits, np.zeros(len(limits.bound)))
        held = lazy_greedy(values, sacks)
        hosts = hosts_of_filling(sacks, held)
        expected = values.elsewhere.copy()
        for row, client in enumerate(arrays.row_client):
            right = arrays.rate[row] * arrays.accuracy[row]
            here = right[hosts.client[client] & arrays.client_allowed[row]]
            expected[row] = max([expected[row], *here])
        for stop, (row, server) in enumerate(zip(arrays.stop_row, arrays.stop_server, strict=True)):
            right = arrays.rate[row] * arrays.accuracy[row]
            there = right[(hosts.server[server] >= 0) & arrays.edge_allowed[stop, :, 0]]
            expected[row] = max([expected[row], *there])
        assert rows_worth(values, sacks, held) == pytest.approx(expected)


def test_rows_and_stops_of_every_server_stand_together():
    for seed in range(6):
        instance = tiered(seed, clients=7, servers=4, models=2, levels=1 + seed % 3)
        arrays = arrays_of(instance)
        ways = [judge.way_of(instance, instance.clients[c]) for c in arrays.row_client]
        for s, server in enumerate(instance.servers):
            rows = [r for r, way in enumerate(ways) if server.name in way]
            assert rows == list(range(*arrays.server_rows[s]))
            stops = slice(*arrays.server_stops[s])
            assert arrays.stop_row[stops].tolist() == rows
            assert (arrays.stop_server[stops] == s).all()
            assert arrays.stop_hops[stops].tolist() == [ways[r].index(server.name) for r in rows]
        assert len(arrays.stop_row) == sum(len(way) for way in ways)


def by_hand():
    """One client, its server, and a regional one whose model is better; latencies leave room for two hops."""
    said = fields(0, clients=1, servers=1, models=2)
    said["tasks"] = [{"name": "t0", "query_bytes": 100, "latency_limit_s": 1.0}]
    said["models"] = [
        {
            "name": name,
            "memory_bytes": 10,
            "accuracy": {"t0": share},
            "compute": {"any": {"start_s": 0, "per_query_s": 0.01}},
        }
        for name, share in (("small", 0.5), ("large", 0.8))
    ]
    said["cloud"] = {"device": "any", "compute_limit": 0.0}
    server = {"device": "any", "memory_bytes": 10, "compute_limit": 1.0, "backhaul_latency_s": 0.1}
    said["servers"] = [
        server | {"name": "edge", "backhaul_bytes_per_s": 500, "upstream": "region"},
        server | {"name": "region", "backhaul_bytes_per_s": 1},
    ]
    client = {"name": "c", "server": "edge", "device": "any", "memory_bytes": 1, "compute_limit": 1.0}
    said["clients"] = [
        client | {"uplink_bytes_per_s": 1000, "uplink_latency_s": 0.0, "demand_per_s": {"t0": 10.0}},
    ]
    return said


def test_by_hand():
    """The edge's backhaul carries 5 of the 10 queries a second to the region's model: (5 x 0.8 + 5 x 0.5) / 10.

    With the better model at the edge, too, all are answered at 0.8.
    """
    instance = OnloadingInstance.parse(by_hand(), "by hand")
    arrays = arrays_of(instance)
    hosts = hosts_of(instance, {"edge": {"small": 1}, "region": {"large": 1}})
    solution = OffloadingLp(arrays).solve(hosts)
    assert solution is not None
    worth = evaluate(arrays, hosts, solution.offloading)
    assert worth.objective == pytest.approx(0.65)
    assert worth.utilisation["backhaul"] == pytest.approx(1.0)
    assert worth.answered_at["edge"] == pytest.approx(1.0)
    # 0.1 s on the uplink, then 0.1 + 0.2 s on the backhaul, then 0.01 s: a limit of 0.4 s is too tight for the region.
    tight = by_hand()
    tight["tasks"][0]["latency_limit_s"] = 0.4
    arrays = arrays_of(OnloadingInstance.parse(tight, "tight"))
    late = OffloadingLp(arrays).solve(hosts)
    assert late is not None
    assert late.right_per_s == pytest.approx(5.0)
    assert solve(instance, load("j3o-batching")).objective == pytest.approx(0.8)


def test_flows_name_the_server_that_is_not_the_clients_own():
    instance = OnloadingInstance.parse(by_hand(), "by hand")
    arrays = arrays_of(instance)
    onloading = {"edge": {"small": 1}, "region": {"large": 1}}
    hosts = hosts_of(instance, onloading)

    def worth(*flows):
        return evaluate(arrays, hosts, offloading_of(arrays, flows)).objective

    below = Flow(client="c", task="t0", model="small", place="edge", fraction=0.5)
    above = Flow(client="c", task="t0", model="large", place="edge", server="region", fraction=0.5)
    assert worth(below, above) == pytest.approx(0.65)
    assert worth(below.model_copy(update={"server": "edge"}), above) == pytest.approx(0.65)
    for flows, problem in (
        ([above.model_copy(update={"fraction": 0.6})], "the load of the backhaul"),
        ([below, below.model_copy(update={"server": "edge"})], "small (edge) stands twice"),
        ([above.model_copy(update={"server": "regoin"})], "unknown server 'regoin'; did you mean 'region'?"),
        ([above.model_copy(update={"model": "small"})], "small (edge, region) is not there"),
    ):
        with pytest.raises(InfeasibleDecisionError, match=re.escape(problem)):
            worth(*flows)
    said = by_hand()
    said["servers"].append(said["servers"][1] | {"name": "aside"})
    instance = OnloadingInstance.parse(said, "aside")
    arrays = arrays_of(instance)
    hosts = hosts_of(instance, onloading | {"aside": {"large": 1}})
    with pytest.raises(InfeasibleDecisionError, match="is not on the client's way to the cloud"):
        worth(above.model_copy(update={"server": "aside"}))
    with pytest.raises(InputError, match="no server answers a query that is answered at place 'cloud'"):
        Flow.parse(above.model_dump() | {"place": "cloud"}, "flow")


@pytest.mark.parametrize(
    ("upstream", "problem"),
    [
        (("edge", None), "servers[0].upstream: never leads to the cloud (edge -> edge); drop one server's upstream"),
        (("region", "edge"), "servers[0].upstream: never leads to the cloud (edge -> region -> edge)"),
        (("regoin", None), "servers[0].upstream: unknown server 'regoin'; did you mean 'region'?"),
        ((None, "c"), "servers[1].upstream: unknown server 'c'"),
    ],
)
def test_wrong_ways_are_told(upstream, problem):
    said = by_hand()
    for server, above in zip(said["servers"], upstream, strict=True):
        server["upstream"] = above
    with pytest.raises(InputError, match=re.escape(problem)):
        OnloadingInstance.parse(said, "wrong")


def test_no_server_above_is_no_part_of_a_file():
    instance = tiny(1)
    said = fields(1)
    for server in said["servers"]:
        server["upstream"] = None
    assert OnloadingInstance.parse(said, "x").sha256() == instance.sha256()
    decision = solve(instance, load("j3o"))
    assert "upstream" not in instance.to_json()
    assert '"server"' not in decision.to_json()


def test_the_decomposition_knows_no_servers_above_servers():
    with pytest.raises(WorkError, match=r"^j3o-decomposed: .*j3o-batching") as told:
        solve(tiered(0, servers=2), load("j3o-decomposed"))
    assert "\n" not in str(told.value)


def test_the_same_twice():
    instance = tiered(2, clients=5, servers=3, models=4, levels=2, batching=True)
    first, second = (alternate(OffloadingLp(arrays_of(instance))) for _ in range(2))
    assert onloading_of(instance, first.hosts) == onloading_of(instance, second.hosts)
