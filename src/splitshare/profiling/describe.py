"""Read the facts of a module off its architecture, without weights: parameters, operations, bytes.

Operations are counted by torch's counter over a forward pass on the meta device. It counts matrix products
and convolutions, attention included: on the meta device scaled-dot-product attention decomposes into matrix
products, whereas the fused CPU kernel, which it does not know, would go uncounted. It leaves out what is
linear in the activations (normalisation, activation functions, pooling, softmax, additions), about 0.1 % of a
ViT-B/16, and it counts the masked half of causal attention, as dense kernels compute it.

In the same pass the operations are counted that a device is given (``profiling.operations``): a batch does not change
them, and a decoder has those of each pass.

Of an encoder one item is counted, for a batch multiplies all counts: its items do not meet. A head's do, with what they
are held against, so every batch of it is passed through. Of a decoder three passes are counted: over image and prompt,
and the first two of one token each. Every further pass attends to one token more, so the counts go on in an arithmetic
progression; and a batch multiplies them all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar

import torch
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from splitshare.catalog.loader import Catalog, SharedModule
from splitshare.choices import Dtype
from splitshare.modules.base import PatchEncoder, SplitModule
from splitshare.modules.build import build_module, example_inputs, output_spec
from splitshare.modules.build import spec as tensor_spec
from splitshare.modules.decoder import Decoder
from splitshare.profiling.definition import definition_sha256
from splitshare.profiling.operations import OperationCounter
from splitshare.profiling.records import ModuleDescription, ModuleDescriptions, Work


def describe_module(
    shared: SharedModule, batches: Iterable[int] | None = None, catalogued: SharedModule | None = None
) -> ModuleDescription:
    """Describe one module.

    Args:
        shared: what the catalogue says of it.
        batches: batch sizes; by default all at which the catalogue needs it.
        catalogued: the module as the catalogue has it, whose definition it is; for one at another precision.

    Raises:
        InputError: its architecture cannot be built.
    """
    with torch.device("meta"):
        module = build_module(shared)
    parameters = list(module.parameters())
    batches = shared.batches if batches is None else batches
    return ModuleDescription(
        module=shared.name,
        architecture=shared.ref.architecture,
        kind=shared.architecture.kind,
        dtype=shared.architecture.dtype,
        parameters=sum(p.numel() for p in parameters),
        embedding_parameters=module.token_embedding_parameters(),
        parameter_bytes=sum(p.nbytes for p in parameters),
        definition_sha256=definition_sha256(catalogued or shared),
        work=_works(shared, module, batches),
    )


def describe_catalog(
    catalog: Catalog, modules: Iterable[str] | None = None, precision: Dtype | None = None
) -> ModuleDescriptions:
    """Describe ``modules`` (default: every module of the catalogue), in the order given, at a precision."""
    precise = catalog.at_precision(precision)
    names = catalog.modules() if modules is None else modules
    return ModuleDescriptions(
        schema_="splitshare.module-descriptions/1",
        precision=precision,
        modules=tuple(describe_module(precise.module(name), catalogued=catalog.module(name)) for name in names),
    )


_Result = TypeVar("_Result")


@dataclass(frozen=True)
class _Counts:
    """What one pass computes."""

    flops: int
    convolution_flops: int
    operations: int


def _counted(pass_: Callable[[], _Result]) -> tuple[_Result, _Counts]:
    """Run a pass on the meta device and count it."""
    with FlopCounterMode(display=False) as flops, OperationCounter() as counter:
        result = pass_()
    convolutions = flops.get_flop_counts().get("Global", {}).get(torch.ops.aten.convolution, 0)
    return result, _Counts(flops.get_total_flops(), convolutions, counter.operations)


def _works(shared: SharedModule, module: SplitModule, batches: Iterable[int]) -> tuple[Work, ...]:
    if isinstance(module, Decoder):
        return _decoder_work(shared, module, batches)
    if not shared.architecture.kind.endswith("encoder"):
        return tuple(_work(shared, module, batch) for batch in batches)
    one = _work(shared, module, 1)
    return tuple(
        Work(
            batch=batch,
            flops=batch * one.flops,
            convolution_flops=batch * one.convolution_flops,
            operations=one.operations,
            input_bytes=batch * one.input_bytes,
            output_bytes=batch * one.output_bytes,
            patches_bytes=None if one.patches_bytes is None else batch * one.patches_bytes,
        )
        for batch in batches
    )


def _work(shared: SharedModule, module: SplitModule, batch: int) -> Work:
    inputs = _meta_inputs(shared, module, batch)
    output, counts = _counted(lambda: output_spec(module, inputs))
    return Work(
        batch=batch,
        flops=counts.flops,
        convolution_flops=counts.convolution_flops,
        operations=counts.operations,
        input_bytes=_bytes(inputs),
        output_bytes=output.bytes,
        patches_bytes=output_spec(module, inputs, "patches").bytes if isinstance(module, PatchEncoder) else None,
    )


def _decoder_work(shared: SharedModule, decoder: Decoder, batches: Iterable[int]) -> tuple[Work, ...]:
    inputs = _meta_inputs(shared, decoder, 1)
    with torch.no_grad():
        latest, prefill = _counted(lambda: decoder.prefill(inputs))
        latest, first = _counted(lambda: decoder.step(latest.logits.argmax(-1), latest.cache))
        _, second = _counted(lambda: decoder.step(latest.logits.argmax(-1), latest.cache))
    steps = decoder.new_tokens - 1
    flops = prefill.flops + steps * first.flops + steps * (steps - 1) // 2 * (second.flops - first.flops)
    return tuple(
        Work(
            batch=batch,
            flops=batch * flops,
            convolution_flops=batch * prefill.convolution_flops,
            operations=prefill.operations + steps * first.operations,
            input_bytes=_bytes(example_inputs(shared, decoder, batch)),
            output_bytes=batch * decoder.new_tokens * torch.int32.itemsize,
            weight_passes=decoder.new_tokens,
            prefill_flops=batch * prefill.flops,
        )
        for batch in batches
    )


def _meta_inputs(shared: SharedModule, module: SplitModule, batch: int) -> dict[str, Tensor]:
    """Inputs without storage, moved there before anything is counted."""
    return {role: tensor.to("meta") for role, tensor in example_inputs(shared, module, batch).items()}


def _bytes(tensors: Mapping[str, Tensor]) -> int:
    return sum(tensor_spec(tensor).bytes for tensor in tensors.values())
