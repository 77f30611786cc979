"""Batches in the simulator: by hand, against the readable replay, and as before where there are none."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from splitshare.errors import InputError
from splitshare.placement.instance import PlacementInstance
from splitshare.placement.objective import Route
from splitshare.replay.batching import BatchCurves, Batching, read_batching, runs
from splitshare.replay.plan import LINK_MODELS, STAGES, LinkModel, Overheads
from splitshare.replay.simulator import simulate
from tests.replay.examples import example, instances, routes_of, trace_of
from tests.replay.reference import BatchReplay, Stages

LOCAL = {"pair": Route(("b", "b"), "b"), "single": Route(("b",), "b")}


def curve(module: str, device: str, requests: list[str], seconds: dict[int, float]) -> dict[str, Any]:
    return {
        "module": module,
        "device": device,
        "requests": requests,
        "batches": list(seconds),
        "seconds": list(seconds.values()),
        "provenance": "assumed",
        "source": "a test",
    }


def curves_of(instance: PlacementInstance, more: dict[int, float]) -> BatchCurves:
    """Every stage's own time, and times as many more for batches."""
    listed = []
    for module, device, request, seconds in sorted({(m, d, r, s) for r, m, d, s in runs(instance)}):
        times = {1: 1.0} | more
        listed.append(curve(module, device, [request], {n: seconds * factor for n, factor in times.items()}))
    return BatchCurves.parse(
        {"schema": "splitshare.batch-curves/1", "instance": instance.name, "curves": listed}, "curves"
    )


@pytest.fixture
def on_source() -> PlacementInstance:
    """The example with its source on ``b``, where all modules are: nothing travels."""
    fields = example().model_dump(mode="json", by_alias=True, exclude_defaults=True)
    for request in fields["requests"]:
        request["source"] = "b"
    return PlacementInstance.parse(fields, "example")


def encodes(stages: pd.DataFrame, module: str = "vision") -> list[list[float]]:
    rows = stages[(stages["stage"] == "encode") & (stages["module"] == module)]
    return [[round(float(x), 6) for x in row] for row in rows[["start_s", "finish_s", "busy_s"]].to_numpy()]


def test_a_batch_by_hand(on_source: PlacementInstance) -> None:
    """Vision takes 0.2 s, 0.3 s for two, 0.5 s for four; four requests, the first alone."""
    batching = Batching(4, curves_of(on_source, {2: 1.5, 4: 2.5}))
    trace = trace_of(on_source, [(0.0, "single", 1.0), *[(0.01 * i, "single", 1.0) for i in (1, 2, 3)]])
    result = simulate(on_source, LOCAL, trace, batching=batching)
    # Of the three that wait when the first is done two run: there is no time for three.
    assert encodes(result.stages) == [[0.0, 0.2, 0.2], [0.2, 0.5, 0.15], [0.2, 0.5, 0.15], [0.5, 0.7, 0.2]]
    # Heads become ready at 0.2, 0.5, 0.5 and 0.7 s, the first of them behind the last encoder, the last as that ends.
    heads = result.stages[result.stages["stage"] == "head"]
    assert heads["start_s"].tolist() == pytest.approx([0.7] * 4)
    assert result.stages["busy_s"].sum() == pytest.approx(0.2 + 0.3 + 0.2 + 0.025)
    assert result.requests["latency_s"].tolist() == pytest.approx([0.725, 0.715, 0.705, 0.695])


def test_only_stages_alike_run_together(on_source: PlacementInstance) -> None:
    """Same module, size of request and curve; a batch is one run for the overheads."""
    batching = Batching(4, curves_of(on_source, {2: 1.5, 3: 2.0}))
    arrivals = [(0.0, "single", 1.0), (0.01, "single", 1.0), (0.02, "single", 2.0), (0.03, "pair", 1.0)]
    trace = trace_of(on_source, arrivals)
    result = simulate(on_source, LOCAL, trace, batching=batching, overheads=Overheads(run_s=0.001))
    # The example's curves of `pair` and `single` are the same for vision, so the last joins the second.
    assert encodes(result.stages) == [
        [0.0, 0.201, 0.201],
        [0.201, 0.502, 0.1505],
        [0.502, 0.904, 0.402],
        [0.201, 0.502, 0.1505],
    ]


def in_one_way(instance: PlacementInstance) -> PlacementInstance:
    """The instance in which a request that uses a module twice does so in one way: curves tell no uses apart."""
    requests = []
    for request in instance.requests:
        compute_s: dict[str, dict[str, float | None]] = {}
        for j, use in enumerate(request.encoders):
            compute_s.setdefault(use.module, instance.encoder_compute_s(request, j))
        encoders = tuple(use.model_copy(update={"compute_s": compute_s[use.module]}) for use in request.encoders)
        head = compute_s.get(request.head, request.head_compute_s)
        requests.append(request.model_copy(update={"encoders": encoders, "head_compute_s": head}))
    return instance.model_copy(update={"requests": tuple(requests)})


