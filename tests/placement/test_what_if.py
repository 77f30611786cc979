"""Other networks and devices, and the cloud, against closed forms."""

import pytest

from splitshare.catalog.records import Testbed
from splitshare.placement.algorithms.cloud import Cloud
from splitshare.placement.instance import PlacementInstance
from splitshare.placement.objective import evaluate
from splitshare.placement.run import solve
from splitshare.placement.what_if import with_network, with_speed

FIELDS = {
    "schema": "splitshare.placement-instance/1",
    "name": "hand",
    "objective": "mean",
    "devices": [
        {"name": "small", "memory_bytes": 100},
        {"name": "big", "memory_bytes": 100},
        {"name": "cloud", "tier": "cloud", "memory_bytes": 100},
    ],
    "links": [
        {"a": a, "b": b, "latency_s": 0.025, "bandwidth_bytes_per_s": 100}
        for a, b in (("small", "big"), ("small", "cloud"), ("big", "cloud"))
    ],
    "modules": [
        {
            "name": name,
            "kind": "module",
            "memory_bytes": 10,
            "output_bytes": 50,
            "compute_s": {"small": seconds, "big": None, "cloud": seconds / 10},
        }
        for name, seconds in (("encoder", 2.0), ("head", 1.0))
    ],
    "requests": [
        {
            "name": "k",
            "task": "t",
            "model": "m",
            "source": "small",
            "rate_per_s": 1,
            "encoders": [{"module": "encoder", "input_bytes": 300, "compute_s": {"small": 8.0, "cloud": 0.8}}],
            "head": "head",
            "head_compute_s": {"small": 4.0, "cloud": 0.4},
            "result_bytes": 20,
        }
    ],
}
INSTANCE = PlacementInstance.parse(FIELDS, "hand")
HERE = {"encoder": ("small",), "head": ("small",)}
THERE = {"encoder": ("cloud",), "head": ("cloud",)}


def test_everything_in_the_cloud_is_travel_compute_and_travel_back():
    placement = solve(INSTANCE, Cloud())
    assert placement.assignment == THERE
    # One way of 25 ms and 300 bytes at 100 bytes/s, the request's own compute times, one way and 20 bytes back.
    assert placement.objective == pytest.approx(0.025 + 3.0 + 0.8 + 0.4 + 0.025 + 0.2, rel=1e-12)


def test_there_is_no_cloud_without_a_device_of_that_tier():
    fields = FIELDS | {"devices": [{"name": n, "memory_bytes": 100} for n in ("small", "big", "cloud")]}
    placement = solve(PlacementInstance.parse(fields, "edge only"), Cloud())
    assert (placement.status, placement.assignment, placement.objective) == ("infeasible", None, None)


@pytest.mark.parametrize("speed", [0.5, 1.0, 4.0])
def test_a_faster_device_computes_everything_faster_and_no_other_does(speed):
    scaled = with_speed(INSTANCE, "small", speed)
    assert evaluate(scaled, HERE).objective == pytest.approx((8.0 + 4.0) / speed, rel=1e-12)
    assert evaluate(scaled, THERE).objective == evaluate(INSTANCE, THERE).objective
    assert [m.compute_s["small"] for m in scaled.modules] == [2.0 / speed, 1.0 / speed]
    assert scaled.modules[0].compute_s["big"] is None
    assert (scaled.sha256() == INSTANCE.sha256()) == (speed == 1.0)


def test_another_network_changes_every_link_and_nothing_else():
    testbed = Testbed.parse(
        {
            "schema": "splitshare.testbed/1",
            "name": "t",
            "title": "T",
            "devices": [{"name": n, "device_type": n} for n in "abc"],
            "links": [
                {"a": "a", "b": "b", "latency_s": 1.0, "bandwidth_bytes_per_s": 1.0, "cell": "air"},
                {"a": "b", "b": "c", "latency_s": 2.0, "bandwidth_bytes_per_s": 2.0},
            ],
            "source": "a",
        },
        "t.yaml",
    )
    other = with_network(testbed, latency_s=0.1, bandwidth_bytes_per_s=7.0)
    assert [(x.a, x.b, x.latency_s, x.bandwidth_bytes_per_s, x.cell) for x in other.links] == [
        ("a", "b", 0.1, 7.0, "air"),
        ("b", "c", 0.1, 7.0, None),
    ]
    assert (other.devices, other.source) == (testbed.devices, testbed.source)
