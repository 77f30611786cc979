import itertools
import math

import pytest

from splitshare.errors import InputError, WorkError
from splitshare.placement.instance import PlacementInstance
from splitshare.placement.objective import InfeasiblePlacementError, evaluate, normalised
from splitshare.placement.random_instances import random_instances
from tests.placement import judge


@pytest.fixture
def two_devices():
    """One request with two encoders; every number is a power of two or ten, so that sums are exact."""
    return {
        "schema": "splitshare.placement-instance/1",
        "name": "hand",
        "objective": "mean",
        "devices": [{"name": "phone", "memory_bytes": 100}, {"name": "laptop", "memory_bytes": 100}],
        "links": [{"a": "phone", "b": "laptop", "latency_s": 0.5, "bandwidth_bytes_per_s": 8}],
        "modules": [
            {"name": name, "kind": "e", "memory_bytes": memory, "output_bytes": output, "compute_s": compute}
            for name, memory, output, compute in (
                ("vision", 60, 8, {"phone": 4, "laptop": 1}),
                ("text", 30, 4, {"phone": 2, "laptop": 0.5}),
                ("head", 10, 4, {"phone": 0.25, "laptop": 0.125}),
            )
        ],
        "requests": [
            {
                "name": "ask",
                "task": "t",
                "model": "m",
                "source": "phone",
                "rate_per_s": 1,
                "encoders": [{"module": "vision", "input_bytes": 16}, {"module": "text", "input_bytes": 8}],
                "head": "head",
                "result_bytes": 4,
            }
        ],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("vision", "text", "head", "expected"),
    [
        # Everything at the source: encoders one after the other in the order listed, no transfer.
        ("phone", "phone", "phone", 4 + 2 + 0.25),
        # In parallel: the image arrives at 0.5 + 16/8, runs 1, its output needs 0.5 + 8/8; the text is done at 2.
        ("laptop", "phone", "phone", (2.5 + 1 + 1.5) + 0.25),
        # The text (ready at 1.5) overtakes the image (ready at 2.5) on the shared device; the result needs 0.5 + 4/8.
        ("laptop", "laptop", "laptop", max(1.5 + 0.5, 2.5) + 1 + 0.125 + 1.0),
    ],
)
def test_latency_by_hand(two_devices, vision, text, head, expected):
    instance = PlacementInstance.parse(two_devices, "hand")
    worth = evaluate(instance, {"vision": (vision,), "text": (text,), "head": (head,)})
    assert worth.objective == expected


def test_sequential_routing_by_hand(two_devices):
    instance = PlacementInstance.parse(two_devices | {"routing": "sequential"}, "hand")
    # The image is done at 3.5; only then does the text start, at the source, for 2; the head is at the source.
    worth = evaluate(instance, {"vision": ("laptop",), "text": ("phone",), "head": ("phone",)})
    assert worth.objective == 3.5 + 2 + 0.25


def test_overrides_belong_to_the_request_alone(two_devices):
    two_devices["requests"].append(two_devices["requests"][0] | {"name": "long", "head_compute_s": {"phone": 8.0}})
    two_devices["requests"][1]["encoders"] = [
        {"module": "vision", "input_bytes": 16, "compute_s": {"phone": 16.0}},
        {"module": "text", "input_bytes": 8},
    ]
    instance = PlacementInstance.parse(two_devices, "hand")
    worth = evaluate(instance, {"vision": ("phone",), "text": ("phone",), "head": ("phone",)})
    assert worth.latency_s == {"ask": 6.25, "long": 16 + 2 + 8}


def test_evaluator_agrees_with_an_independent_judge_everywhere():
    checked = 0
    for instance in random_instances(range(80)):
        for assignment in itertools.islice(judge.assignments(instance), 200):
            expected = judge.worth(instance, assignment)
            if math.isinf(expected):
                with pytest.raises(InfeasiblePlacementError, match="cannot be answered"):
                    evaluate(instance, assignment)
            else:
                assert evaluate(instance, assignment).objective == pytest.approx(expected, rel=1e-12)
                checked += 1
    assert checked > 1000


