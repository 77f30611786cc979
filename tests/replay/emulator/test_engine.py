"""Devices in one process, joined by plain delays instead of gRPC: what they do with requests, and forget of them."""

import asyncio
import itertools
import time
from functools import partial
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from splitshare.errors import InputError
from splitshare.placement.instance import PlacementInstance
from splitshare.placement.objective import Route
from splitshare.replay.batching import ONE_BY_ONE, Batching
from splitshare.replay.emulator.clock import Timer
from splitshare.replay.emulator.compute import RecordedCompute
from splitshare.replay.emulator.credentials import Credentials, ServerSecurity
from splitshare.replay.emulator.engine import Engine
from splitshare.replay.emulator.program import build_program
from splitshare.replay.emulator.service import WorkerService
from splitshare.replay.emulator.wire import WireError, decode
from splitshare.replay.simulator import simulate
from tests.replay.examples import DEVICES, example, fields, instances, routes_of, trace_of
from tests.replay.test_batching import curves_of

SLACK_S = 0.05


class Network:
    """Engines of an instance's devices; a transfer takes its link's latency and bytes / bandwidth."""

    def __init__(self, instance, program, *, max_live=100, max_batch=None):
        self.instance, self.program = instance, program
        self.timer = Timer()
        self.events: list[dict[str, Any]] = []
        self.sent: list[tuple[str, str, dict[str, Any], bytes]] = []
        self.engines = {
            device: Engine(
                device,
                memory_bytes=None,
                max_live=max_live,
                max_batch=max_batch,
                compute=RecordedCompute(device, self.timer),
                timer=self.timer,
                report=self.events.append,
                send=partial(self.send, device),
            )
            for device in DEVICES
        }

    def send(self, a, b, header, payload):
        self.sent.append((a, b, header, payload))
        step = next(c for c in self.program.classes if c.name == header["c"]).steps[header["p"]]
        size = step.size_bytes * header["s"] if payload else 0
        due_s = time.monotonic() + self.instance.comm_s(a, b, size)
        self.timer.at(due_s, lambda: self.engines[b].received(header, payload, time.monotonic()))

    async def run(self, arrivals, timeout_s=20.0, ends=None):
        """Issue requests; returns when each is answered, seconds after the first could begin, and stage times."""
        for engine in self.engines.values():
            await engine.configure(self.program)
        working = [asyncio.create_task(engine.work()) for engine in self.engines.values()]
        began_s = time.monotonic() + 0.02
        sources = {c.name: c.source for c in self.program.classes}
        for i, (at_s, name, size) in enumerate(arrivals):
            self.engines[sources[name]].issue(i, name, 1, size, began_s + at_s)
        deadline_s = time.monotonic() + timeout_s
        while self.ends() < (ends or len(arrivals)) and time.monotonic() < deadline_s:
            await asyncio.sleep(0.002)
            assert not any(task.done() for task in working)
        for task in working:
            task.cancel()
        await asyncio.gather(*working, return_exceptions=True)
        self.timer.close()
        self.began_s = began_s
        return self

    def ends(self):
        return sum(event["e"] != "stage" for event in self.events)

    def stages(self):
        return {(e["r"], e["p"]): tuple(t - self.began_s for t in e["t"]) for e in self.events if e["e"] == "stage"}


def emulate(instance, routes, arrivals, *, batching=ONE_BY_ONE, max_batch=None):
    async def run():
        everywhere = {module.name: DEVICES for module in instance.modules}
        program = build_program(instance, routes, everywhere, epoch=1, batching=batching)
        return await Network(instance, program, max_batch=max_batch).run(arrivals)

    return asyncio.run(run())


SEQUENTIAL = example(routing="sequential")
ROUTES = {
    "one device": Route(("b", "b"), "b"),
    "head apart": Route(("b", "b"), "c"),
    "both apart": Route(("b", "c"), "c"),
    "all apart": Route(("b", "c"), "a"),
    "head with the first": Route(("c", "b"), "c"),
}


@pytest.mark.parametrize("name", ROUTES)
def test_encoders_go_one_after_another(name):
    routes = {"pair": ROUTES[name], "single": Route((ROUTES[name].encoders[0],), ROUTES[name].head)}
    found = emulate(SEQUENTIAL, routes, [(0.0, "pair", 1.0), (0.45, "single", 1.0)])
    assert [event["r"] for event in found.events if event["e"] == "ok"] == [0, 1]
    stages = found.stages()
    assert len(stages) == 8 + 5
    first, second = stages[0, 2], stages[0, 3]
    signals = [(a, b) for a, b, _, payload in found.sent if not payload]
    apart = routes["pair"].encoders[0] != routes["pair"].encoders[1]
    assert signals == ([routes["pair"].encoders] if apart else [])
    # A signal is there a latency later; without one the second encoder is ready at once.
    assert 0.001 * apart <= second[0] - first[2] < 0.001 * apart + SLACK_S
    assert second[1] >= first[2]
    assert all(engine.live == 0 for engine in found.engines.values())


