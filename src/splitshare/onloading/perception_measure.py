"""Modules of the perception zoo counted and timed on this machine, one at a time, with seeded random weights.

Counting is torch's own (``profiling.describe`` says what it leaves out): on the meta device where the architecture runs
there, on the CPU where it looks at numbers on its way (D-FINE, DETR, Mask2Former, OneFormer). Timing is that of the
other profiles (``profiling.settling``); a module that takes longer than ``longest_run_s`` is run once.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from functools import partial
from statistics import median
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

from splitshare.onloading.perception_builders import BUILDERS
from splitshare.onloading.perception_models import Module
from splitshare.profiling.meters import CpuMeter
from splitshare.profiling.operations import OperationCounter
from splitshare.profiling.records import ModuleDescription, ProfileRow, Work
from splitshare.profiling.settling import Run, time_settled
from splitshare.profiling.timing import CLOCKS_UP_S

BATCHES = (1, 2, 4, 8, 16, 32, 64)
"""Batch sizes of the counts, and so of derived curves."""
TIMED_BATCHES = (1, 2, 4)
"""Batch sizes that are timed here, as far as ``longest_run_s`` allows."""
SEED = 0
ON_CPU = ("d-fine", "detr", "mask2former", "oneformer")
"""Builders whose modules do not run on the meta device."""


class _Flops(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Adds up floating point operations by torch's formulas.

    ``FlopCounterMode`` does too, but asks for gradients, whose memory the largest modules do not leave.
    """

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.flops = self.convolution_flops = 0

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        formula = flop_registry.get(func._overloadpacket)
        if formula is None:
            with self:
                parts = func.decompose(*args, **kwargs)
            if parts is not NotImplemented:
                return parts
        answer = func(*args, **kwargs)
        if formula is not None:
            count = formula(*args, **kwargs, out_val=answer)
            self.flops += count
            if func._overloadpacket is torch.ops.aten.convolution:
                self.convolution_flops += count
        return answer


def definition_sha256(module: Module) -> str:
    """Digest of what a module is made from."""
    said = [module.builder, module.config, module.input_shape]
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()


def describe(module: Module) -> ModuleDescription:
    """Parameters, operations and bytes of one module, for all of ``BATCHES``.

    An item's operations do not depend on the others of its batch, so a batch multiplies them.
    """
    device = "cpu" if module.builder in ON_CPU else "meta"
    built = build(module, device)
    inputs = torch.zeros(1, *module.input_shape, device=device)
    # The kernels of attention that compute with plain products are the ones that the formulas know.
    with torch.inference_mode(), sdpa_kernel(SDPBackend.MATH), _Flops() as flops, OperationCounter() as operations:
        answer = built(inputs)
    answers = answer if isinstance(answer, tuple) else (answer,)
    output_bytes = sum(tensor.nbytes for tensor in answers)
    parameters = list(built.parameters())
    return ModuleDescription(
        module=module.name,
        architecture=module.builder,
        kind=module.kind,
        dtype="float32",
        parameters=sum(p.numel() for p in parameters),
        embedding_parameters=0,
        parameter_bytes=held_bytes(built),
        definition_sha256=definition_sha256(module),
        work=tuple(
            Work(
                batch=batch,
                flops=batch * flops.flops,
                convolution_flops=batch * flops.convolution_flops,
                operations=operations.operations,
                input_bytes=batch * inputs.nbytes,
                output_bytes=batch * output_bytes,
            )
            for batch in BATCHES
        ),
    )


def measure(module: Module, description: ModuleDescription, budget_s: float, longest_run_s: float) -> list[ProfileRow]:
    """Seconds of one module here, batch by batch; the caller has set torch's threads.

    Args:
        module: the module.
        description: its counts.
        budget_s: seconds of runs that count, a batch.
        longest_run_s: seconds that a single run may take if there are to be more, or larger batches.
    """
    built = build(module, "cpu")
    generator = torch.Generator().manual_seed(SEED)
    rows: list[ProfileRow] = []
    for batch in TIMED_BATCHES:
        if rows and batch / rows[-1].batch * (rows[-1].compute_median_s or 0.0) > longest_run_s:
            break
        inputs = torch.rand(batch, *module.input_shape, generator=generator)
        run = partial(_run, built, inputs)
        timed = time_settled(run, budget_s, longest_run_s, 0.0 if rows else CLOCKS_UP_S)
        seconds = [each.seconds for each in timed.runs]
        low, high = np.percentile(seconds, [10, 90])
        rows.append(
            ProfileRow(
                module=module.name,
                batch=batch,
                provenance="measured",
                source=f"median over {len(seconds)} run(s) after {timed.warm_up_runs} to warm up, random weights",
                definition_sha256=description.definition_sha256,
                compute_median_s=median(seconds),
                compute_p10_s=float(low),
                compute_p90_s=float(high),
                runs=len(seconds),
                warm_up_runs=timed.warm_up_runs,
                settled=timed.settled,
                parameter_bytes=description.parameter_bytes,
                output_bytes=batch * description.work[0].output_bytes,
            )
        )
    return rows


def build(module: Module, device: str) -> nn.Module:
    """The module with random weights, the same for the same seed, ready to answer."""
    torch.manual_seed(SEED)
    with torch.device(device):
        return BUILDERS[module.builder](module.config).eval()


def held_bytes(module: nn.Module) -> int:
    """Bytes of parameters and of what a module keeps beside them, as loaded."""
    return sum(tensor.nbytes for tensor in module.state_dict().values())


def _run(module: nn.Module, inputs: Tensor) -> Run:
    with torch.inference_mode():
        return Run(CpuMeter(held_bytes=0).seconds(lambda: module(inputs)))
