import itertools

import pytest

from splitshare.placement.contract import Answer, load
from splitshare.placement.instance import PlacementInstance
from tests.replay.examples import fields, module, request

FITS = ("first-fit", "best-fit", "worst-fit")


def instance(capacities, sizes, **compute_s):
    """Devices and modules of the given bytes; a module runs anywhere in a second unless ``compute_s`` says where."""
    anywhere = dict.fromkeys(capacities, 1.0)
    return PlacementInstance.parse(
        fields(
            devices=[{"name": d, "memory_bytes": size} for d, size in capacities.items()],
            links=[
                {"a": a, "b": b, "latency_s": 0.001, "bandwidth_bytes_per_s": 1e6}
                for a, b in itertools.combinations(capacities, 2)
            ],
            modules=[module(m, **compute_s.get(m, anywhere)) | {"memory_bytes": size} for m, size in sizes.items()],
            requests=[request("k", dict.fromkeys(list(sizes)[:-1], 10.0), head=list(sizes)[-1])],
        ),
        "packing",
    )


def place(name, problem):
    answer = load(name).place(problem, seed=0, time_limit=None)
    assert not isinstance(answer, Answer)
    return None if answer is None else {m: "".join(hosts) for m, hosts in answer.items()}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        # 50 opens a (20 left), 40 opens b (20 left), 30 goes to c (60 left), 20 fills a.
        ("first-fit", {"m50": "a", "m40": "b", "m30": "c", "m20": "a"}),
        # 50 is tightest in b (10 left), 40 in a (30 left), 30 fills a, 20 has c alone.
        ("best-fit", {"m50": "b", "m40": "a", "m30": "a", "m20": "c"}),
        # 50 goes to c (90, 40 left), 40 to a (70, 30 left), 30 to b (60, 30 left), 20 to c (40, the most left).
        ("worst-fit", {"m50": "c", "m40": "a", "m30": "b", "m20": "c"}),
    ],
)
def test_packing_by_hand(name, expected):
    problem = instance({"a": 70.0, "b": 60.0, "c": 90.0}, {"m20": 20.0, "m50": 50.0, "m40": 40.0, "m30": 30.0})
    placed = place(name, problem)
    assert placed == expected
    assert list(placed) == ["m50", "m40", "m30", "m20"]


@pytest.mark.parametrize("name", FITS)
def test_ties_go_by_file_order(name):
    problem = instance({"a": 50.0, "b": 50.0}, {"m1": 50.0, "m0": 50.0})
    assert place(name, problem) == {"m1": "a", "m0": "b"}


@pytest.mark.parametrize("name", FITS)
def test_a_device_counts_only_where_the_module_runs(name):
    """By room, every fit but the worst would take a, and the worst c."""
    problem = instance({"a": 50.0, "b": 60.0, "c": 70.0}, {"m": 50.0, "h": 10.0}, m={"a": None, "b": 1.0, "c": None})
    placed = place(name, problem)
    assert placed is not None
    assert placed["m"] == "b"


def test_a_dead_end_is_no_placement_though_one_exists():
    """6, 4, 4, 3, 3 into two bins of 10: 6 + 4 and 4 + 3 + 3 fill them, but worst fit puts both 4 together."""
    problem = instance({"a": 10.0, "b": 10.0}, {"m6": 6.0, "m4": 4.0, "n4": 4.0, "m3": 3.0, "n3": 3.0})
    assert place("first-fit", problem) == {"m6": "a", "m4": "a", "n4": "b", "m3": "b", "n3": "b"}
    assert place("best-fit", problem) == place("first-fit", problem)
    assert place("worst-fit", problem) is None
