"""A linear probe (Radford et al. 2021, arXiv 2103.00020, section 3.2)."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from splitshare.modules.base import SplitModule


class LinearHead(SplitModule):
    """Class scores of an image: ``vision`` (B, embedding) to (B, classes).

    It reads the joint embedding (ours), so that the image tower is shared as it is; the paper's own probes
    read the features in front of the tower's projection.
    """

    def __init__(self, embedding: int, classes: int) -> None:
        super().__init__()
        self.classifier = nn.Linear(embedding, classes)

    def forward(self, inputs: Mapping[str, Tensor]) -> Tensor:
        """One score a class."""
        scores: Tensor = self.classifier(inputs["vision"])
        return scores

    def example_inputs(self, batch: int, items: Mapping[str, int], generator: torch.Generator) -> dict[str, Tensor]:
        """Standard normal embeddings."""
        return {"vision": torch.randn(batch, self.classifier.in_features, generator=generator)}


def build(*, embedding: int, classes: int) -> LinearHead:
    """The probe over embeddings of the given width."""
    return LinearHead(embedding, classes)
