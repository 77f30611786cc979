"""Does the split model answer as the whole one? The check behind claim S3 (accuracy is not sacrificed).

Equal answers for equal inputs give equal accuracy on any data set. The answers are computed with seeded random
weights, every tensor between modules written to bytes and read back, as on its way to another device. All modules have
their true size, but for those of which two copies would not fit into a common memory: they keep their widths and lose
layers, and the result says so. Of a zero-shot request's prompts, each encoded by itself, a few stand for all.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from safetensors.torch import load, save
from torch import Tensor

from splitshare.catalog.loader import Catalog
from splitshare.catalog.records import Model
from splitshare.modules.base import SplitModule
from splitshare.modules.build import build_module, encode, example_inputs
from splitshare.modules.decoder import Decoder
from splitshare.modules.whole import build_whole

RELATIVE_TOLERANCE = 1e-4
"""Largest difference, relative to the whole model's largest answer, that rounding of float32 sums explains."""

LARGEST_BYTES = 4e9
"""Weights of the largest module that is compared at true size."""

LAYERS_KEPT = 2
"""Layers of a module that is larger."""

MOST_PROMPTS = 8
"""Prompts of a request that are encoded."""


@dataclass(frozen=True)
class Equivalence:
    """Whole and split answers of one model."""

    model: str
    answers: int
    """Numbers compared."""
    largest_answer: float
    largest_difference: float
    same_decision: bool
    """Whether every choice, of a request's answer or of its tokens, is the same."""
    reduced: str = ""
    """Which module was compared with fewer layers; empty: all at true size."""

    @property
    def agrees(self) -> bool:
        """Whether the answers are equal up to rounding, and lead to the same decisions."""
        return self.same_decision and self.largest_difference <= RELATIVE_TOLERANCE * self.largest_answer


def compare(catalog: Catalog, model: Model, *, requests: int = 1, seed: int = 0) -> Equivalence:
    """Answer ``requests`` random requests with the whole and with the split model.

    Raises:
        InputError: the model's architectures cannot be built.
        WorkError: there is no whole model of this kind.
    """
    catalog, reduced = _comparable(catalog, model)
    modules = {role: build_module(catalog.module(ref.module), seed) for role, ref in model.modules().items()}
    with torch.inference_mode():
        inputs, split = _split_scores(catalog, model, modules, requests, seed)
        whole = build_whole(catalog, model, {role: m.state_dict() for role, m in modules.items()})(inputs)
    return Equivalence(
        model=model.name,
        answers=whole.numel(),
        largest_answer=float(whole.abs().max()),
        largest_difference=float((split.double() - whole.double()).abs().max()),
        same_decision=bool(torch.equal(split.argmax(-1), whole.argmax(-1))),
        reduced=reduced,
    )


def _split_scores(
    catalog: Catalog, model: Model, modules: Mapping[str, SplitModule], requests: int, seed: int
) -> tuple[dict[str, Tensor], Tensor]:
    """Random inputs of the model, and the scores that its modules give for them, one after the other."""
    inputs: dict[str, Tensor] = {}
    arrived: dict[str, Tensor] = {}
    for encoder in model.encoders:
        module = modules[encoder.role]
        batch = requests * min(catalog.items(model, encoder), MOST_PROMPTS)
        inputs |= example_inputs(catalog.module(encoder.module), module, batch, seed)
        arrived[encoder.role] = sent(encode(module, {encoder.role: sent(inputs[encoder.role])}, encoder.output))
    head = modules["head"]
    if isinstance(head, Decoder):
        inputs["prompt"] = example_inputs(catalog.module(model.head.module), head, requests, seed)["prompt"]
        arrived["prompt"] = sent(inputs["prompt"])
    return inputs, sent(head.scores(arrived))


def _comparable(catalog: Catalog, model: Model) -> tuple[Catalog, str]:
    """The catalogue with too large modules of ``model`` cut in depth, in float32, and what was cut."""
    cut = []
    for ref in model.modules().values():
        with torch.device("meta"):
            parameters = build_module(catalog.module(ref.module)).parameters()
        if sum(p.nbytes for p in parameters) > LARGEST_BYTES:
            layers = catalog.architectures[ref.architecture].params["layers"]
            catalog = catalog.with_layers(ref.architecture, LAYERS_KEPT, "float32")
            cut.append(f"{ref.architecture} with {LAYERS_KEPT} of {layers} layers, in float32")
    return catalog, "; ".join(cut)


def sent(tensor: Tensor) -> Tensor:
    """The tensor as it arrives at the other end of a connection, and goes to the device that it was on."""
    return load(save({"tensor": tensor.cpu().contiguous()}))["tensor"].to(tensor.device)
