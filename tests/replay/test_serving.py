"""Queues, copies, short memory and deadlines: stage by stage as in a readable replay, and by hand."""

import math
from collections import Counter
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from splitshare.placement.instance import PlacementInstance
from splitshare.placement.objective import evaluate
from splitshare.replay.plan import LINK_MODELS, STAGES, LinkModel
from splitshare.replay.result import ReplayResult
from splitshare.replay.serving.rules import Serving, Swapping
from splitshare.replay.simulator import simulate
from tests.replay.examples import DEVICES, assignments_of, instances, routes_of, trace_of
from tests.replay.queue_reference import Key, QueueReplay, Rules, Times

WHOLE = st.integers(0, 3).map(float)
COLUMNS = ["request_id", "stage", "ready_s", "start_s", "finish_s", "busy_s"]


def as_reference(result: ReplayResult) -> dict[Key, tuple[float, float, float]]:
    """Times of the stages table, by request, kind and position of the encoder; only stages that became ready."""
    found: dict[Key, tuple[float, float, float]] = {}
    seen: Counter[tuple[int, int]] = Counter()
    for request_id, stage, *times, _ in result.stages[COLUMNS].to_numpy().tolist():
        kind = STAGES.index(stage)
        key = (request_id - 100, kind, seen[request_id - 100, kind])
        seen[request_id - 100, kind] += 1
        if not math.isnan(times[0]):
            found[key] = tuple(times)
    return found


def assert_same(result: ReplayResult, replay: QueueReplay, expected: dict[Key, Times], tolerance: float) -> None:
    found = as_reference(result)
    assert found.keys() == expected.keys()
    for key, times in expected.items():
        assert found[key] == pytest.approx(times[:3], rel=tolerance, abs=tolerance, nan_ok=True), key
    dropped = result.requests.index[result.requests["status"] == "dropped"].tolist()
    assert dropped == sorted(replay.dropped)
    ends = [replay.dropped.get(i, expected.get((i, 4, 0), Times(0.0)).finish) for i in range(len(result.requests))]
    assert result.requests["finish_s"].tolist() == pytest.approx(ends, rel=tolerance, abs=tolerance)
    loaded = Counter(replay.loads)
    if result.loads is not None:
        told = {(row.device, row.module): row.loads for row in result.loads.itertuples()}
        assert told == loaded


@st.composite
def rules_of(draw: st.DrawFn, instance: PlacementInstance) -> Rules:
    names = [r.name for r in instance.requests]
    routing = draw(st.sampled_from(["plan", "least-completion", "shortest-queue"]))
    queues = {d: draw(st.sampled_from(["fcfs", "priority"])) for d in DEVICES}
    rules: dict[str, Any] = {
        "queues": queues,
        "priority": {n: draw(st.integers(0, 2)) for n in names} if "priority" in queues.values() else {},
        "routing": routing,
        "hosts": draw(assignments_of(instance)),
    }
    if draw(st.booleans()):
        rules["memory"] = {d: float(draw(st.integers(1, 3))) for d in DEVICES}
        rules["load_s"] = {(d, m.name): draw(st.sampled_from([1.0, 2.0])) for d in DEVICES for m in instance.modules}
    if draw(st.booleans()):
        rules["deadline_s"] = {n: draw(st.sampled_from([0.0, 2.0, 5.0])) for n in names if draw(st.booleans())}
    return Rules(**rules)


def serving_of(rules: Rules) -> Serving:
    return Serving(
        queues=rules.queues,  # type: ignore[arg-type]
        priority=rules.priority,
        routing=rules.routing,  # type: ignore[arg-type]
        hosts=rules.hosts,
        swapping=None if rules.memory is None else Swapping(rules.load_s, rules.memory),
        deadline_s=rules.deadline_s,
    )


@settings(max_examples=150, deadline=None)
@given(data=st.data(), link_model=st.sampled_from(LINK_MODELS))
def test_every_stage_is_as_in_the_readable_replay(data: st.DataObject, link_model: LinkModel) -> None:
    """Small whole numbers, so that ties are common and sums exact."""
    instance = data.draw(instances(WHOLE, st.sampled_from([0.5, 1.0, 2.0])))
    rules = data.draw(rules_of(instance))
    routes = evaluate(instance, rules.hosts).routes
    names = [r.name for r in instance.requests]
    arrival = st.tuples(st.integers(0, 12).map(float), st.sampled_from(names), st.sampled_from([0.0, 1.0, 2.0]))
    arrivals = sorted(data.draw(st.lists(arrival, min_size=1, max_size=12)), key=lambda a: a[0])
    replay = QueueReplay(instance, routes, link_model, rules)
    expected = replay.run(arrivals)
    serving = serving_of(rules)
    result = simulate(instance, routes, trace_of(instance, arrivals), link_model=link_model, serving=serving)
    if not serving.plain:
        assert_same(result, replay, expected, 1e-12)


FLOATS = st.floats(0.01, 3.0)


@settings(max_examples=60, deadline=None)
@given(data=st.data(), seed=st.integers(0, 10**6), link_model=st.sampled_from(LINK_MODELS))
def test_devices_that_share_themselves_are_as_in_the_readable_replay(
    data: st.DataObject, seed: int, link_model: LinkModel
) -> None:
    """Numbers drawn apart from each other: among equal ones rounding would choose who goes first."""
    shape = data.draw(instances(WHOLE, st.just(1.0)))
    stream = np.random.default_rng(seed)

    def drawn(value: Any, field: str = "") -> Any:
        if isinstance(value, dict):
            return {k: drawn(v, k) for k, v in value.items()}
        if isinstance(value, list | tuple):
            return [drawn(v) for v in value]
        free = isinstance(value, float) and field not in {"memory_bytes", "rate_per_s"}
        return float(stream.uniform(0.1, 1.0)) if free else value

    instance = PlacementInstance.parse(drawn(shape.model_dump(mode="json", by_alias=True, exclude_none=True)), "drawn")
    names = [r.name for r in instance.requests]
    queues = {d: data.draw(st.sampled_from(["ps", "ps", "fcfs", "priority"])) for d in DEVICES}
    rules = Rules(
        queues=queues,
        priority={n: data.draw(st.integers(0, 2)) for n in names} if "priority" in queues.values() else {},
        routing=data.draw(st.sampled_from(["plan", "shortest-queue"])),
        hosts=data.draw(assignments_of(instance)),
        deadline_s={n: float(stream.uniform(0.5, 6.0)) for n in names if stream.random() < 0.5},
    )
    routes = data.draw(routes_of(instance)) if rules.routing == "plan" else evaluate(instance, rules.hosts).routes
    times = np.cumsum(stream.exponential(0.5, 15))
    arrivals = [(float(t), str(stream.choice(names)), float(stream.uniform(0.5, 2))) for t in times]
    replay = QueueReplay(instance, routes, link_model, rules)
    expected = replay.run(arrivals)
    serving = serving_of(rules)
    result = simulate(instance, routes, trace_of(instance, arrivals), link_model=link_model, serving=serving)
    if not serving.plain:
        assert_same(result, replay, expected, 1e-9)
