import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from splitshare.errors import InputError
from splitshare.placement.instance import PlacementInstance
from splitshare.placement.objective import Route, evaluate
from splitshare.replay.plan import IDEAL, LINK_MODELS, STAGES, LinkModel, Overheads
from splitshare.replay.simulator import idle_latency_s, simulate
from tests.placement import judge
from tests.replay.examples import assignments_of, example, instances, routes_of, trace_of
from tests.replay.reference import Replay, Stages

# Small whole numbers make ties common and arithmetic exact; the floats make ties rare.
WHOLE = st.integers(0, 3).map(float)
FLOATS = st.floats(1e-3, 10.0)
ON_B = {"pair": Route(("b", "b"), "b"), "single": Route(("b",), "b")}
APART = {"pair": Route(("b", "c"), "a"), "single": Route(("b",), "a")}


@settings(max_examples=150, deadline=None)
@given(data=st.data(), link_model=st.sampled_from(LINK_MODELS))
def test_every_stage_is_as_in_the_readable_replay(data: st.DataObject, link_model: LinkModel) -> None:
    instance = data.draw(instances(WHOLE, st.sampled_from([0.5, 1.0, 2.0])))
    routes = data.draw(routes_of(instance))
    names = [r.name for r in instance.requests]
    arrival = st.tuples(st.integers(0, 12).map(float), st.sampled_from(names), st.sampled_from([0.0, 1.0, 2.0]))
    arrivals = sorted(data.draw(st.lists(arrival, min_size=1, max_size=12)), key=lambda a: a[0])

    expected = Replay(instance, routes, link_model).run(arrivals)
    result = simulate(instance, routes, trace_of(instance, arrivals), link_model=link_model)

    rows = result.stages[["request_id", "stage", "ready_s", "start_s", "finish_s"]].to_numpy().tolist()
    found: Stages = {}
    for request_id, stage, *times in rows:
        kind = STAGES.index(stage)
        encoder = sum(key[:2] == (request_id - 100, kind) for key in found)
        found[request_id - 100, kind, encoder] = tuple(times)
    assert found == expected
    last = [expected[i, 4, 0][2] for i in range(len(arrivals))]
    assert result.requests["finish_s"].tolist() == last


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_one_request_at_a_time_takes_the_evaluators_latency(data: st.DataObject) -> None:
    instance = data.draw(instances(FLOATS, FLOATS))
    worth = evaluate(instance, data.draw(assignments_of(instance)))
    alone = idle_latency_s(instance, worth.routes, link_model="independent")
    assert alone == pytest.approx(worth.latency_s, rel=0, abs=1e-9)
    for request in instance.requests:  # the evaluator's own judge, so that both are not wrong together
        route = worth.routes[request.name]
        hosts = tuple(str(host) for host in route.encoders)
        assert alone[request.name] == pytest.approx(judge.latency(instance, request, hosts, str(route.head)), abs=1e-9)
    step = 2 * max(worth.latency_s.values())
    arrivals = [(i * step, instance.requests[i % len(instance.requests)].name, 1.0) for i in range(9)]
    replayed = simulate(instance, worth.routes, trace_of(instance, arrivals), link_model="independent").requests
    expected = [worth.latency_s[name] for _, name, _ in arrivals]
    assert replayed["latency_s"].tolist() == pytest.approx(expected, rel=0, abs=1e-9)


@settings(max_examples=50, deadline=None)
@given(data=st.data())
def test_sharing_links_never_helps_a_request_that_is_alone(data: st.DataObject) -> None:
    # One encoder: its three transfers follow one another, so there is nobody to wait for.
    instance = data.draw(instances(FLOATS, FLOATS))
    worth = evaluate(instance, data.draw(assignments_of(instance)))
    for link_model in LINK_MODELS:
        alone = idle_latency_s(instance, worth.routes, link_model=link_model)
        for request in instance.requests:
            if len(request.encoders) == 1:
                assert alone[request.name] == pytest.approx(worth.latency_s[request.name], rel=1e-12)
    if all(len(set(route.encoders)) == len(route.encoders) for route in worth.routes.values()):
        # No two encoders of a request share a device, so waiting for a link cannot reorder them to its gain.
        serial = idle_latency_s(instance, worth.routes, link_model="serial")
        for name, seconds in worth.latency_s.items():
            assert serial[name] >= seconds - 1e-9


def test_inputs_of_one_request_wait_for_each_other_on_a_serial_link() -> None:
    instance = example()
    idle = {model: idle_latency_s(instance, ON_B, link_model=model)["pair"] for model in LINK_MODELS}
    # Vision's input takes 0.1 s on the link, text's 0.05 s; text's encoder goes first where they travel side by side.
    assert idle["independent"] == pytest.approx(0.051 + 0.1 + 0.2 + 0.01 + 0.00101)
    assert idle["serial"] == pytest.approx(0.101 + 0.2 + 0.1 + 0.01 + 0.00101)


