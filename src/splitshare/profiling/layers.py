"""Measure a few of a module's equal layers and calculate the rest (ours): for modules that leave too little memory.

The module is built and measured twice, with ``FEW`` and with ``MORE`` layers. Their difference is what layers cost, in
seconds, memory and loading; it is added once for every layer that is missing, so what the module has once (embeddings,
output layer, projector) is counted once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from statistics import median
from typing import Literal

from splitshare.catalog.loader import SharedModule
from splitshare.profiling.job import BatchTimes, Job, LeftOut
from splitshare.profiling.records import LayerCheck
from splitshare.profiling.timing import measure_batches

FEW, MORE = 1, 3
"""Layers that are built."""

Part = tuple[Literal["request", "prefill", "per-token"], tuple[float, ...], tuple[float, ...]]


def layers_of(shared: SharedModule) -> int | None:
    """Equal layers of a module; None where there are none to leave out."""
    layers = shared.architecture.params.get("layers")
    return layers if isinstance(layers, int) and layers > MORE else None


def measure_by_layers(shared: SharedModule, job: Job, batches: Iterable[int]) -> Iterator[BatchTimes | LeftOut]:
    """What the job's module would take at each of ``batches``: one value a batch, without spread.

    A batch that was left out with few layers or with more is left out.

    Raises:
        OutOfMemoryError: not even a few layers fit.
        ValueError: the module is no stack of layers.
    """
    layers = layers_of(shared)
    if layers is None:
        raise ValueError(f"{job.module} has no layers to leave out")
    asked = tuple(batches)
    few, more = (list(measure_batches(shared.with_layers(kept), job, asked)) for kept in (FEW, MORE))
    for low, high in zip(few, more, strict=True):
        if isinstance(low, LeftOut):
            yield low
        elif isinstance(high, LeftOut):
            yield high
        else:
            yield _extended(low, high, (layers - FEW) / (MORE - FEW))


def check_layer_method(shared: SharedModule, job: Job, whole: BatchTimes) -> tuple[LayerCheck, ...]:
    """Hold the layer method against a module that was measured whole: a check a part of its time.

    Raises:
        OutOfMemoryError: the layers do not fit.
        ValueError: the module is no stack of layers.
    """
    (by_layers,) = measure_by_layers(shared, job, [whole.batch])
    assert isinstance(by_layers, BatchTimes), "a first batch is never left out"
    return tuple(
        LayerCheck(
            module=job.module,
            batch=whole.batch,
            part=part,
            layers=layers_of(shared) or 0,
            measured_layers=(FEW, MORE),
            whole_s=median(measured),
            by_layers_s=median(calculated),
        )
        for part, measured, calculated in _parts(shared, whole, by_layers)
    )


def _parts(shared: SharedModule, whole: BatchTimes, found: BatchTimes) -> Iterator[Part]:
    """Seconds of each run, measured and calculated, by part of a request."""
    yield "request", whole.seconds, found.seconds
    if whole.prefill_s is None or found.prefill_s is None:
        return
    yield "prefill", whole.prefill_s, found.prefill_s
    _, new_tokens = shared.answer_lengths or (0, 1)
    if new_tokens > 1:
        yield "per-token", whole.per_token_s(new_tokens), found.per_token_s(new_tokens)


def _extended(low: BatchTimes, high: BatchTimes, steps: float) -> BatchTimes:
    """``low`` and ``steps`` times what ``high`` adds to it."""

    def extended(a: float, b: float) -> float:
        return a + steps * max(b - a, 0)

    peaks = (low.peak_memory_bytes, high.peak_memory_bytes)
    return BatchTimes(
        batch=low.batch,
        seconds=(extended(median(low.seconds), median(high.seconds)),),
        prefill_s=(
            (extended(median(low.prefill_s), median(high.prefill_s)),) if low.prefill_s and high.prefill_s else None
        ),
        peak_memory_bytes=None if peaks[0] is None or peaks[1] is None else round(extended(peaks[0], peaks[1])),
        load_s=extended(low.load_s, high.load_s),
        warm_up_runs=max(low.warm_up_runs, high.warm_up_runs),
        settled=low.settled and high.settled,
    )
