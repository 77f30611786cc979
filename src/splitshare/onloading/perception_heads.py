"""DINOv2's backbone as its heads take it, and the light heads of its evaluation (Oquab et al. 2023)."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F  # noqa: N812, torch's own convention
from torch import Tensor, nn

PATCH = 14
CLASSES, SPECIES, ADE_CLASSES = 1000, 8142, 150
"""Classes of ImageNet-1k, iNaturalist 2018 and ADE20k."""
DEPTH_BINS = 256
DEPTHS_M = (0.001, 10.0)
DATABASE = 4993
"""Images of Revisited Oxford that a query is held against; their descriptors are what a retrieval model keeps."""


class Trunk(nn.Module):
    """The backbone, and the layers whose states the head is put on.

    Args:
        model: the backbone.
        layers: positions of the layers, counted from 1.
    """

    def __init__(self, model: nn.Module, layers: Sequence[int]) -> None:
        super().__init__()
        self.model, self.layers = model, tuple(layers)

    def forward(self, pixels: Tensor) -> Tensor:
        """States with the class token first, shape (batch, layers, 1 + patches, dim)."""
        states = self.model(pixel_values=pixels, output_hidden_states=True).hidden_states
        norm: nn.Module = self.model.layernorm  # type: ignore[assignment]
        return torch.stack([norm(states[layer]) for layer in self.layers], dim=1)


class Classifier(nn.Module):
    """A linear layer on the class token and the mean of the patches of the last layer."""

    def __init__(self, dim: int, classes: int) -> None:
        super().__init__()
        self.linear = nn.Linear(2 * dim, classes)

    def forward(self, states: Tensor) -> Tensor:
        """Scores, shape (batch, classes)."""
        last = states[:, -1]
        scores: Tensor = self.linear(torch.cat([last[:, 0], last[:, 1:].mean(dim=1)], dim=-1))
        return scores


class Segmenter(nn.Module):
    """Batch normalisation and a linear layer on each patch of the last four layers, scaled up to the image."""

    def __init__(self, dim: int, classes: int = ADE_CLASSES) -> None:
        super().__init__()
        self.norm, self.linear = nn.BatchNorm2d(4 * dim), nn.Conv2d(4 * dim, classes, 1)

    def forward(self, states: Tensor) -> Tensor:
        """Classes of each pixel, shape (batch, height, width); images are square."""
        scores = self.linear(self.norm(_as_map(states[:, :, 1:], 1.0)))
        return F.interpolate(scores, scale_factor=PATCH, mode="bilinear").argmax(dim=1)


class DepthEstimator(nn.Module):
    """A linear layer on each patch and the class token of four layers, scaled up by four: bins of depth.

    Images are four units wide to three high.
    """

    depths_m: Tensor

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.linear = nn.Conv2d(8 * dim, DEPTH_BINS, 1)
        self.register_buffer("depths_m", torch.linspace(*DEPTHS_M, DEPTH_BINS))

    def forward(self, states: Tensor) -> Tensor:
        """Metres, shape (batch, 1, 4 x patches high, 4 x patches wide)."""
        patches = states[:, :, 1:]
        both = torch.cat([patches, states[:, :, :1].expand_as(patches)], dim=-1)
        maps = F.interpolate(_as_map(both, 4 / 3), scale_factor=4, mode="bilinear")
        share = self.linear(maps).relu() + 0.1
        share = share / share.sum(dim=1, keepdim=True)
        return torch.einsum("bkhw,k->bhw", share, self.depths_m).unsqueeze(1)


class Retriever(nn.Module):
    """The nearest of the database's descriptors by cosine: class tokens of the last layer."""

    descriptors: Tensor

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.register_buffer("descriptors", F.normalize(torch.randn(DATABASE, dim), dim=-1))

    def forward(self, states: Tensor) -> Tensor:
        """The database in descending order of likeness, shape (batch, images)."""
        return (F.normalize(states[:, -1, 0], dim=-1) @ self.descriptors.T).argsort(dim=-1, descending=True)


def _as_map(patches: Tensor, ratio: float) -> Tensor:
    """Patches of several layers as one map ``ratio`` times as wide as high, shape (batch, layers x dim, high, wide)."""
    batch, layers, count, dim = patches.shape
    high = round((count / ratio) ** 0.5)
    return patches.permute(0, 1, 3, 2).reshape(batch, layers * dim, high, count // high)


HEADS: dict[str, Callable[[int], nn.Module]] = {
    "image-classification": lambda dim: Classifier(dim, CLASSES),
    "fine-grained-classification": lambda dim: Classifier(dim, SPECIES),
    "semantic-segmentation": Segmenter,
    "depth-estimation": DepthEstimator,
    "image-retrieval": Retriever,
}
"""Heads by task, from the backbone's width."""
