"""Real modules as a device's processor: torch computes, and what is left of the profiled time is slept."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from splitshare.catalog.loader import load_catalog
from splitshare.errors import WorkError
from splitshare.modules.base import SplitModule
from splitshare.modules.build import build_module, encode, example_inputs
from splitshare.replay.emulator.clock import Timer
from splitshare.replay.emulator.program import ClassProgram, Program
from splitshare.replay.emulator.wire import TENSOR, WireError


class RealCompute:
    """Modules of the catalogue with random weights, one at a time in a thread of their own.

    A host that is faster than the device waits for the rest of the profiled time; one that is slower is not hurried:
    the stages table shows it, and ``took`` says how much of it was computing. A request's ``size`` must be 1: tensors
    have the shapes of the catalogue.

    Args:
        device: whose modules these are; of its own requests it makes the inputs before the first one comes.
        catalog_root: the data folder.
        timer: the event loop's precise timer.
        threads: of torch.
    """

    def __init__(self, device: str, catalog_root: Path, timer: Timer, *, threads: int) -> None:
        torch.set_num_threads(threads)
        self._catalog = load_catalog(catalog_root)
        self._device, self._timer = device, timer
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="modules")
        self._held: dict[str, SplitModule] = {}
        self._sources: dict[tuple[str, int], bytes] = {}
        self.took: tuple[float, float] | None = None

    async def load(self, program: Program, modules: Mapping[str, float]) -> None:
        """Build what is new, drop what is not wanted any more, and make inputs: no request should wait for it."""

        def build() -> dict[str, SplitModule]:
            for asked in (c for c in program.classes if c.source == self._device):
                for place, step in enumerate(asked.steps):
                    if step.kind == "input":
                        self.source(asked, place, 1.0)
            return {name: self._held.get(name) or build_module(self._catalog, name) for name in modules}

        self._held = await asyncio.get_running_loop().run_in_executor(self._thread, build)

    def source(self, program: ClassProgram, place: int, size: float) -> bytes:
        """Seeded inputs of the encoder, as many items as the model's requests have."""
        if size != 1:
            raise WorkError("real modules take requests of size 1 only; leave the trace's `size` out")
        key = (program.model, place)
        if key not in self._sources:
            encoder = self._catalog.model(program.model).encoders[place]
            with torch.device("meta"):  # shapes only: the source does not hold the module
                module = build_module(self._catalog, encoder.module)
            batch = self._catalog.items(self._catalog.model(program.model), encoder)
            self._sources[key] = _pack(example_inputs(self._catalog, encoder.module, module, batch)[encoder.role])
        return self._sources[key]

    async def run(
        self, program: ClassProgram, place: int, inputs: Mapping[int, bytes], size: float, slowness: float
    ) -> bytes:
        """The module's output, not before the profiled time is over."""
        end_s = time.monotonic() + program.steps[place].compute_s * size * slowness
        output = await asyncio.get_running_loop().run_in_executor(self._thread, self._timed, program, place, inputs)
        await self._timer.sleep_until(end_s)
        return output

    def _timed(self, program: ClassProgram, place: int, inputs: Mapping[int, bytes]) -> bytes:
        """Compute; with one thread torch does that in this one, so what it did not run it waited for a core."""
        began_s, began_cpu_s = time.monotonic(), time.thread_time()
        output = self._compute(program, place, inputs)
        self.took = time.monotonic() - began_s, time.thread_time() - began_cpu_s
        return output

    def _compute(self, program: ClassProgram, place: int, inputs: Mapping[int, bytes]) -> bytes:
        step, model = program.steps[place], self._catalog.model(program.model)
        module = self._held.get(step.module)
        if module is None:
            raise WorkError(f"{step.module} is not loaded")
        count = len(model.encoders)
        with torch.inference_mode():
            if step.kind == "encode":
                encoder = model.encoders[place - count]
                (data,) = inputs.values()
                return _pack(encode(module, {encoder.role: _unpack(data)}, encoder.output))
            tensors = {model.encoders[sent - 2 * count].role: _unpack(data) for sent, data in inputs.items()}
            answer: Tensor = module(tensors)
            return _pack(answer)


def _pack(tensor: Tensor) -> bytes:
    return save({TENSOR: tensor.contiguous()})


def _unpack(data: bytes) -> Tensor:
    try:
        return load(data)[TENSOR]
    except (SafetensorError, KeyError, ValueError):
        raise WireError("the payload is not safetensors of one tensor") from None
