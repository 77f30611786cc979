"""Real modules without a network: the bytes they give, and the time they say they took."""

import asyncio

import pytest
from safetensors.numpy import load

from splitshare.errors import WorkError
from splitshare.placement.objective import evaluate
from splitshare.replay.emulator.clock import Timer
from splitshare.replay.emulator.compute import Run
from splitshare.replay.emulator.program import build_program
from splitshare.replay.emulator.torch_compute import RealCompute
from splitshare.replay.emulator.wire import TENSOR, WireError
from tests.replay.emulator.embedded import EMBEDDED, EMBEDDED_ASSIGNMENT, embedded

pytestmark = pytest.mark.alone


@pytest.fixture
def asked():
    """The program, and its only request class."""
    instance = embedded()
    routes = evaluate(instance, EMBEDDED_ASSIGNMENT).routes
    program = build_program(instance, routes, EMBEDDED_ASSIGNMENT, epoch=1)
    return program, program.classes[0]


def with_compute(work):
    """The answer of ``work`` with a processor on an event loop."""

    async def run():
        timer = Timer()
        try:
            return await work(RealCompute("a", EMBEDDED, timer, threads=1))
        finally:
            timer.close()

    return asyncio.run(run())


def test_tensors_have_the_bytes_of_the_instance_and_runs_tell_their_time(asked):
    program, request = asked

    async def work(compute):
        await compute.load(program, dict.fromkeys(EMBEDDED_ASSIGNMENT, 1.0))
        assert compute.took is None
        data: dict[int, bytes] = {}
        took: dict[str, tuple[float, float] | None] = {}
        for place, step in enumerate(request.steps):
            if step.kind == "input":
                data[place] = compute.source(request, place, 1.0)
            elif step.computes:
                before = [p for p, s in enumerate(request.steps) if place in s.after]
                (data[place],) = await compute.run([Run(request, place, {p: data[p] for p in before}, 1.0)], 1.0)
                took[step.module] = compute.took
            else:
                (data[place],) = (data[p] for p, s in enumerate(request.steps) if place in s.after)
        return data, took

    data, took = with_compute(work)
    for place, step in enumerate(request.steps):
        if not step.computes:
            assert load(data[place])[TENSOR].nbytes == step.size_bytes, step
    assert set(took) == set(EMBEDDED_ASSIGNMENT)
    for times in took.values():
        assert times is not None
        assert 0 < times[1] < times[0] + 0.001  # CPU time within the time that passed


def test_what_is_no_tensor_and_what_is_not_loaded_is_refused(asked):
    program, request = asked

    async def work(compute):
        with pytest.raises(WorkError, match="size 1"):
            compute.source(request, 0, 2.0)
        with pytest.raises(WorkError, match="is not loaded"):
            await compute.run([Run(request, 2, {0: b"nonsense"}, 1.0)], 1.0)
        await compute.load(program, dict.fromkeys(EMBEDDED_ASSIGNMENT, 1.0))
        with pytest.raises(WireError, match="not safetensors"):
            await compute.run([Run(request, 2, {0: b"nonsense"}, 1.0)], 1.0)

    with_compute(work)