@pytest.mark.parametrize(
    ("assignment", "complaint"),
    [
        ({"vision": ("phone",), "text": ("phone",)}, "assignment.head: is on no device"),
        ({"vision": ("tablet",), "text": ("phone",), "head": ("phone",)}, "unknown device 'tablet'"),
        ({"vison": ("phone",)}, "assignment.vison: unknown module; did you mean 'vision'"),
        (
            {"vision": ("phone", "laptop"), "text": ("phone",), "head": ("phone",)},
            "does not allow replication",
        ),
    ],
)
def test_broken_rules_are_named(two_devices, assignment, complaint):
    with pytest.raises(InfeasiblePlacementError, match=complaint):
        evaluate(PlacementInstance.parse(two_devices, "hand"), assignment)


def test_memory_is_a_limit(two_devices):
    two_devices["devices"][0]["memory_bytes"] = 99
    everything = {"vision": ("phone",), "text": ("phone",), "head": ("phone",)}
    with pytest.raises(InfeasiblePlacementError, match="100 bytes of modules on 'phone', which has 99"):
        evaluate(PlacementInstance.parse(two_devices, "hand"), everything)


def test_replicas_serve_each_request_from_the_best_host(two_devices):
    two_devices["replication"] = True
    instance = PlacementInstance.parse(two_devices, "hand")
    single = {"vision": ("phone",), "text": ("phone",), "head": ("phone",)}
    both = single | {"text": ("laptop", "phone")}
    assert evaluate(instance, both).objective == 4 + 0.25  # the text runs on the laptop, beside the image
    assert evaluate(instance, both).routes["ask"].encoders == ("phone", "laptop")


def _edit(fields, path, value):
    for key in path[:-1]:
        fields = fields[key]
    fields[path[-1]] = value


@pytest.mark.parametrize(
    ("path", "value", "complaint"),
    [
        (("devices", 0, "memory_bytes"), -1, r"devices\[0\].memory_bytes: .*greater than or equal to 0"),
        (("devices", 0, "memory_bytes"), "100", r"devices\[0\].memory_bytes: .*valid number"),
        (("links", 0, "b"), "labtop", r"links\[0\].b: unknown device 'labtop'; did you mean 'laptop'"),
        (
            ("links", 0, "bandwidth_bytes_per_s"),
            0,
            r"links\[0\].bandwidth_bytes_per_s: .*greater than or equal to 0.001",
        ),
        (("modules", 0, "compute_s"), {"tablet": 1.0}, r"modules\[0\].compute_s: unknown device 'tablet'"),
        (("requests", 0, "head"), "hat", r"requests\[0\].head: unknown module 'hat'"),
        (("requests", 0, "rate"), 1, r"requests\[0\].rate: unknown key; did you mean 'rate_per_s'"),
        (("requests", 0, "encoders"), [], r"requests\[0\].encoders: is empty; it needs at least one entry"),
        (("objective",), "median", "objective: .*'mean' or 'max'"),
        (
            ("schema",),
            "splitshare.placement-instance/9",
            "schema: is of version '9', and version 1 is read",
        ),
        (("modules", 2, "name"), "text", r"modules\[2\].name: 'text' is the name of modules\[1\] too"),
    ],
)
def test_wrong_instances_are_refused_in_one_line(two_devices, path, value, complaint):
    fields = two_devices
    for key in path[:-1]:
        fields = fields[key]
    fields[path[-1]] = value
    with pytest.raises(InputError, match=complaint) as raised:
        PlacementInstance.parse(two_devices, "file.json")
    assert str(raised.value).startswith("file.json: ")
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("head_on", "complaint"),
    [("laptop", r"requests\[0\].source: no link"), ("phone", r"encoders\[0\].module: no path of links")],
)
def test_a_request_that_is_cut_off_is_a_mistake(two_devices, head_on, complaint):
    two_devices["links"] = []
    two_devices["modules"][0]["compute_s"] = {"laptop": 1}
    two_devices["modules"][2]["compute_s"] = {head_on: 1}
    with pytest.raises(InputError, match=complaint):
        PlacementInstance.parse(two_devices, "file.json")


@pytest.mark.parametrize("answer", [{"m": [float("nan")]}, {"m": [["d"]]}, {"m": ["d", 3]}, {3: "d"}, {"m": 3}, ["m"]])
def test_an_answer_that_is_not_by_name_is_refused_in_one_line(answer):
    with pytest.raises(WorkError, match="the answer ") as refused:
        normalised(answer)
    assert "\n" not in str(refused.value)
