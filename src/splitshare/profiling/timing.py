"""Load and run one module in this process, batch by batch."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from statistics import median

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from splitshare.catalog.loader import SharedModule
from splitshare.modules.base import SplitModule
from splitshare.modules.build import build_module, example_inputs
from splitshare.modules.decoder import Decoder, Pass
from splitshare.profiling.energy import energy_counter, joules_a_run
from splitshare.profiling.job import BatchTimes, Job, LeftOut
from splitshare.profiling.meters import CpuMeter, Meter, meter_of
from splitshare.profiling.settling import Run, time_settled

LOADS = 3
"""Times that the weights are loaded; the median counts."""

SHARD_BYTES = 5 * 10**8
"""Weights in one file, unless a single tensor is larger: so that loading needs little memory beside the module's."""

CLOCKS_UP_S = 0.3
"""Seconds of runs before a first batch is timed: a GPU that was idle takes a while to its full clock, as many a CPU."""

WARM_UP_TOKENS = 2
"""Tokens that a decoder writes to warm up: one of each kind of pass."""

ALLOCATION_FAILED = re.compile(r"can't allocate memory|not enough memory|out of memory", re.IGNORECASE)
"""How torch words a failed allocation, which on the CPU is a plain ``RuntimeError``."""


class OutOfMemoryError(Exception):
    """The module or its activations do not fit."""


def measure_batches(shared: SharedModule, job: Job, batches: Iterable[int]) -> Iterator[BatchTimes | LeftOut]:
    """Measure a module at each of ``batches`` (ascending), yielding each as soon as it is known.

    Loading is timed from safetensors files that were just written, so with a warm page cache, into the built module
    on the device. One run at the first batch, of two tokens where it is a decoder, makes the process ready. At each
    batch the first run, a whole answer, is for memory too; when a run counts, and when there are enough, see
    ``settling``. Where the hardware counts joules, it runs on for a while for these (``energy``). A batch that no
    request asks for is left out where, going by the batch before, a run would take longer than ``job.longest_run_s``.

    Raises:
        OutOfMemoryError: memory ran out; earlier batches have been yielded.
    """
    torch.set_num_threads(job.threads)
    device = torch.device(job.torch_device)
    with memory_errors(), torch.inference_mode():
        module = build_module(shared, job.seed).to(device)
        load_s = _load_seconds(module, device, Path(job.scratch) / "weights.safetensors")
        held_bytes = sum(t.nbytes for t in _tensors(module).values())
        counter = energy_counter(job.torch_device)
        item_s: float | None = None
        for batch in batches:
            if item_s is not None and batch not in shared.asked_batches and batch * item_s > job.longest_run_s:
                reason = f"not measured: a run would take about {batch * item_s:.0f} s, over the limit of "
                yield LeftOut(batch=batch, reason=f"{reason}{job.longest_run_s:g} s, and no request asks for it")
                continue
            inputs = {
                role: tensor.to(device) for role, tensor in example_inputs(shared, module, batch, job.seed).items()
            }
            if item_s is None:
                warm_up(module, inputs)
            meter = meter_of(device, held_bytes + sum(t.nbytes for t in inputs.values()))
            first: list[Run] = []
            peak = meter.peak_bytes(lambda: first.append(run_once(meter, module, inputs)))  # noqa: B023, called here
            timed = time_settled(
                lambda: first.pop() if first else run_once(meter, module, inputs),  # noqa: B023, called here
                job.budget_s,
                job.longest_run_s,
                CLOCKS_UP_S if item_s is None else 0.0,
            )
            energy = None
            if counter is not None and timed.runs[-1].seconds <= job.longest_run_s:
                energy = joules_a_run(partial(run_once, meter, module, inputs), partial(_wait, device), counter)
            runs = timed.runs
            item_s = median(run.seconds for run in runs) / batch
            prefills = tuple(run.prefill_s for run in runs if run.prefill_s is not None)
            yield BatchTimes(
                batch=batch,
                seconds=tuple(run.seconds for run in runs),
                prefill_s=prefills or None,
                peak_memory_bytes=peak,
                load_s=load_s,
                warm_up_runs=timed.warm_up_runs,
                settled=timed.settled,
                energy_j=energy.energy_j if energy else None,
                energy_source=counter.source if energy and counter else None,
            )


def run_once(meter: Meter, module: SplitModule, inputs: dict[str, Tensor]) -> Run:
    """Run once, by parts where the module is a decoder."""
    if not isinstance(module, Decoder):
        return Run(meter.seconds(lambda: module(inputs)))
    passes: list[Pass] = []
    prefill_s = meter.seconds(lambda: passes.append(module.prefill(inputs)))
    return Run(prefill_s + meter.seconds(lambda: module.decode(passes.pop())), prefill_s)


def warm_up(module: SplitModule, inputs: dict[str, Tensor]) -> None:
    """Run once, so that what is done only the first time is done; a decoder writes a few tokens."""
    if not isinstance(module, Decoder):
        module(inputs)
        return
    new_tokens, module.new_tokens = module.new_tokens, min(WARM_UP_TOKENS, module.new_tokens)
    module(inputs)
    module.new_tokens = new_tokens


def _tensors(module: nn.Module) -> dict[str, Tensor]:
    """Weights and kept state by name; what several names share stands under the first of them."""
    tensors: dict[int, tuple[str, Tensor]] = {}
    for name, tensor in module.state_dict().items():
        tensors.setdefault(tensor.data_ptr(), (name, tensor))
    return dict(tensors.values())


def _load_seconds(module: nn.Module, device: torch.device, path: Path) -> float:
    """Seconds to read the module's weights from files into it: the sum over the files of their medians."""
    targets = _tensors(module)
    shards = list(_shards(targets))
    total = 0.0
    for shard in shards:
        save_file({name: targets[name].contiguous() for name in shard}, path)

        def load() -> None:
            for name, tensor in load_file(path, device=str(device)).items():
                targets[name].copy_(tensor)
            _wait(device)

        try:
            meter = CpuMeter(held_bytes=0)  # the file is read by the CPU, wherever the weights go
            total += median(meter.seconds(load) for _ in range(LOADS if len(shards) == 1 else 1))
        finally:
            path.unlink(missing_ok=True)
    return total


def _wait(device: torch.device) -> None:
    """Until the device has done all that it was given."""
    if device.type != "cpu":
        torch.accelerator.synchronize(device)


def _shards(tensors: dict[str, Tensor]) -> Iterator[list[str]]:
    """Names in groups of at most ``SHARD_BYTES``, or of one."""
    shard: list[str] = []
    size = 0
    for name, tensor in tensors.items():
        if shard and size + tensor.nbytes > SHARD_BYTES:
            yield shard
            shard, size = [], 0
        shard.append(name)
        size += tensor.nbytes
    if shard:
        yield shard


@contextmanager
def memory_errors() -> Iterator[None]:
    """Turn torch's and Python's ways of running out of memory into one."""
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if isinstance(error, MemoryError) or ALLOCATION_FAILED.search(str(error)):
            raise OutOfMemoryError(str(error).splitlines()[0] if str(error) else "memory ran out") from error
        raise
