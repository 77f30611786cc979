"""Real modules on the embedded benchmark's small catalogue: batches give what single runs do."""

import asyncio
import time
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load, save

from splitshare.errors import WorkError
from splitshare.placement.instance import PlacementInstance
from splitshare.placement.objective import Route
from splitshare.replay.emulator.clock import Timer
from splitshare.replay.emulator.compute import Run
from splitshare.replay.emulator.program import Program, build_program
from splitshare.replay.emulator.torch_compute import RealCompute
from splitshare.replay.emulator.wire import TENSOR, WireError
from splitshare.replay.emulator.worker import memory_limit_bytes

ROOT = Path(__file__).parents[3]
MODELS = {
    "embedded-retrieval-together": (["small-vision@together", "small-text@together"], "cosine-64@together"),
    "embedded-vqa-together": (["small-vision@together", "small-text@together"], "vqa-13@together"),
    "embedded-classification-together": (["small-vision@together"], "linear-64-to-24@together"),
}
SECONDS = 0.004
LOUD = 300.0
"""Inputs so large that an encoder with random weights tells them apart by far more than a batch may be off."""


def instance_of(models: dict[str, tuple[list[str], str]]) -> PlacementInstance:
    """All modules on one device, each for ``SECONDS``."""
    names = sorted({module for encoders, head in models.values() for module in (*encoders, head)})
    return PlacementInstance.parse(
        {
            "schema": "splitshare.placement-instance/1",
            "name": "embedded",
            "objective": "mean",
            "devices": [{"name": "a", "memory_bytes": 1e9}],
            "links": [],
            "modules": [
                {"name": name, "kind": "module", "memory_bytes": 1, "output_bytes": 1, "compute_s": {"a": SECONDS}}
                for name in names
            ],
            "requests": [
                {
                    "name": model,
                    "task": "task",
                    "model": model,
                    "source": "a",
                    "rate_per_s": 1.0,
                    "encoders": [{"module": module, "input_bytes": 1} for module in encoders],
                    "head": head,
                    "result_bytes": 1,
                }
                for model, (encoders, head) in models.items()
            ],
        },
        "embedded",
    )


class Device:
    """A processor with all modules of some models, and runs of their stages."""

    def __init__(self, catalog: Path, models: dict[str, tuple[list[str], str]], torch_device: str = "cpu") -> None:
        instance = instance_of(models)
        routes = {name: Route(("a",) * len(encoders), "a") for name, (encoders, _) in models.items()}
        assignment = {module.name: ("a",) for module in instance.modules}
        self.program: Program = build_program(instance, routes, assignment, epoch=1)
        self.classes = {c.name: c for c in self.program.classes}
        self.timer = Timer()
        self.compute = RealCompute("a", catalog, self.timer, threads=1, torch_device=torch.device(torch_device))
        self.draw = torch.Generator().manual_seed(0)

    async def load(self) -> None:
        await self.compute.load(self.program, self.program.modules["a"])

    def encode(self, model: str, place: int) -> Run:
        """An encoder with inputs of its own."""
        program = self.classes[model]
        example = load(self.compute.source(program, place, 1.0))[TENSOR]
        if example.is_floating_point():
            tensor = LOUD * torch.randn(example.shape, generator=self.draw)
        else:  # the same words in another order
            tensor = example[:, torch.randperm(example.shape[1], generator=self.draw)]
        count = len(MODELS.get(model, (["one"], ""))[0])
        return Run(program, count + place, {place: save({TENSOR: tensor.contiguous()})}, 1.0)

    async def head(self, model: str) -> Run:
        """A head, with inputs of the shapes of its encoders' outputs."""
        program = self.classes[model]
        count = sum(step.kind == "encode" for step in program.steps)
        outputs = {}
        for place in range(count):
            (encoded,) = await self.compute.run([self.encode(model, place)], 1.0)
            tensor = torch.randn(load(encoded)[TENSOR].shape, generator=self.draw)
            outputs[2 * count + place] = save({TENSOR: tensor})
        return Run(program, 3 * count, outputs, 1.0)


def together(test: Any) -> None:
    """Run a test with a device that holds the embedded benchmark's shared modules."""

    async def run() -> None:
        device = Device(ROOT / "data" / "embedded", MODELS)
        await device.load()
        await test(device)
        device.timer.close()

    asyncio.run(run())


async def same(device: Device, batch: list[Run]) -> list[torch.Tensor]:
    """See that a batch gives what single runs do, in order."""
    assert len({device.compute.stacks(run.program, run.place) for run in batch}) == 1
    joined = await device.compute.run(batch, 1.0)
    alone = [(await device.compute.run([run], 1.0))[0] for run in batch]
    assert len(joined) == len(alone) == len(batch)
    for one, other in zip(joined, alone, strict=True):
        a, b = load(one)[TENSOR], load(other)[TENSOR]
        assert a.shape == b.shape
        assert a.dtype == b.dtype
        torch.testing.assert_close(a, b, rtol=0, atol=1e-5)
    return [load(one)[TENSOR] for one in joined]


