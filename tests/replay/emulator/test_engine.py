"""Devices in one process, joined by plain delays instead of gRPC: what they do with requests, and forget of them."""

import asyncio
import itertools
import time
from functools import partial
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from splitshare.placement.objective import Route
from splitshare.replay.emulator.clock import Timer
from splitshare.replay.emulator.compute import RecordedCompute
from splitshare.replay.emulator.engine import Engine
from splitshare.replay.emulator.program import build_program
from tests.replay.examples import DEVICES, example, instances, routes_of

SLACK_S = 0.03
EVERYWHERE = dict.fromkeys(("vision", "text", "head"), DEVICES)


class Network:
    """Engines of an instance's devices; a transfer takes its link's latency and bytes / bandwidth."""

    def __init__(self, instance, program, *, max_live=100):
        self.instance, self.program = instance, program
        self.timer = Timer()
        self.events: list[dict[str, Any]] = []
        self.sent: list[tuple[str, str, dict[str, Any], bytes]] = []
        self.engines = {
            device: Engine(
                device,
                memory_bytes=None,
                max_live=max_live,
                compute=RecordedCompute(self.timer),
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

    async def run(self, arrivals, timeout_s=20.0):
        """Issue requests; returns when each is answered, seconds after the first could begin, and stage times."""
        for engine in self.engines.values():
            await engine.configure(self.program)
        working = [asyncio.create_task(engine.work()) for engine in self.engines.values()]
        began_s = time.monotonic() + 0.02
        sources = {c.name: c.source for c in self.program.classes}
        for i, (at_s, name, size) in enumerate(arrivals):
            self.engines[sources[name]].issue(i, name, 1, size, began_s + at_s)
        deadline_s = time.monotonic() + timeout_s
        while self.ends() < len(arrivals) and time.monotonic() < deadline_s:
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


def emulate(instance, routes, arrivals):
    async def run():
        program = build_program(instance, routes, EVERYWHERE, epoch=1)
        return await Network(instance, program).run(arrivals)

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
    found = emulate(SEQUENTIAL, routes, [(0.0, "pair", 1.0), (0.9, "single", 1.0)])
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

    async def run():
        program = build_program(instance, routes, {m.name: DEVICES for m in instance.modules}, epoch=1)
        return await Network(instance, program).run(arrivals)

    found = asyncio.run(run())
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