def with_cells(**cells: str) -> PlacementInstance:
    """The example without the link b-c, the other two in the given cells."""
    link = {"a": "a", "latency_s": 0.001, "bandwidth_bytes_per_s": 1e6}
    return example(links=[link | {"b": end, "cell": cell} for end, cell in cells.items()])


def test_the_links_of_a_cell_share_air_time() -> None:
    starts: dict[str, list[float]] = {}
    for other in ("air", "elsewhere"):
        instance = with_cells(b="air", c=other)
        trace = trace_of(instance, [(0.0, "pair", 1.0)])
        stages = simulate(instance, APART, trace, link_model="shared-medium").stages
        starts[other] = stages["start_s"].tolist()[:2]
    # In one cell the input for c waits until the one for b, which goes first, has left the air.
    assert starts["air"] == pytest.approx([0.0, 0.1])
    assert starts["elsewhere"] == [0.0, 0.0]


@pytest.mark.parametrize(("link_model", "waited_s"), [("serial", 0.0), ("shared-medium", 0.4 - 0.311)])
def test_only_a_shared_medium_makes_the_two_directions_of_a_link_wait(link_model: LinkModel, waited_s: float) -> None:
    # A result on its way back, ready at 0.311, meets an input on its way out, on the link from 0.3 to 0.4.
    instance = with_cells(b="air", c="air")
    trace = trace_of(instance, [(0.0, "single", 1.0), (0.3, "single", 1.0)])
    stages = simulate(instance, ON_B, trace, link_model=link_model).stages
    result = stages[stages["stage"] == "result"]
    assert (result["start_s"] - result["ready_s"]).iloc[0] == pytest.approx(waited_s)


@pytest.mark.parametrize(
    ("routes", "overheads", "signal_s"),
    [
        (APART, IDEAL, 0.0),
        (APART, Overheads(signals=True), 0.001),
        (APART, Overheads(message_s=0.004, signals=True), 0.005),
        (ON_B, Overheads(message_s=0.004, signals=True), 0.0),
    ],
)
def test_a_signal_takes_the_latency_of_its_link(
    routes: dict[str, Route], overheads: Overheads, signal_s: float
) -> None:
    instance = example(routing="sequential")
    stages = simulate(instance, routes, trace_of(instance, [(0.0, "pair", 1.0)]), overheads=overheads).stages
    encoders = stages[stages["stage"] == "encode"]
    finish_s = 0.101 + overheads.message_s + 0.2
    assert encoders["finish_s"].iloc[0] == pytest.approx(finish_s)
    assert encoders["ready_s"].iloc[1] == pytest.approx(finish_s + signal_s)


def test_no_signal_without_a_link() -> None:
    instance = with_cells(b="air", c="air").model_copy(update={"routing": "sequential"})
    trace = trace_of(instance, [(0.0, "pair", 1.0)])
    assert simulate(instance, APART, trace).requests["latency_s"][0] > 0
    with pytest.raises(InputError, match="'c' waits for 'b', but no link joins them"):
        simulate(instance, APART, trace, overheads=Overheads(signals=True))


def test_tables_hold_what_the_contract_names() -> None:
    instance = example()
    result = simulate(instance, APART, trace_of(instance, [(1.0, "pair", 1.0), (1.0, "single", 2.0)]))
    columns = ["request_id", "request", "arrival_s", "start_s", "finish_s", "latency_s", "status"]
    assert list(result.requests.columns) == columns
    assert result.requests["request_id"].tolist() == [100, 101]
    assert result.requests["status"].tolist() == ["ok", "ok"]
    rows = result.stages.astype(object).where(result.stages.notna(), None)
    assert rows["stage"].tolist() == ["input"] * 2 + ["encode"] * 2 + ["send"] * 2 + ["head", "result"] + list(STAGES)
    assert rows["link"].tolist()[:8] == ["a->b", "a->c", None, None, "b->a", "c->a", None, None]
    assert rows["device"].tolist()[:8] == [None, None, "b", "c", None, None, "a", None]
    # The second request's input waits for the first one's, and its size doubles bytes and compute, not propagation.
    second = result.stages.iloc[8:]
    assert second["start_s"].iloc[0] == pytest.approx(1.1)
    assert result.requests["start_s"].tolist() == pytest.approx([1.0, 1.1])
    assert second["busy_s"].tolist() == pytest.approx([0.2, 0.4, 0.002, 0.02, 0.0])
    assert second["finish_s"].iloc[0] == pytest.approx(1.301)


def test_a_request_served_at_its_source_starts_when_the_device_does() -> None:
    instance = example(modules=[{**m, "compute_s": {"a": 0.5}} for m in example().model_dump()["modules"]])
    local = {"pair": Route(("a", "a"), "a"), "single": Route(("a",), "a")}
    requests = simulate(instance, local, trace_of(instance, [(0.0, "single", 1.0), (0.1, "single", 1.0)])).requests
    assert requests["start_s"].tolist() == pytest.approx([0.0, 0.5])
    # First come, first served in order of readiness: the first head is ready at 0.5, after the second encoder at 0.1.
    assert requests["finish_s"].tolist() == pytest.approx([1.5, 2.0])