def test_encoders_of_several_models_run_as_one_batch() -> None:
    async def test(device: Device) -> None:
        vision = [device.encode(model, 0) for model in MODELS]
        outputs = await same(device, vision)
        assert [tuple(output.shape) for output in outputs] == [(1, 64)] * 3
        assert (outputs[0] - outputs[1]).abs().max() > 1e-3  # they are not all the same
        # A retrieval request brings the prompts of all classes, a question is one: rows are cut where they belong.
        models = ["embedded-vqa-together", "embedded-retrieval-together", "embedded-vqa-together"]
        outputs = await same(device, [device.encode(model, 1) for model in models])
        assert [len(output) for output in outputs] == [1, 24, 1]

    together(test)


@pytest.mark.parametrize("model", MODELS)
def test_heads_run_as_one_batch(model: str) -> None:
    async def test(device: Device) -> None:
        outputs = await same(device, [await device.head(model) for _ in range(6)])
        assert all(len(output) == 1 for output in outputs)
        assert len({int(output.argmax()) for output in outputs}) > 1  # they are not all the same

    together(test)


def test_a_batch_is_not_done_before_the_time_of_one() -> None:
    async def test(device: Device) -> None:
        begin_s = time.monotonic()
        await device.compute.run([device.encode("embedded-vqa-together", 0)], 20.0)
        assert time.monotonic() - begin_s >= 20 * SECONDS

    together(test)


def test_tensors_that_do_not_fit_are_an_error_not_the_end() -> None:
    async def test(device: Device) -> None:
        right = device.encode("embedded-vqa-together", 0)
        wrong = Run(right.program, right.place, {0: save({TENSOR: torch.zeros(1, 2, 3)})}, 1.0)
        for batch in ([wrong], [right, wrong]):
            with pytest.raises(WorkError, match="small-vision@together: "):
                await device.compute.run(batch, 1.0)
        with pytest.raises(WireError):
            await device.compute.run([Run(right.program, right.place, {0: b"nonsense"}, 1.0)], 1.0)

    together(test)


@pytest.mark.slow
def test_a_decoder_runs_as_one_batch() -> None:
    model = {"caption-vit-gpt2": (["vit-b16-vision@vit-gpt2"], "gpt2-decoder@vit-gpt2")}

    async def run() -> None:
        device = Device(ROOT / "data", model)
        await device.load()
        outputs = await same(device, [await device.head("caption-vit-gpt2") for _ in range(2)])
        assert [tuple(output.shape) for output in outputs] == [(1, 20)] * 2
        assert not torch.equal(*outputs)
        device.timer.close()

    asyncio.run(run())


def test_on_another_device_nothing_is_left_behind(elsewhere: str) -> None:
    async def run() -> None:
        here = Device(ROOT / "data" / "embedded", MODELS)
        there = Device(ROOT / "data" / "embedded", MODELS, elsewhere)
        for device in (here, there):
            await device.load()
        for model in MODELS:
            for stage in (here.encode(model, 0), await here.head(model)):
                shapes = [load((await device.compute.run([stage], 1.0))[0])[TENSOR].shape for device in (here, there)]
                assert shapes[0] == shapes[1]
                at_home, abroad = (device.compute.took for device in (here, there))
                assert at_home is not None
                assert abroad is not None
                assert at_home.moved_s == 0.0 < abroad.moved_s < abroad.wall_s
                assert abroad.share(4) == pytest.approx([seconds / 4 for seconds in abroad])
        for device in (here, there):
            device.timer.close()

    asyncio.run(run())


def test_a_gpu_has_no_more_memory_than_is_free_on_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (3_000_000, 80_000_000_000))
    asked = {None: 3e6, 1e6: 1e6, 1e12: 3e6}
    assert {asks: memory_limit_bytes(asks, "cuda:0") for asks in asked} == asked
    assert [memory_limit_bytes(asks, "cpu") for asks in asked] == list(asked)


@pytest.mark.parametrize("precision", ["float16", "bfloat16"])
def test_a_device_of_another_precision_sends_what_the_others_take(precision: str) -> None:
    """Weights are held in it, outputs are near those of the catalogue's own, and come in the catalogue's type."""

    async def run() -> None:
        models = {"embedded-retrieval-together": MODELS["embedded-retrieval-together"]}
        own, half = (Device(ROOT / "data" / "embedded", models) for _ in range(2))
        half.program = half.program.model_copy(update={"precisions": {"a": precision, "b": "float32"}})
        for device in (own, half):
            await device.load()
        held = half.compute._held["small-vision@together"]
        assert {p.dtype for p in held.parameters()} == {getattr(torch, precision)}
        values = own.compute._held["small-vision@together"].state_dict()
        held.load_state_dict(values)  # what random values a type is given is its own affair
        (name,) = models
        outputs = []
        for device in (own, half):
            device.draw.manual_seed(1)
            (encoded,) = await device.compute.run([device.encode(name, 0)], 1.0)
            outputs.append(load(encoded)[TENSOR])
            await device.compute.run([await device.head(name)], 1.0)
            device.timer.close()
        assert {output.dtype for output in outputs} == {torch.float32}
        error = (outputs[0] - outputs[1]).norm() / outputs[0].norm()
        assert 0 < error < 0.05

    asyncio.run(run())
