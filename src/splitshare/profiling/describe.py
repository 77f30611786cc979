"""Read the facts of a module off its architecture, without weights: parameters, operations, bytes.

Operations are counted by torch's counter over a forward pass on the meta device. It counts matrix products
and convolutions, attention included: on the meta device scaled-dot-product attention decomposes into matrix
products, whereas the fused CPU kernel, which it does not know, would go uncounted. It leaves out what is
linear in the activations (normalisation, activation functions, pooling, softmax, additions), about 0.1 % of a
ViT-B/16, and it counts the masked half of causal attention, as dense kernels compute it.
"""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch.utils.flop_counter import FlopCounterMode

from splitshare.catalog.loader import Catalog
from splitshare.modules.base import SplitModule
from splitshare.modules.build import build_module, example_inputs, output_spec
from splitshare.modules.build import spec as tensor_spec
from splitshare.profiling.definition import definition_sha256
from splitshare.profiling.records import ModuleDescription, ModuleDescriptions, Work


def describe_module(catalog: Catalog, name: str, batches: Iterable[int] | None = None) -> ModuleDescription:
    """Describe one module.

    Args:
        catalog: the catalogue that defines it.
        name: the module's name.
        batches: batch sizes; by default all at which the catalogue needs it.

    Raises:
        InputError: the catalogue has no such module, or its architecture cannot be built.
    """
    shared = catalog.module(name)
    with torch.device("meta"):
        module = build_module(catalog, name)
    parameters = list(module.parameters())
    return ModuleDescription(
        module=name,
        architecture=shared.ref.architecture,
        kind=shared.architecture.kind,
        dtype=shared.architecture.dtype,
        parameters=sum(p.numel() for p in parameters),
        embedding_parameters=module.token_embedding_parameters(),
        parameter_bytes=sum(p.nbytes for p in parameters),
        definition_sha256=definition_sha256(catalog, name),
        work=tuple(
            _work(catalog, name, module, batch) for batch in (catalog.batches(name) if batches is None else batches)
        ),
    )


def describe_catalog(catalog: Catalog, modules: Iterable[str] | None = None) -> ModuleDescriptions:
    """Describe ``modules`` (default: every module of the catalogue), in the order given."""
    names = catalog.modules() if modules is None else modules
    return ModuleDescriptions(
        schema_="splitshare.module-descriptions/1",
        modules=tuple(describe_module(catalog, name) for name in names),
    )


def _work(catalog: Catalog, name: str, module: SplitModule, batch: int) -> Work:
    inputs = example_inputs(catalog, name, module, batch)
    with FlopCounterMode(display=False) as counter:
        output = output_spec(module, inputs)
    return Work(
        batch=batch,
        flops=counter.get_total_flops(),
        input_bytes=sum(tensor_spec(tensor).bytes for tensor in inputs.values()),
        output_bytes=output.bytes,
    )
