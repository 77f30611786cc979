"""A classifier of answers to questions about images. It is ours: the paper's own head could not be read."""

from __future__ import annotations

from collections.abc import Mapping

import torch
import torch.nn.functional as F  # noqa: N812, torch's own convention
from torch import Tensor, nn

from splitshare.modules.base import SplitModule


class VqaHead(SplitModule):
    """Answer scores from ``[v, q, v * q]`` of an image and a question through one hidden layer.

    ``vision`` and ``text`` (B, embedding) to scores (B, answers).
    """

    def __init__(self, embedding: int, hidden: int, answers: int) -> None:
        super().__init__()
        self.embedding = embedding
        self.hidden = nn.Linear(3 * embedding, hidden)
        self.classifier = nn.Linear(hidden, answers)

    def forward(self, inputs: Mapping[str, Tensor]) -> Tensor:
        """One score an answer."""
        image, question = inputs["vision"], inputs["text"]
        fused = torch.cat([image, question, image * question], dim=-1)
        scores: Tensor = self.classifier(F.gelu(self.hidden(fused)))
        return scores

    def example_inputs(self, batch: int, items: Mapping[str, int], generator: torch.Generator) -> dict[str, Tensor]:
        """Standard normal embeddings, an image and a question for each request."""
        return {role: torch.randn(batch, self.embedding, generator=generator) for role in ("vision", "text")}


def build(*, embedding: int, hidden: int, answers: int) -> VqaHead:
    """The VQA classifier over embeddings of one width."""
    return VqaHead(embedding, hidden, answers)