@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_devices_forget_every_request_that_is_answered(data):
    """Whatever the routes: as many answers as requests, every stage once, and nothing is left in work."""
    instance = data.draw(instances(st.sampled_from([0.0, 0.001]), st.just(1e6)))
    routes = data.draw(routes_of(instance))
    names = [request.name for request in instance.requests]
    arrivals = [(0.0, name, 1.0) for name in data.draw(st.lists(st.sampled_from(names), min_size=1, max_size=4))]

    found = emulate(instance, routes, arrivals)
    assert sorted(e["r"] for e in found.events if e["e"] == "ok") == list(range(len(arrivals)))
    count = {c.name: len(c.steps) for c in found.program.classes}
    stages = [(e["r"], e["p"]) for e in found.events if e["e"] == "stage"]
    assert sorted(stages) == [(i, place) for i, (_, name, _) in enumerate(arrivals) for place in range(count[name])]
    assert [engine.live for engine in found.engines.values()] == [0, 0, 0]
    if instance.routing == "sequential":
        for i, (_, name, _) in enumerate(arrivals):
            steps = next(c for c in found.program.classes if c.name == name).steps
            encoders = [place for place, step in enumerate(steps) if step.kind == "encode"]
            for before, after in itertools.pairwise(encoders):
                assert found.stages()[i, after][0] >= found.stages()[i, before][2]


ON_B = {"pair": Route(("b", "b"), "b"), "single": Route(("b",), "b")}
CROWD = [(0.0, "single", 1.0), (0.04, "single", 1.0), (0.07, "pair", 1.0), (0.1, "single", 2.0), (0.13, "single", 1.0)]


def local():
    """The example with its source on ``b``, where all modules are: nothing travels."""
    value = fields()
    for one in value["requests"]:
        one["source"] = "b"
    return PlacementInstance.parse(value, "example")


def ran(found, module):
    """Start, finish and batch of a module's stages, by request."""
    steps = {c.name: c.steps for c in found.program.classes}
    return {
        e["r"]: (*(t - found.began_s for t in e["t"][1:]), e["b"])
        for e in found.events
        if e["e"] == "stage" and (step := steps[CROWD[e["r"]][1]][e["p"]]).computes and step.module == module
    }


def test_a_device_that_becomes_free_takes_a_batch():
    """Vision takes 0.2 s, two of it 0.3 s, four 0.5 s; of the four that wait, one is of another size."""
    instance = local()
    batching = Batching(4, curves_of(instance, {2: 1.5, 4: 2.5}))
    found = emulate(instance, ON_B, CROWD, batching=batching)
    vision = ran(found, "vision")
    assert {request: batch for request, (_, _, batch) in vision.items()} == {0: 1, 1: 2, 2: 2, 3: 1, 4: 1}
    assert vision[1][:2] == vision[2][:2]
    assert vision[1][0] == pytest.approx(0.2, abs=SLACK_S)
    assert vision[1][1] - vision[1][0] == pytest.approx(0.3, abs=SLACK_S)
    assert all(engine.live == 0 for engine in found.engines.values())
    # Every stage is as simulated by the same rule, and every batch the same.
    simulated = simulate(instance, ON_B, trace_of(instance, CROWD), batching=batching).stages
    expected = simulated.sort_values(["request_id"], kind="stable")[["start_s", "finish_s"]].to_numpy()
    times = [seconds[1:] for _, seconds in sorted(found.stages().items())]
    assert len(times) == len(expected) == 4 * 5 + 8
    assert np.abs(np.array(times) - expected).max() < SLACK_S


def test_a_worker_keeps_to_its_own_limit():
    instance = local()
    batching = Batching(4, curves_of(instance, {2: 1.5, 3: 2.0, 4: 2.5}))
    arrivals = [(0.03 * i, "single", 1.0) for i in range(5)]
    batches = {}
    for limit in (None, 3, 1):
        found = emulate(instance, ON_B, arrivals, batching=batching, max_batch=limit)
        batches[limit] = sorted(e["b"] for e in found.events if e["e"] == "stage" and e["p"] == 1)
    assert batches == {None: [1, 4, 4, 4, 4], 3: [1, 1, 3, 3, 3], 1: [1] * 5}


