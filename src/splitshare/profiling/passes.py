"""Seconds of a module pass by pass: once through an encoder or head, once a new token through a decoder (ours)."""

from __future__ import annotations

import math
from collections.abc import Callable

from splitshare.profiling.records import ModuleDescription, Work


def seconds_of_passes(
    module: ModuleDescription,
    work: Work,
    compute_s: Callable[[float, float], float],
    drawn_bytes_per_s: float,
    launches_s: float,
) -> tuple[float, str]:
    """Seconds of all passes over the weights, and what the most of them are spent on: launches, compute or memory.

    Each pass takes the larger of its compute and its memory time. A decoder's first pass is the prompt's; the others
    share the rest of the FLOPs evenly.

    Args:
        module: the module.
        work: what it does on one batch.
        compute_s: seconds that so many FLOPs take, and so many of them in convolutions.
        drawn_bytes_per_s: memory bandwidth that can be drawn.
        launches_s: seconds that handing the operations of all passes to the device takes.
    """
    memory_s = module.moved_bytes(work) / drawn_bytes_per_s
    first = work.flops if work.prefill_flops is None else work.prefill_flops
    passes = [(1, compute_s(first, work.convolution_flops))]
    if work.weight_passes > 1:
        further = work.weight_passes - 1
        passes.append((further, compute_s((work.flops - first) / further, 0.0)))
    parts = {
        "launches": launches_s,
        "compute": math.fsum(count * each_s for count, each_s in passes if each_s >= memory_s),
        "memory": math.fsum(count * memory_s for count, each_s in passes if each_s < memory_s),
    }
    return math.fsum(parts.values()), max(parts, key=lambda part: parts[part])
