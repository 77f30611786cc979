import copy
import dataclasses

import numpy as np
import pytest

from splitshare.onloading.arrays import arrays_of
from splitshare.onloading.contract import load
from splitshare.onloading.instance import Flow, OnloadingInstance
from splitshare.onloading.objective import EDGE, hosts_of, offloading_of
from splitshare.onloading.run import solve
from splitshare.replay.onloading import Queries, draw_queries, planned_latency_s, replay, travel, ways_of
from tests.onloading.examples import tiny
from tests.onloading.test_objective import BY_HAND


def prepared(onloading, *flows, demand=20.0, **changes):
    fields = copy.deepcopy(BY_HAND) | changes
    fields["clients"][0]["demand_per_s"]["t"] = demand
    instance = OnloadingInstance.parse(fields, "by hand")
    arrays = arrays_of(instance)
    given = tuple(Flow(client="c", task="t", model=m, place=p, fraction=f) for m, p, f in flows)
    return arrays, hosts_of(instance, onloading), offloading_of(arrays, given)


def at(times, model, place):
    count = len(times)
    server = np.full(count, 0 if place == EDGE else -1)
    return Queries(np.array(times), np.zeros(count, dtype=int), np.full(count, model), np.full(count, place), server)


def test_a_client_is_a_queue_with_poisson_arrivals_and_fixed_service():
    """Pollaczek and Khinchine: mean wait = utilisation x service / (2 (1 - utilisation))."""
    arrays, hosts, offloading = prepared({"c": {"small": 1}}, ("small", "client", 1.0), demand=12.0)
    queries = draw_queries(arrays, offloading, load=1.0, horizon_s=20_000, seed=1)
    table = replay(arrays, hosts, queries)
    assert len(table) == pytest.approx(240_000, rel=0.01)
    load_, service = 12 * 0.05, 0.05
    assert table["latency_s"].mean() == pytest.approx(service + load_ * service / (2 * (1 - load_)), rel=0.02)


def test_a_batch_starts_when_it_is_full_or_its_time_is_up():
    arrays, hosts, _ = prepared({"s": {"large": 4}})
    # Uplink: 0.05 s each, one at a time, and 0.01 s of latency. Four queries come together, one alone.
    table = replay(arrays, hosts, at([0.0, 0.0, 0.0, 0.0, 5.0], 1, 1))
    assert table["batch"].tolist() == [4, 4, 4, 4, 1]
    # The fourth is there at 0.21; a batch of four takes 0.16 s. The last waits 0.3 s and takes 0.1 s alone.
    assert table["finish_s"].tolist() == pytest.approx([0.37] * 4 + [5.06 + 0.3 + 0.1])


def test_a_batch_of_two_when_the_third_comes_too_late():
    arrays, hosts, _ = prepared({"s": {"large": 4}})
    table = replay(arrays, hosts, at([0.0, 0.2, 0.4], 1, 1))
    # There at 0.06, 0.26 and 0.46; time is up at 0.36 for the first two, at 0.76 for the third.
    assert table["batch"].tolist() == [2, 2, 1]
    assert table["finish_s"].tolist() == pytest.approx([0.36 + 0.12] * 2 + [0.76 + 0.1])


def test_queries_of_another_batch_size_wait_apart_and_a_lost_server_forgets_all_that_it_had():
    arrays, hosts, _ = prepared({"s": {"large": 4}})
    ways = ways_of(arrays, hosts, at([0.0, 0.0, 0.1], 1, 1))
    # The third is not to be batched: there at 0.16 and done at 0.26; the others' time is up at 0.36.
    apart = dataclasses.replace(ways, batch=np.array([1, 1, 0]))
    table = travel(arrays, apart)
    assert table["finish_s"].tolist() == pytest.approx([0.48, 0.48, 0.26])
    assert table["batch"].tolist() == [2, 2, 1]
    # Lost at 0.2: what collects and what is computed is gone; the next one finds idle processors and an empty batch.
    later = ways_of(arrays, hosts, at([0.0, 0.0, 0.1, 5.0], 1, 1))
    lost = dataclasses.replace(later, batch=np.array([1, 1, 0, 1]), ends_s=np.array([0.2, 0.2, 0.2, np.inf]))
    table = travel(arrays, lost, [(0.2, 0)])
    assert table["finish_s"].isna().tolist() == [True, True, True, False]
    assert table["accuracy"].tolist() == [0, 0, 0, 0.8]
    assert table["finish_s"].iloc[3] == pytest.approx(5.06 + 0.3 + 0.1)


def test_the_way_to_the_cloud():
    arrays, hosts, _ = prepared({})
    table = replay(arrays, hosts, at([0.0, 0.0], 1, 2))
    # Uplink 0.05 each + 0.01, backhaul 0.1 each + 0.05, computing 0.1 on one processor.
    assert table["finish_s"].tolist() == pytest.approx([0.06 + 0.15 + 0.1, 0.06 + 0.2 + 0.05 + 0.1])
    assert planned_latency_s(*prepared({}, ("large", "cloud", 0.05))) == pytest.approx([0.31])


def test_routes_follow_the_fractions_and_what_is_left_is_not_served():
    arrays, hosts, offloading = prepared(
        {"c": {"small": 1}, "s": {"large": 4}},
        ("small", "client", 0.2),
        ("large", "edge", 0.5),
        ("large", "cloud", 0.05),
    )
    table = replay(arrays, hosts, draw_queries(arrays, offloading, load=1.0, horizon_s=2000, seed=3))
    shares = table["place"].value_counts(normalize=True)
    assert shares.to_dict() == pytest.approx({"edge": 0.5, "unserved": 0.25, "client": 0.2, "cloud": 0.05}, abs=0.01)
    assert table.loc[table["place"] == "unserved", "latency_s"].isna().all()
    assert table["accuracy"].mean() == pytest.approx(0.2 * 0.5 + 0.55 * 0.8, abs=0.01)


def test_a_decision_keeps_its_accuracy_and_at_low_load_its_latency():
    instance = tiny(4, clients=6, servers=2, models=6)
    decision = solve(instance, load("j3o"))
    arrays = arrays_of(instance)
    assert decision.onloading is not None
    assert decision.offloading is not None
    hosts, offloading = hosts_of(instance, decision.onloading), offloading_of(arrays, decision.offloading)
    full = replay(arrays, hosts, draw_queries(arrays, offloading, load=1.0, horizon_s=500, seed=0))
    assert full["accuracy"].mean() == pytest.approx(decision.objective, abs=0.01)
    idle = replay(arrays, hosts, draw_queries(arrays, offloading, load=0.002, horizon_s=50_000, seed=0))
    planned = np.average(
        planned_latency_s(arrays, hosts, offloading), weights=arrays.rate[offloading.row] * offloading.fraction
    )
    assert idle["latency_s"].mean() == pytest.approx(planned, rel=0.03)
    assert (idle["latency_s"] <= idle["limit_s"]).mean() > 0.99


def test_the_same_seed_gives_the_same_replay():
    arrays, hosts, offloading = prepared({"s": {"large": 4}}, ("large", "edge", 0.6))
    tables = [
        replay(arrays, hosts, draw_queries(arrays, offloading, load=1.0, horizon_s=50, seed=s)) for s in (1, 1, 2)
    ]
    assert tables[0].equals(tables[1])
    assert not tables[0].equals(tables[2])
