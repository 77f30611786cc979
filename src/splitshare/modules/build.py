"""From the catalogue to torch: modules with seeded weights, and inputs for them."""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import NamedTuple, get_type_hints

import torch
from huggingface_hub.errors import StrictDataclassError
from torch import Tensor

from splitshare.catalog.loader import SharedModule
from splitshare.catalog.records import Architecture, EncoderOutput
from splitshare.errors import InputError, WorkError
from splitshare.modules.base import PatchEncoder, SplitModule
from splitshare.modules.decoder import Decoder
from splitshare.modules.registry import builder_module
from splitshare.records import nearest

Builder = Callable[..., SplitModule]
"""Builds a module from keyword parameters, which are the architecture's ``params``."""


SOURCE = "architectures_file"
"""Parameter of a builder that wants to know in which file the architecture stands; it is not the catalogue's."""


class TensorSpec(NamedTuple):
    """Shape and type of a tensor."""

    shape: tuple[int, ...]
    dtype: torch.dtype

    @property
    def bytes(self) -> int:
        """Size of the values."""
        return torch.Size(self.shape).numel() * self.dtype.itemsize


def builder_of(name: str, architecture: Architecture, source: Path) -> Builder:
    """The builder of ``architecture``, its parameters checked.

    Args:
        name: the architecture's name.
        architecture: its catalogue entry.
        source: file that the entry was read from, for the error.

    Raises:
        InputError: no such builder; or a parameter is missing, unknown or of another type.
    """
    where = f"architectures.{name}"
    builder: Builder = import_module(builder_module(name, architecture, source)).build
    wanted = [key for key in inspect.signature(builder).parameters if key != SOURCE]
    hints = get_type_hints(builder)
    for key, value in architecture.params.items():
        field = f"{where}.params.{key}"
        if key not in wanted:
            raise InputError(source, field, f"unknown parameter of {architecture.builder!r}; {nearest(key, wanted)}")
        expected = tuple if hints[key] == tuple[int, ...] else hints[key]
        if not isinstance(value, expected):
            raise InputError(source, field, f"must be {hints[key]}, not {value!r}")
    for key in wanted:
        if key not in architecture.params:
            raise InputError(source, f"{where}.params.{key}", "is missing; add it")
    return builder


def derive_seed(seed: int, *parts: object) -> int:
    """A seed for one purpose, the same on every machine: a digest of ``seed`` and what it is for."""
    text = "/".join(map(str, (seed, *parts)))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1


def build_module(shared: SharedModule, seed: int = 0) -> SplitModule:
    """Build a module with random weights that depend on its identity and ``seed`` only, or a checkpoint with its own.

    Values come from the architecture's own initialiser, so they are the same wherever the same versions of
    torch and transformers are. Under ``torch.device("meta")`` nothing is allocated. Returned for inference,
    in the architecture's dtype, in which it is built; a decoder, for requests of its model's lengths.

    Raises:
        InputError: its architecture cannot be built.
    """
    builder = builder_of(shared.ref.architecture, shared.architecture, shared.source)
    told = {SOURCE: shared.source} if SOURCE in inspect.signature(builder).parameters else {}
    with torch.random.fork_rng(devices=[]), _default_dtype(getattr(torch, shared.architecture.dtype)):
        torch.manual_seed(derive_seed(seed, shared.name))
        try:
            module = builder(**shared.architecture.params, **told)
        except (ValueError, RuntimeError, ArithmeticError, StrictDataclassError) as error:
            raise InputError(shared.source, f"architectures.{shared.ref.architecture}.params", str(error)) from None
    if isinstance(module, Decoder) and shared.answer_lengths is not None:
        module.prompt_tokens, module.new_tokens = shared.answer_lengths
    return module.eval().requires_grad_(False)


def encode(module: SplitModule, inputs: Mapping[str, Tensor], output: EncoderOutput) -> Tensor:
    """What an encoder sends to a head that wants its pooled output or its patch states.

    Raises:
        WorkError: patch states are wanted of a module that gives none.
    """
    if output == "pooled":
        pooled: Tensor = module(inputs)
        return pooled
    if not isinstance(module, PatchEncoder):
        raise WorkError(f"{type(module).__name__} gives no patch states; take its pooled output")
    return module.patches(inputs)


def example_inputs(shared: SharedModule, module: SplitModule, batch: int, seed: int = 0) -> dict[str, Tensor]:
    """Seeded inputs of ``module`` on the CPU, floating point ones in the type in which they arrive.

    Args:
        shared: what the catalogue says of the module.
        module: the module built from it.
        batch: items of an encoder, requests of a head.
        seed: with the name and the batch, decides the values.
    """
    generator = torch.Generator(device="cpu").manual_seed(derive_seed(seed, shared.name, "inputs", batch))
    with torch.device("cpu"):
        inputs = module.example_inputs(batch, shared.head_items, generator)
    return {
        role: tensor.to(getattr(torch, shared.input_dtypes[role])) if tensor.is_floating_point() else tensor
        for role, tensor in inputs.items()
    }


@contextmanager
def _default_dtype(dtype: torch.dtype) -> Iterator[None]:
    before = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        yield
    finally:
        torch.set_default_dtype(before)


def spec(tensor: Tensor) -> TensorSpec:
    """Shape and type of ``tensor``."""
    return TensorSpec(tuple(tensor.shape), tensor.dtype)


def output_spec(module: SplitModule, inputs: Mapping[str, Tensor], output: EncoderOutput = "pooled") -> TensorSpec:
    """Shape and type of the output of a module that was built on the meta device; nothing is computed.

    Args:
        module: a module without storage.
        inputs: example inputs, on any device.
        output: which output of an encoder.
    """
    with torch.no_grad():
        return spec(encode(module, {role: tensor.to("meta") for role, tensor in inputs.items()}, output))