def test_a_batch_goes_on_without_a_request_that_is_given_up():
    instance = local()
    batching = Batching(4, curves_of(instance, {2: 1.5, 3: 2.0}))

    async def run():
        program = build_program(
            instance, ON_B, dict.fromkeys(("vision", "text", "head"), DEVICES), epoch=1, batching=batching
        )
        network = Network(instance, program)
        arrivals = [(0.03 * i, "single", 1.0) for i in range(4)]
        loop = asyncio.get_running_loop()
        loop.call_later(0.15, network.engines["b"].forget, 1)  # before the batch of the last three begins
        loop.call_later(0.35, network.engines["b"].forget, 2)  # within the batch
        return await network.run(arrivals, ends=2)

    found = asyncio.run(run())
    assert sorted(e["r"] for e in found.events if e["e"] == "ok") == [0, 3]
    assert {e["r"]: e["b"] for e in found.events if e["e"] == "stage" and e["p"] == 1} == {0: 1, 3: 2}
    assert found.engines["b"].live == 0


def test_recorded_batches_need_their_seconds():
    instance = local()
    with pytest.raises(InputError, match=r"b: batches: vision has no recorded seconds; give .* --batch-curves"):
        emulate(instance, ON_B, CROWD, batching=Batching(2))


def test_a_signal_carries_nothing_and_goes_where_it_is_waited_for():
    program = build_program(SEQUENTIAL, {"pair": Route(("b", "c"), "a")}, {}, epoch=1)
    header = {"r": 0, "c": "pair", "n": 1, "p": 2, "s": 1.0, "t": 0.0}

    async def run(device, place, payload):
        network = Network(SEQUENTIAL, program)
        await network.engines[device].configure(program)
        network.engines[device].received(header | {"p": place}, payload, time.monotonic())
        network.timer.close()

    asyncio.run(run("c", 2, b""))
    for device, place, payload in [("c", 2, b"x"), ("a", 2, b""), ("b", 3, b""), ("c", 99, b""), ("c", -1, b"")]:
        with pytest.raises(WireError, match=f"stage {place} of 'pair' does not end on '{device}'"):
            asyncio.run(run(device, place, payload))


def test_a_full_device_drops_and_fails():
    """A source drops what it cannot start; another device fails what reaches it."""
    instance = example()
    program = build_program(instance, {"single": Route(("b",), "c")}, {}, epoch=1)

    async def run():
        network = Network(instance, program, max_live=1)
        arrivals = [(0.0, "single", 1.0), (0.0, "single", 1.0)]
        return await network.run(arrivals)

    found = asyncio.run(run())
    assert [(e["r"], e["e"], e.get("why")) for e in found.events if e["e"] != "stage"] == [
        (1, "dropped", "a: 1 requests in work"),
        (0, "ok", None),
    ]


def test_tensors_are_made_before_a_request_needs_them():
    instance = example()
    routes = {"single": Route(("b",), "a")}
    program = build_program(instance, routes, {"vision": ("b",), "head": ("a",)}, epoch=1)
    (single,) = program.classes

    async def run():
        timer = Timer()
        compute = RecordedCompute("a", timer)
        late = compute.source(single, 0, 1.0)
        await compute.load(program, {})
        timer.close()
        assert compute.source(single, 0, 1.0) == late
        assert compute.source(single, 0, 1.0) is compute.source(single, 0, 1.0)
        assert len(decode(compute.source(single, 0, 0.5))) == 50_000  # of another size: made when it is asked for

    asyncio.run(run())


def test_telling_of_a_stage_delays_no_work():
    """Who waits for the stage is woken before the stream that tells the driver."""

    async def run():
        timer = Timer()
        service = WorkerService(
            "a",
            compute=RecordedCompute("a", timer),
            timer=timer,
            memory_bytes=None,
            max_live=1,
            security=ServerSecurity(),
            credentials=Credentials(),
        )
        ready, woken = asyncio.Event(), []

        async def echo():
            await service._news.wait()
            woken.append("driver")

        async def work():
            await ready.wait()
            woken.append("work")

        waiting = [asyncio.create_task(echo()), asyncio.create_task(work())]
        await asyncio.sleep(0)
        service._report({"e": "stage"})
        ready.set()
        await asyncio.gather(*waiting)
        timer.close()
        return woken

    assert asyncio.run(run()) == ["work", "driver"]