@pytest.mark.parametrize(
    ("route", "field"),
    [
        (Route(("a",), "a"), "assignment.vision"),
        (Route(("b",), "nowhere"), "requests.single"),
        (Route((None,), "a"), "requests.single"),
        (Route(("b", "b"), "a"), "requests.single"),
    ],
)
def test_routes_that_cannot_be_gone_are_refused(route: Route, field: str) -> None:
    instance = example()
    with pytest.raises(InputError) as error:
        simulate(instance, APART | {"single": route}, trace_of(instance, [(0.0, "single", 1.0)]), source="p.json")
    assert error.value.source == "p.json"
    assert error.value.field == field


def test_a_missing_link_is_refused() -> None:
    links = [{"a": "a", "b": "b", "latency_s": 0.0, "bandwidth_bytes_per_s": 1.0}]
    instance = example(links=links)
    with pytest.raises(InputError, match="no link joins 'a' and 'c'"):
        simulate(instance, APART, trace_of(instance, [(0.0, "pair", 1.0)]))


def test_results_do_not_change_from_run_to_run(tmp_path) -> None:
    instance = example()
    trace = trace_of(instance, [(0.01 * i, "pair" if i % 3 else "single", 1.0) for i in range(200)])
    for name in ("one", "two"):
        result = simulate(instance, APART, trace)
        result.write(tmp_path / f"{name}.parquet", tmp_path / f"{name}.stages.parquet")
    for suffix in (".parquet", ".stages.parquet"):
        assert (tmp_path / f"one{suffix}").read_bytes() == (tmp_path / f"two{suffix}").read_bytes()
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "one.parquet"), result.requests)
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "one.stages.parquet"), result.stages)


def test_a_hundred_thousand_requests_keep_the_books() -> None:
    # At this size a queue that loses, repeats or overlaps work would show.
    instance = example()
    stream = np.random.default_rng(5)
    times = np.cumsum(stream.exponential(1 / 4, 100_000))
    names = np.where(stream.random(100_000) < 0.5, "pair", "single")
    trace = trace_of(instance, [(float(t), str(name), 1.0) for t, name in zip(times, names, strict=True)])
    result = simulate(instance, APART, trace)
    used = result.stages[result.stages["device"].notna() | result.stages["link"].notna()]
    for kind in ("device", "link"):
        for _, rows in used.groupby(kind, observed=True):
            ordered = rows.sort_values(["start_s", "ready_s"], kind="stable")
            start, ready = ordered["start_s"].to_numpy(), ordered["ready_s"].to_numpy()
            free = np.concatenate([[0.0], (start + ordered["busy_s"].to_numpy())[:-1]])
            assert np.all(start >= free - 1e-9)  # one at a time
            assert np.all(np.diff(ready) >= 0)  # first come, first served
            assert np.allclose(start, np.maximum(ready, free), rtol=0, atol=1e-6)  # never idle while someone waits


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_requests_alone_are_those_of_the_whole_replay(data: st.DataObject) -> None:
    """Without a table of stages another loop runs, whose memory is that of the requests under way."""
    numbers = st.floats(0, 5).map(lambda x: round(x, 2))
    instance = data.draw(instances(numbers, st.floats(0.5, 10)))
    routes = data.draw(routes_of(instance))
    count = data.draw(st.integers(1, 300))
    stream = np.random.default_rng(data.draw(st.integers(0, 1000)))
    arrivals = np.round(np.cumsum(stream.exponential(data.draw(st.sampled_from([0.01, 1.0, 50.0])), count)), 2)
    classes = [request.name for request in instance.requests]
    trace = trace_of(
        instance, [(t, classes[stream.integers(len(classes))], float(stream.integers(0, 3))) for t in arrivals]
    )
    for link_model in LINK_MODELS:
        whole = simulate(instance, routes, trace, link_model=link_model)
        alone = simulate(instance, routes, trace, link_model=link_model, keep_stages=False)
        pd.testing.assert_frame_equal(whole.requests, alone.requests)
        assert list(alone.stages.columns) == list(whole.stages.columns)
        assert not len(alone.stages)
        assert alone.load is not None
        assert whole.load is not None
        assert alone.load.resources.equals(whole.load.resources)


def test_one_request_may_outlast_thousands() -> None:
    """The first request waits for a slow encoder while others come and go on the other device."""
    instance = example()
    routes = {"pair": Route(("b", "c"), "a"), "single": Route(("c",), "a")}
    arrivals = [(0.0, "pair", 1e6), *((1.0 + i, "single", 1e-3) for i in range(5000))]
    trace = trace_of(instance, arrivals)
    whole = simulate(instance, routes, trace, link_model="independent")
    alone = simulate(instance, routes, trace, link_model="independent", keep_stages=False)
    pd.testing.assert_frame_equal(whole.requests, alone.requests)
    assert whole.requests["finish_s"].iloc[0] > whole.requests["finish_s"].iloc[-1] > 0
