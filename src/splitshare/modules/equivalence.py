"""Does the split model answer as the whole one? The check behind claim S3 (accuracy is not sacrificed).

Equal answers for equal inputs give equal accuracy on any data set. The answers are computed at true size with
seeded random weights, every tensor between modules written to bytes and read back, as on its way to another device.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from safetensors.torch import load, save
from torch import Tensor

from splitshare.catalog.loader import Catalog
from splitshare.catalog.records import Model
from splitshare.modules.build import build_module, example_inputs
from splitshare.modules.whole import build_whole

RELATIVE_TOLERANCE = 1e-4
"""Largest difference, relative to the whole model's largest answer, that rounding of float32 sums explains."""


@dataclass(frozen=True)
class Equivalence:
    """Whole and split answers of one model."""

    model: str
    answers: int
    """Numbers compared."""
    largest_answer: float
    largest_difference: float
    same_decision: bool
    """Whether the largest answer of each request is at the same place."""

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
    inputs: dict[str, Tensor] = {}
    encoded: dict[str, Tensor] = {}
    with torch.inference_mode():
        for encoder in model.encoders:
            module = build_module(catalog, encoder.module, seed)
            batch = requests * catalog.items(model, encoder)
            inputs |= example_inputs(catalog, encoder.module, module, batch, seed)
            encoded[encoder.role] = _sent(module({encoder.role: _sent(inputs[encoder.role])}))
        split = _sent(build_module(catalog, model.head.module, seed)(encoded))
        whole = build_whole(catalog, model, seed)(inputs)
    difference = (split.double() - whole.double()).abs().max()
    return Equivalence(
        model=model.name,
        answers=whole.numel(),
        largest_answer=float(whole.abs().max()),
        largest_difference=float(difference),
        same_decision=bool(torch.equal(split.flatten(1).argmax(1), whole.flatten(1).argmax(1))),
    )


def _sent(tensor: Tensor) -> Tensor:
    """The tensor as it arrives at the other end of a connection."""
    return load(save({"tensor": tensor.contiguous()}))["tensor"]
