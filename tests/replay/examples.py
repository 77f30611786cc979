"""Instances and traces for the tests of the replay."""

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np
from hypothesis import strategies as st

from splitshare.placement.instance import PlacementInstance
from splitshare.placement.objective import Route
from splitshare.replay.traces import RequestTrace

DEVICES = ("a", "b", "c")


def fields(**fixed: Any) -> dict[str, Any]:
    """Source ``a``, encoders on ``b`` and ``c``, heads anywhere; two request classes, 1 Mbyte/s and 1 ms a link."""
    return {
        "schema": "splitshare.placement-instance/1",
        "name": "example",
        "objective": "mean",
        "devices": [{"name": name, "memory_bytes": 100.0} for name in DEVICES],
        "links": [
            {"a": a, "b": b, "latency_s": 0.001, "bandwidth_bytes_per_s": 1e6}
            for a, b in itertools.combinations(DEVICES, 2)
        ],
        "modules": [
            module("vision", a=None, b=0.2, c=0.3),
            module("text", a=None, b=0.1, c=0.1),
            module("head", a=0.01, b=0.01, c=0.01),
        ],
        "requests": [
            request("pair", {"vision": 100_000, "text": 50_000}),
            request("single", {"vision": 100_000}, rate_per_s=3.0),
        ],
    } | fixed


def module(name: str, **compute_s: float | None) -> dict[str, Any]:
    return {"name": name, "kind": "encoder", "memory_bytes": 1, "output_bytes": 1000, "compute_s": compute_s}


def request(name: str, input_bytes: dict[str, float], **fixed: Any) -> dict[str, Any]:
    return {
        "name": name,
        "task": "task",
        "model": name,
        "source": "a",
        "rate_per_s": 1.0,
        "encoders": [{"module": m, "input_bytes": size} for m, size in input_bytes.items()],
        "head": "head",
        "result_bytes": 10,
    } | fixed


def example(**fixed: Any) -> PlacementInstance:
    return PlacementInstance.parse(fields(**fixed), "example")


def trace_of(instance: PlacementInstance, arrivals: Sequence[tuple[float, str, float]]) -> RequestTrace:
    classes = tuple(r.name for r in instance.requests)
    return RequestTrace(
        request_id=np.arange(len(arrivals), dtype=np.int64) + 100,
        arrival_s=np.array([time for time, _, _ in arrivals], dtype=np.float64),
        classes=classes,
        request_class=np.array([classes.index(name) for _, name, _ in arrivals], dtype=np.int64),
        size=np.array([size for _, _, size in arrivals], dtype=np.float64),
    )


@st.composite
def instances(draw: st.DrawFn, numbers: st.SearchStrategy[float], bandwidths: st.SearchStrategy[float]):
    """Instances in which every module runs anywhere and all devices are linked; overrides, cells, both routings."""
    count = draw(st.integers(1, 4))
    names = [f"m{i}" for i in range(count)]

    def compute() -> dict[str, float]:
        return {device: draw(numbers) for device in DEVICES}

    def encoder() -> dict[str, Any]:
        use: dict[str, Any] = {"module": draw(st.sampled_from(names)), "input_bytes": draw(numbers)}
        if draw(st.booleans()):
            use |= {"compute_s": compute(), "output_bytes": draw(numbers)}
        return use

    requests = []
    for i in range(draw(st.integers(1, 3))):
        one = request(f"k{i}", {}, source=draw(st.sampled_from(DEVICES)), head=draw(st.sampled_from(names)))
        one |= {"encoders": [encoder() for _ in range(draw(st.integers(1, 3)))], "result_bytes": draw(numbers)}
        if draw(st.booleans()):
            one["head_compute_s"] = compute()
        requests.append(one)
    return example(
        replication=True,
        routing=draw(st.sampled_from(["parallel", "sequential"])),
        links=[
            {"a": a, "b": b, "latency_s": draw(numbers), "bandwidth_bytes_per_s": draw(bandwidths)}
            | ({"cell": "air"} if draw(st.booleans()) else {})
            for a, b in itertools.combinations(DEVICES, 2)
        ],
        modules=[module(name, **compute()) | {"output_bytes": draw(numbers)} for name in names],
        requests=requests,
    )


@st.composite
def routes_of(draw: st.DrawFn, instance: PlacementInstance):
    device = st.sampled_from(DEVICES)
    return {r.name: Route(tuple(draw(device) for _ in r.encoders), draw(device)) for r in instance.requests}


@st.composite
def assignments_of(draw: st.DrawFn, instance: PlacementInstance):
    hosts = st.lists(st.sampled_from(DEVICES), min_size=1, max_size=3, unique=True).map(tuple)
    return {m.name: draw(hosts) for m in instance.modules}
