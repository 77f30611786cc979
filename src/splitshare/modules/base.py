"""What every module of a split model looks like from outside."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping

import torch
from torch import Tensor, nn


class SplitModule(nn.Module, ABC):
    """A module that can stand on a device of its own: named tensors in, one tensor out.

    An encoder takes one tensor, named by its role (``vision``, ``text``, ``audio``), whose first dimension is
    the batch of items, and gives one row an item. A head takes the encoders' outputs by role, as they arrive:
    for a batch of ``B`` requests with ``n`` items of a role each, that role's tensor has ``B * n`` rows,
    request by request.
    """

    @abstractmethod
    def forward(self, inputs: Mapping[str, Tensor]) -> Tensor:
        """Compute the module's output; the first dimension is the batch."""

    @abstractmethod
    def example_inputs(self, batch: int, items: Mapping[str, int], generator: torch.Generator) -> dict[str, Tensor]:
        """Random inputs of the right shapes and types.

        Args:
            batch: items (encoder) or requests (head).
            items: rows of each role with one request; only heads look at it.
            generator: source of the values, on the CPU.
        """

    def scores(self, inputs: Mapping[str, Tensor]) -> Tensor:
        """What the answer is chosen from, the last dimension over the choices: a head's output itself."""
        scores: Tensor = self(inputs)
        return scores

    def token_embedding_parameters(self) -> int:
        """Parameters of the token embedding table, if it is only looked up; 0 for a module without such a one."""
        return 0


class PatchEncoder(SplitModule):
    """An image encoder that gives one vector an image, as every encoder, or on request one a patch."""

    @abstractmethod
    def patches(self, inputs: Mapping[str, Tensor]) -> Tensor:
        """Patch states (batch, patches, width) of the same images.

        The work is that of ``forward`` up to pooling and projection, so one profile serves both outputs.
        """
