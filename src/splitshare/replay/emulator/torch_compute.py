"""Real modules as a device's processor: torch computes, and what is left of the profiled time is slept."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Hashable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from splitshare.catalog.loader import load_catalog
from splitshare.choices import Dtype
from splitshare.errors import WorkError
from splitshare.modules.base import SplitModule
from splitshare.modules.build import build_module, encode, example_inputs
from splitshare.modules.decoder import Decoder
from splitshare.replay.emulator.clock import Timer
from splitshare.replay.emulator.compute import Run, Took, batch_seconds
from splitshare.replay.emulator.program import ClassProgram, Program
from splitshare.replay.emulator.wire import TENSOR, WireError

CPU = torch.device("cpu")


class RealCompute:
    """Modules of the catalogue with random weights, one at a time in a thread of their own.

    The tensors of a batch are joined along their first dimension, the module runs once, its output is cut again. A host
    that is faster than the device waits for the rest of the profiled time; one that is slower is not hurried: the
    stages table shows it, and ``took`` says how much of it was computing. A request's ``size`` must be 1: tensors have
    the shapes and types of the catalogue, in whatever precision the device holds its modules. A decoder reads the
    catalogue's example prompt with every request.

    Args:
        device: whose modules these are; of its own requests it makes the inputs before the first one comes.
        catalog_root: the data folder.
        timer: the event loop's precise timer.
        threads: of torch.
        torch_device: where modules are held and compute. A batch's tensors go there once, and its output comes back
            once; both count as computing, and ``took`` tells them apart.
    """

    needs_batch_s = False

    def __init__(
        self, device: str, catalog_root: Path, timer: Timer, *, threads: int, torch_device: torch.device = CPU
    ) -> None:
        torch.set_num_threads(threads)
        self._catalog = self._precise = load_catalog(catalog_root)
        self._precision: Dtype | None = None
        self._device, self._timer, self._torch_device = device, timer, torch_device
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="modules")
        self._held: dict[str, SplitModule] = {}
        self._prompts: dict[str, Tensor] = {}
        self._sources: dict[tuple[str, int], bytes] = {}
        self.took: Took | None = None
        self._moved_s = 0.0

    async def load(self, program: Program, modules: Mapping[str, float]) -> None:
        """Build what is new, drop what is not wanted any more, and make inputs: no request should wait for it."""
        precision = program.precisions.get(self._device)
        if precision != self._precision:
            self._precision, self._held = precision, {}
            self._precise = self._catalog.at_precision(precision)

        def build() -> dict[str, SplitModule]:
            for asked in (c for c in program.classes if c.source == self._device):
                for place, step in enumerate(asked.steps):
                    if step.kind == "input":
                        self.source(asked, place, 1.0)
            return {name: self._held.get(name) or self._built(name) for name in modules}

        self._held = await asyncio.get_running_loop().run_in_executor(self._thread, build)
        self._prompts = {
            name: example_inputs(self._catalog.module(name), module, 1)["prompt"]
            for name, module in self._held.items()
            if isinstance(module, Decoder)
        }

    def _built(self, name: str) -> SplitModule:
        return build_module(self._precise.module(name)).to(self._torch_device)

    def source(self, program: ClassProgram, place: int, size: float) -> bytes:
        """Seeded inputs of the encoder, as many items as the model's requests have."""
        if size != 1:
            raise WorkError("real modules take requests of size 1 only; leave the trace's `size` out")
        key = (program.model, place)
        if key not in self._sources:
            model = self._catalog.model(program.model)
            encoder = model.encoders[place]
            shared = self._catalog.module(encoder.module)
            with torch.device("meta"):  # shapes only: the source does not hold the module
                module = build_module(shared)
            inputs = example_inputs(shared, module, self._catalog.items(model, encoder))
            self._sources[key] = _pack(inputs[encoder.role])
        return self._sources[key]

    def stacks(self, program: ClassProgram, place: int) -> Hashable:
        """What an encoder gives; the model of a head, which takes equally many items of each role."""
        model = self._catalog.model(program.model)
        if program.steps[place].kind == "encode":
            return model.encoders[place - len(model.encoders)].output
        return model.name

    async def run(self, batch: Sequence[Run], slowness: float) -> list[bytes]:
        """The module's outputs, not before the profiled time is over."""
        end_s = time.monotonic() + batch_seconds(batch) * slowness
        outputs = await asyncio.get_running_loop().run_in_executor(self._thread, self._timed, batch)
        await self._timer.sleep_until(end_s)
        return outputs

    def _timed(self, batch: Sequence[Run]) -> list[bytes]:
        """Compute; with one thread torch does that in this one, so what it did not run it waited for a core."""
        began_s, began_cpu_s = time.monotonic(), time.thread_time()
        self._moved_s = 0.0
        outputs = self._compute(batch)
        self.took = Took(time.monotonic() - began_s, time.thread_time() - began_cpu_s, self._moved_s)
        return outputs

    def _moved(self, tensors: Mapping[str, Tensor], there: torch.device) -> dict[str, Tensor]:
        """The tensors on another device, and how long that took; what it was computing is waited for first."""
        if self._torch_device == CPU:
            return dict(tensors)
        self._wait()
        began_s = time.monotonic()
        moved = {role: tensor.cpu() if there == CPU else tensor.to(there) for role, tensor in tensors.items()}
        self._wait()
        self._moved_s += time.monotonic() - began_s
        return moved

    def _wait(self) -> None:
        """Until the device has done all that it was given; torch's meta device is given nothing."""
        if self._torch_device.type != "meta":
            torch.accelerator.synchronize(self._torch_device)

    def _compute(self, batch: Sequence[Run]) -> list[bytes]:
        step, model = batch[0].step, self._catalog.model(batch[0].program.model)
        module = self._held.get(step.module)
        if module is None:
            raise WorkError(f"{step.module} is not loaded")
        inputs = [self._tensors(run) for run in batch]
        try:
            joined = {role: torch.cat([tensors[role] for tensors in inputs]) for role in inputs[0]}
            joined = self._moved(self._as_computed(step.module, joined), self._torch_device)
            with torch.inference_mode():
                if step.kind == "encode":
                    encoder = model.encoders[batch[0].place - len(model.encoders)]
                    output = encode(module, joined, encoder.output)
                    rows = [len(tensors[encoder.role]) for tensors in inputs]
                else:
                    output = module(joined)
                    rows = [len(output) // len(batch)] * len(batch)
                output = self._as_sent(step.module, self._moved({TENSOR: output}, CPU)[TENSOR])
        except (RuntimeError, IndexError) as error:  # what arrived has a shape or type that the module does not take
            raise WorkError(f"{step.module}: {str(error).splitlines()[0]}") from None
        return [_pack(part) for part in torch.split(output, rows)]

    def _as_computed(self, name: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Inputs in the type in which the module computes here, where that is not the catalogue's."""
        if self._precise is self._catalog:
            return dict(tensors)
        dtypes = self._precise.module(name).input_dtypes
        return {
            role: tensor.to(getattr(torch, dtypes[role])) if tensor.is_floating_point() else tensor
            for role, tensor in tensors.items()
        }

    def _as_sent(self, name: str, tensor: Tensor) -> Tensor:
        """An output in the catalogue's type: what a device computes in is its own affair."""
        if self._precise is self._catalog:
            return tensor
        own = self._catalog.module(name).architecture.dtype
        return tensor.to(getattr(torch, own)) if tensor.is_floating_point() else tensor

    def _tensors(self, run: Run) -> dict[str, Tensor]:
        """What a stage's module reads, by role."""
        encoders = self._catalog.model(run.program.model).encoders
        sent = 0 if run.step.kind == "encode" else 2 * len(encoders)
        tensors: dict[str, Tensor] = {encoders[place - sent].role: _unpack(data) for place, data in run.inputs.items()}
        if run.step.kind == "head" and run.step.module in self._prompts:
            tensors["prompt"] = self._prompts[run.step.module]
        return tensors


def _pack(tensor: Tensor) -> bytes:
    return save({TENSOR: tensor.contiguous()})


def _unpack(data: bytes) -> Tensor:
    try:
        return load(data)[TENSOR]
    except (SafetensorError, KeyError, ValueError):
        raise WireError("the payload is not safetensors of one tensor") from None
