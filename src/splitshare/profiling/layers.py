"""Measure a few of a module's equal layers and calculate the rest (ours): for modules that leave too little memory.

The module is built and measured twice, with ``FEW`` and with ``MORE`` layers. Their difference is what layers cost, in
seconds, memory and loading; it is added once for every layer that is missing, so what the module has once (embeddings,
output layer, projector) is counted once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from statistics import median

from splitshare.catalog.loader import Catalog
from splitshare.profiling.job import BatchTimes, Job
from splitshare.profiling.timing import measure_batches

FEW, MORE = 1, 3
"""Layers that are built."""


def layers_of(catalog: Catalog, module: str) -> int | None:
    """Equal layers of ``module``; None where there are none to leave out."""
    layers = catalog.module(module).architecture.params.get("layers")
    return layers if isinstance(layers, int) and layers > MORE else None


def measure_by_layers(catalog: Catalog, job: Job, batches: Iterable[int]) -> Iterator[BatchTimes]:
    """What the job's module would take at each of ``batches``: one value a batch, without spread.

    Raises:
        OutOfMemoryError: not even a few layers fit.
        ValueError: the module is no stack of layers.
    """
    layers = layers_of(catalog, job.module)
    if layers is None:
        raise ValueError(f"{job.module} has no layers to leave out")
    architecture = catalog.module(job.module).ref.architecture
    few, more = (
        [
            found
            for found in measure_batches(catalog.with_layers(architecture, kept), job, batches)
            if isinstance(found, BatchTimes)
        ]
        for kept in (FEW, MORE)
    )
    for low, high in zip(few, more, strict=False):
        yield _extended(low, high, (layers - FEW) / (MORE - FEW))


def difference(catalog: Catalog, job: Job, whole: BatchTimes) -> str:
    """How far the layer method is off on a decoder that was measured whole, in words.

    Raises:
        OutOfMemoryError: the layers do not fit.
        ValueError: the module is no stack of layers.
    """
    (found,) = measure_by_layers(catalog, job, [whole.batch])
    parts = [_compared("request", median(whole.seconds), found.seconds[0])]
    if whole.prefill_s and found.prefill_s:
        first, estimate = median(whole.prefill_s), found.prefill_s[0]
        parts.append(_compared("prefill", first, estimate))
        parts.append(_compared("rest", median(whole.seconds) - first, found.seconds[0] - estimate))
    return (
        f"layer method ({FEW} and {MORE} of {layers_of(catalog, job.module)} layers measured, the rest calculated) "
        f"against {job.module} measured whole: {'; '.join(parts)}"
    )


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
    )


def _compared(what: str, whole_s: float, estimate_s: float) -> str:
    return f"{what} {estimate_s:.3g} s against {whole_s:.3g} s ({estimate_s / whole_s - 1:+.0%})"
