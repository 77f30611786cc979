"""CLIP's zero-shot head (Radford et al. 2021, arXiv 2103.00020, figure 3)."""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
import torch.nn.functional as F  # noqa: N812, torch's own convention
from torch import Tensor, nn

from splitshare.modules.base import SplitModule

INITIAL_TEMPERATURE = 0.07
"""CLIP's initial softmax temperature; the learned scale is the logarithm of its inverse."""


class CosineHead(SplitModule):
    """Scaled cosine similarity of each request's image with its prompts.

    ``vision`` (B, embedding) and ``text`` (B * n, embedding) to scores (B, n).
    """

    def __init__(self, embedding: int) -> None:
        super().__init__()
        self.embedding = embedding
        self.logit_scale = nn.Parameter(torch.tensor(math.log(1 / INITIAL_TEMPERATURE)))

    def forward(self, inputs: Mapping[str, Tensor]) -> Tensor:
        """One score a prompt."""
        image = F.normalize(inputs["vision"], dim=-1)
        prompts = F.normalize(inputs["text"].reshape(len(image), -1, self.embedding), dim=-1)
        return self.logit_scale.exp() * (prompts @ image.unsqueeze(-1)).squeeze(-1)

    def example_inputs(self, batch: int, items: Mapping[str, int], generator: torch.Generator) -> dict[str, Tensor]:
        """Standard normal embeddings."""
        return {
            role: torch.randn(batch * items[role], self.embedding, generator=generator) for role in ("vision", "text")
        }


def build(*, embedding: int) -> CosineHead:
    """CLIP's head over embeddings of the given width."""
    return CosineHead(embedding)
