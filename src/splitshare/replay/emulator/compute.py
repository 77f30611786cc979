"""What stands for a device's processor: recorded times here, real modules in ``torch_compute``."""

from __future__ import annotations

import time
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, Protocol

import numpy as np

from splitshare.replay.emulator.clock import Timer
from splitshare.replay.emulator.program import ClassProgram, Program, Step
from splitshare.replay.emulator.wire import decode, encode

ComputeKind = Literal["recorded", "real"]


@dataclass(frozen=True)
class Run:
    """A stage of a request that is to be computed."""

    program: ClassProgram
    """The request's class."""
    place: int
    """The stage."""
    inputs: Mapping[int, bytes]
    """Tensors by the place of the stage that they come from."""
    size: float
    """The request's factor on computing and bytes."""

    @property
    def step(self) -> Step:
        """The stage."""
        return self.program.steps[self.place]


class Took(NamedTuple):
    """What a run of real modules took here."""

    wall_s: float
    """Seconds that it lasted, its tensors unpacked and packed."""
    cpu_s: float
    """CPU seconds of its thread."""
    moved_s: float
    """Seconds of ``wall_s`` that its tensors took to the device that torch computes on, and its output back."""

    def share(self, batch: int) -> Took:
        """Of one of so many stages that ran as a batch."""
        return Took(*(seconds / batch for seconds in self))


class Compute(Protocol):
    """A device's processor; it is asked for one module at a time."""

    needs_batch_s: bool
    """Whether it must be told what a batch takes (``Step.batches``)."""
    took: Took | None
    """Of the last run; ``None``: recorded."""

    async def load(self, program: Program, modules: Mapping[str, float]) -> None:
        """Hold these modules (resident bytes by name) and no others.

        Raises:
            SplitshareError: a module cannot be loaded.
        """
        ...

    def source(self, program: ClassProgram, place: int, size: float) -> bytes:
        """The tensor that the request's source sends at the stage ``place``."""
        ...

    def stacks(self, program: ClassProgram, place: int) -> Hashable:
        """What the tensors of a stage must have in common with others of its module for them to run as one batch."""
        ...

    async def run(self, batch: Sequence[Run], slowness: float) -> list[bytes]:
        """Run a module.

        Args:
            batch: one stage, or several that are alike (``stacks``) and of requests of one size.
            slowness: factor on computing, above 1 for a straggler.

        Returns:
            The output tensor of each stage.

        Raises:
            WireError: an input is not a tensor.
        """
        ...


def batch_seconds(batch: Sequence[Run]) -> float:
    """Profiled seconds of a batch; of one stage where the program has none of batches, which no batch beats."""
    lead = batch[0]
    return lead.step.batches.get(len(batch), lead.step.compute_s) * lead.size


class RecordedCompute:
    """Sleeps for the instance's seconds on a precise clock; tensors have the right bytes and hold zeros.

    Args:
        device: its name in the instance.
        timer: the event loop's precise timer.
    """

    needs_batch_s = True
    took: Took | None = None

    def __init__(self, device: str, timer: Timer) -> None:
        self._device, self._timer = device, timer
        self._made: dict[int, bytes] = {}

    async def load(self, program: Program, modules: Mapping[str, float]) -> None:
        """Make the tensors of requests of size 1: no request should wait for it. A recorded module is its time."""
        sent = (step for c in program.classes for step in c.steps if step.begin == self._device and not step.computes)
        sizes = {step.size_bytes for step in sent}
        self._made = {size: self._made.get(size) or _zeros(size) for size in sizes}

    def source(self, program: ClassProgram, place: int, size: float) -> bytes:
        """Zeros of the stage's bytes."""
        return self._tensor(program.steps[place].size_bytes * size)

    def stacks(self, program: ClassProgram, place: int) -> Hashable:
        """Nothing: the module, the curve and the size are the same already."""
        return None

    async def run(self, batch: Sequence[Run], slowness: float) -> list[bytes]:
        """Zeros of the bytes that the next stages carry, once the profiled time is over."""
        end_s = time.monotonic() + batch_seconds(batch) * slowness
        outputs = [self._output(run) for run in batch]
        await self._timer.sleep_until(end_s)
        return outputs

    def _output(self, run: Run) -> bytes:
        for data in run.inputs.values():
            decode(data)
        sent = [run.program.steps[after].size_bytes for after in run.step.after]
        return self._tensor(max(sent, default=0) * run.size)

    def _tensor(self, size_bytes: float) -> bytes:
        size = round(size_bytes)
        return self._made.get(size) or _zeros(size)


def _zeros(size: int) -> bytes:
    return encode(np.zeros(size, dtype=np.uint8))
