"""What stands for a device's processor: recorded times here, real modules in ``torch_compute``."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Literal, Protocol

import numpy as np

from splitshare.replay.emulator.clock import Timer
from splitshare.replay.emulator.program import ClassProgram, Program
from splitshare.replay.emulator.wire import decode, encode

ComputeKind = Literal["recorded", "real"]


class Compute(Protocol):
    """A device's processor; it is asked for one module at a time."""

    took: tuple[float, float] | None
    """Of the last run: seconds that its computing lasted here, and CPU seconds of its thread; ``None``: recorded."""

    async def load(self, program: Program, modules: Mapping[str, float]) -> None:
        """Hold these modules (resident bytes by name) and no others.

        Raises:
            SplitshareError: a module cannot be loaded.
        """
        ...

    def source(self, program: ClassProgram, place: int, size: float) -> bytes:
        """The tensor that the request's source sends at the stage ``place``."""
        ...

    async def run(
        self, program: ClassProgram, place: int, inputs: Mapping[int, bytes], size: float, slowness: float
    ) -> bytes:
        """Run the module of the stage ``place``.

        Args:
            program: the request's class.
            place: the stage.
            inputs: tensors by the place of the stage that they come from.
            size: the request's factor on computing and bytes.
            slowness: factor on computing, above 1 for a straggler.

        Returns:
            The output tensor.

        Raises:
            WireError: an input is not a tensor.
        """
        ...


class RecordedCompute:
    """Sleeps for the instance's seconds on a precise clock; tensors have the right bytes and hold zeros."""

    took: tuple[float, float] | None = None

    def __init__(self, timer: Timer) -> None:
        self._timer = timer

    async def load(self, program: Program, modules: Mapping[str, float]) -> None:
        """Nothing to load: a recorded module is its time."""

    def source(self, program: ClassProgram, place: int, size: float) -> bytes:
        """Zeros of the stage's bytes."""
        return encode(np.zeros(round(program.steps[place].size_bytes * size), dtype=np.uint8))

    async def run(
        self, program: ClassProgram, place: int, inputs: Mapping[int, bytes], size: float, slowness: float
    ) -> bytes:
        """Zeros of the bytes that the next stage carries, once the profiled time is over."""
        end_s = time.monotonic() + program.steps[place].compute_s * size * slowness
        for data in inputs.values():
            decode(data)
        sent = [program.steps[after].size_bytes for after in program.steps[place].after]
        output = encode(np.zeros(round(max(sent, default=0) * size), dtype=np.uint8))
        await self._timer.sleep_until(end_s)
        return output