def drawn(
    data: st.DataObject, sizes: tuple[float, ...] = (0.0, 1.0, 2.0)
) -> tuple[PlacementInstance, dict[str, Route], list[tuple[float, str, float]]]:
    """Whole numbers make ties common."""
    instance = in_one_way(data.draw(instances(st.integers(1, 3).map(float), st.sampled_from([0.5, 1.0, 2.0]))))
    names = [r.name for r in instance.requests]
    arrival = st.tuples(st.integers(0, 12).map(float), st.sampled_from(names), st.sampled_from(sizes))
    arrivals = sorted(data.draw(st.lists(arrival, min_size=1, max_size=12)), key=lambda a: a[0])
    return instance, data.draw(routes_of(instance)), arrivals


@settings(max_examples=60, deadline=None)
@given(data=st.data(), link_model=st.sampled_from(LINK_MODELS))
def test_batches_of_one_are_no_batches(data: st.DataObject, link_model: LinkModel) -> None:
    instance, routes, arrivals = drawn(data, (0.5, 1.0, 2.0))  # stages of no time may change places
    trace = trace_of(instance, arrivals)
    alone = simulate(instance, routes, trace, link_model=link_model)
    batching = Batching(3, curves_of(instance, {}))
    batched = simulate(instance, routes, trace, link_model=link_model, batching=batching)
    pd.testing.assert_frame_equal(alone.stages, batched.stages, check_exact=True)
    pd.testing.assert_frame_equal(alone.requests, batched.requests, check_exact=True)


@settings(max_examples=150, deadline=None)
@given(
    data=st.data(),
    link_model=st.sampled_from(LINK_MODELS),
    max_batch=st.integers(2, 5),
    more=st.sampled_from([{2: 1.0, 3: 2.0, 4: 2.0}, {2: 2.0, 4: 3.0}, {3: 0.5}]),
)
def test_every_batch_is_as_in_the_readable_replay(
    data: st.DataObject, link_model: LinkModel, max_batch: int, more: dict[int, float]
) -> None:
    instance, routes, arrivals = drawn(data)
    batching = Batching(max_batch, curves_of(instance, more))
    result = simulate(instance, routes, trace_of(instance, arrivals), link_model=link_model, batching=batching)
    factors = {1: 1.0} | {size: factor for size, factor in more.items() if size <= max_batch}
    expected = BatchReplay(instance, routes, link_model, max_batch, factors).run(arrivals)
    found: Stages = {}
    for request_id, stage, *times in result.stages[
        ["request_id", "stage", "ready_s", "start_s", "finish_s"]
    ].to_numpy():
        kind = STAGES.index(stage)
        encoder = sum(key[:2] == (request_id - 100, kind) for key in found)
        found[request_id - 100, kind, encoder] = tuple(times)
    assert found == expected
    # Shares of batches add up to the time in which a device is held.
    computed = result.stages[result.stages["device"].notna()]
    held = computed.drop_duplicates(["device", "start_s", "finish_s", "module"])
    lasted_s = (held["finish_s"] - held["start_s"]).groupby(held["device"].astype(str)).sum()
    shares_s = computed["busy_s"].groupby(computed["device"].astype(str)).sum()
    assert shares_s.to_dict() == pytest.approx(lasted_s.to_dict())


def refusal(instance: PlacementInstance, curves: list[dict[str, Any]]) -> str:
    value = {"schema": "splitshare.batch-curves/1", "instance": "example", "curves": curves}
    with pytest.raises(InputError) as error:
        BatchCurves.parse(value, "curves.json").check(instance, "curves.json")
    return str(error.value)


def test_curves_that_are_not_of_the_instance_are_refused() -> None:
    instance = example()
    every = [c.model_dump(mode="json") for c in curves_of(instance, {2: 1.5}).curves]
    BatchCurves.parse({"schema": "splitshare.batch-curves/1", "instance": "example", "curves": every}, "x").check(
        instance, "x"
    )
    assert "has none of" in refusal(instance, every[:-1])
    assert "in the instance" in refusal(instance, [every[0] | {"seconds": [7.0, 9.0]}, *every[1:]])
    assert "unknown 'vison'; did you mean 'vision'?" in refusal(instance, [every[0] | {"module": "vison"}])
    assert "unknown 'd'" in refusal(instance, [every[0] | {"device": "d"}])
    assert "unknown 'singel'" in refusal(instance, [every[0] | {"requests": ["singel"]}])
    assert "stands in curves[0] too" in refusal(instance, [every[0], every[0]])
    assert "must begin with 1" in refusal(instance, [every[0] | {"batches": [2, 4]}])
    assert "must ascend" in refusal(instance, [every[0] | {"batches": [1, 1]}])


def test_batches_are_not_guessed(tmp_path: Path) -> None:
    instance = example()
    assert read_batching(None, 1, instance, needed=True) == Batching(1)
    assert read_batching(None, 4, instance, needed=False).seconds("vision", "b", "pair") == {}
    with pytest.raises(InputError, match="--batch-curves"):
        read_batching(None, 4, instance, needed=True)
    curves_of(instance, {2: 1.5, 8: 4.0}).write(tmp_path / "curves.json")
    read = read_batching(tmp_path / "curves.json", 4, instance, needed=True)
    assert read.seconds("vision", "b", "pair") == pytest.approx({1: 0.2, 2: 0.3})
