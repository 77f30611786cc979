import copy
from typing import Any

import numpy as np
import pytest

from splitshare.onloading.arrays import arrays_of
from splitshare.onloading.instance import Flow, OnloadingInstance
from splitshare.onloading.objective import InfeasibleDecisionError, evaluate, hosts_of, offloading_of, onloading_of
from tests.onloading.examples import fields

BY_HAND: dict[str, Any] = {
    "schema": "splitshare.onloading-instance/1",
    "name": "by-hand",
    "batches": [{"size": 1, "wait_s": 0.0}, {"size": 4, "wait_s": 0.3}],
    "tasks": [{"name": "t", "query_bytes": 100, "latency_limit_s": 0.6}],
    "models": [
        {
            "name": "small",
            "memory_bytes": 10,
            "accuracy": {"t": 0.5},
            "compute": {d: {"start_s": 0.02, "per_query_s": 0.03} for d in ("client", "edge", "cloud")},
        },
        {
            "name": "large",
            "memory_bytes": 30,
            "accuracy": {"t": 0.8},
            "compute": {d: {"start_s": 0.08, "per_query_s": 0.02} for d in ("edge", "cloud")},
        },
    ],
    "cloud": {"device": "cloud", "compute_limit": 0.1},
    "servers": [
        {
            "name": "s",
            "device": "edge",
            "memory_bytes": 30,
            "compute_limit": 0.5,
            "backhaul_bytes_per_s": 1000,
            "backhaul_latency_s": 0.05,
        }
    ],
    "clients": [
        {
            "name": "c",
            "server": "s",
            "device": "client",
            "memory_bytes": 10,
            "compute_limit": 0.2,
            "uplink_bytes_per_s": 2000,
            "uplink_latency_s": 0.01,
            "demand_per_s": {"t": 20},
        }
    ],
}


def worth(onloading, *flows, **changes):
    instance = OnloadingInstance.parse(copy.deepcopy(BY_HAND) | changes, "by hand")
    arrays = arrays_of(instance)
    given = tuple(Flow(client="c", task="t", model=m, place=p, fraction=f) for m, p, f in flows)
    return evaluate(arrays, hosts_of(instance, onloading), offloading_of(arrays, given))


def test_by_hand():
    # 20 queries a second: 4 at the client (0.05 s each), 10 in batches of 4 at the edge (0.16 s / 4 = 0.04 s each),
    # 1 in the cloud (0.1 s); 5 go unanswered.
    found = worth(
        {"c": {"small": 1}, "s": {"large": 4}},
        ("small", "client", 0.2),
        ("large", "edge", 0.5),
        ("large", "cloud", 0.05),
    )
    assert found.objective == pytest.approx(0.2 * 0.5 + 0.55 * 0.8)
    assert found.unserved == pytest.approx(0.25)
    assert found.answered_at == pytest.approx({"client": 0.2, "edge": 0.5, "cloud": 0.05})
    assert found.utilisation == pytest.approx(
        {"client": 1.0, "server": 10 * 0.04 / 0.5, "cloud": 1.0, "uplink": 11 * 100 / 2000, "backhaul": 0.1}
    )


@pytest.mark.parametrize(
    ("onloading", "flows", "complaint"),
    [
        ({"c": {"small": 1, "large": 1}}, [], "do not fit 10 bytes"),
        ({"s": {"large": 1, "small": 1}}, [], "do not fit 30 bytes"),
        ({"x": {"small": 1}}, [], "unknown client or server 'x'"),
        ({"c": {"smal": 1}}, [], "did you mean 'small'"),
        ({"c": {"small": 4}}, [], "clients do not batch"),
        ({"s": {"small": 8}}, [], "the instance offers 1, 4"),
        ({}, [("small", "client", 0.1)], "is not there"),
        ({}, [("large", "edge", 0.1)], "is not there"),
        ({"c": {"small": 1}}, [("small", "client", 0.3)], "c: the load of the client"),
        ({"s": {"large": 1}}, [("large", "edge", 0.3)], "s: the load of the server"),
        ({"s": {"small": 1}}, [("small", "edge", 1.0)], "s: the load of the server"),
        ({}, [("large", "cloud", 0.06)], "the load of the cloud"),
        ({"s": {"large": 4}}, [("large", "edge", 0.4)], "do not fill batches in time; 10 would"),
        (
            {"c": {"small": 1}},
            [("small", "client", 0.1), ("small", "cloud", 0.95)],
            "c, t: the sum of the fractions is 1.05",
        ),
    ],
)
def test_a_broken_rule_is_named(onloading, flows, complaint):
    with pytest.raises(InfeasibleDecisionError, match=complaint):
        worth(onloading, *flows)


def test_links_are_limits_too():
    cheap = {"cloud": {"device": "cloud", "compute_limit": 9.0}}
    narrow = [BY_HAND["clients"][0] | {"uplink_bytes_per_s": 500}]
    with pytest.raises(InfeasibleDecisionError, match="c: the load of the uplink"):
        worth({}, ("small", "cloud", 0.4), **cheap, clients=narrow)
    with pytest.raises(InfeasibleDecisionError, match="s: the load of the backhaul"):
        worth({}, ("small", "cloud", 0.7), **cheap)


def test_the_latency_limit_is_that_of_the_whole_way():
    # Cloud: 0.01 + 0.05 up, 0.05 + 0.1 back, 0.1 of computing: 0.31 s.
    cheap = {"cloud": {"device": "cloud", "compute_limit": 9.0}}
    task = BY_HAND["tasks"][0]
    worth({}, ("large", "cloud", 0.1), **cheap, tasks=[task | {"latency_limit_s": 0.3101}])
    with pytest.raises(InfeasibleDecisionError, match="latency limit"):
        worth({}, ("large", "cloud", 0.1), **cheap, tasks=[task | {"latency_limit_s": 0.3099}])
    # Batches of 4 at the edge: 0.06 up, at most 0.3 of waiting, 0.16 of computing: 0.52 s.
    for limit, fits in ((0.5201, True), (0.5199, False)):
        given = ({"s": {"large": 4}}, ("large", "edge", 0.5))
        tasks = [task | {"latency_limit_s": limit}]
        if fits:
            worth(*given, tasks=tasks)
        else:
            with pytest.raises(InfeasibleDecisionError, match="latency limit"):
                worth(*given, tasks=tasks)


def test_onloadings_survive_the_way_into_arrays_and_back():
    instance = OnloadingInstance.parse(fields(2, clients=3, servers=2, models=4, batching=True), "x")
    onloading = {"c1": {"m0": 1}, "s0": {"m1": 4}, "s1": {"m0": 1, "m3": 4}}
    assert onloading_of(instance, hosts_of(instance, onloading)) == onloading


def test_rows_stand_server_by_server():
    arrays = arrays_of(OnloadingInstance.parse(fields(2, clients=5, servers=2), "x"))
    assert (np.diff(arrays.row_server) >= 0).all()
    for slices, owner in ((arrays.client_rows, arrays.row_client), (arrays.server_rows, arrays.row_server)):
        for index, (first, last) in enumerate(slices):
            assert np.flatnonzero(owner == index).tolist() == list(range(first, last))
