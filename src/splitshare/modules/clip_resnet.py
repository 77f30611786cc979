"""The ResNet of CLIP (Radford et al. 2021, arXiv 2103.00020, section 2.4), written from its description.

It differs from ResNet-D in three ways: a stem of three convolutions with average instead of max pooling;
anti-aliased strided blocks (an average pool in front of a convolution, in place of a strided convolution);
and attention pooling, one layer of multi-head attention whose query is the mean of the feature map. Names of
the parameters are those of the published weights.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
import torch.nn.functional as F  # noqa: N812, torch's own convention
from torch import Tensor, nn

from splitshare.modules.base import SplitModule

EXPANSION = 4
"""Output channels of a bottleneck over its inner channels (He et al. 2016)."""

DOWNSAMPLING = 32
"""Side of the image over the side of the last feature map: stem 4, stages 1, 2, 2, 2."""


class Bottleneck(nn.Module):
    """1x1, 3x3, average pool (where strided), 1x1, and a shortcut with the same pool where shapes differ."""

    def __init__(self, channels: int, planes: int, stride: int) -> None:
        super().__init__()
        out = planes * EXPANSION
        self.conv1 = nn.Conv2d(channels, planes, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(planes)
        self.conv2 = nn.Conv2d(planes, planes, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(planes)
        self.avgpool = nn.AvgPool2d(stride) if stride > 1 else nn.Identity()
        self.conv3 = nn.Conv2d(planes, out, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(out)
        self.downsample: nn.Sequential | None = None
        if stride > 1 or channels != out:
            self.downsample = nn.Sequential()
            self.downsample.add_module("-1", nn.AvgPool2d(stride))
            self.downsample.add_module("0", nn.Conv2d(channels, out, 1, bias=False))
            self.downsample.add_module("1", nn.BatchNorm2d(out))

    def forward(self, x: Tensor) -> Tensor:
        """(batch, channels, side, side) to (batch, 4 * planes, side / stride, side / stride)."""
        shortcut = x if self.downsample is None else self.downsample(x)
        x = F.relu(self.bn1(self.conv1(x)))
        x = F.relu(self.bn2(self.conv2(x)))
        x = self.bn3(self.conv3(self.avgpool(x)))
        return F.relu(x + shortcut)


class AttentionPool(nn.Module):
    """Attention of the mean feature over itself and all places, with learned position embeddings."""

    def __init__(self, side: int, channels: int, heads: int, embedding: int) -> None:
        super().__init__()
        self.heads = heads
        self.positional_embedding = nn.Parameter(torch.randn(side * side + 1, channels) / channels**0.5)
        self.q_proj = nn.Linear(channels, channels)
        self.k_proj = nn.Linear(channels, channels)
        self.v_proj = nn.Linear(channels, channels)
        self.c_proj = nn.Linear(channels, embedding)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, channels, side, side) to (batch, embedding)."""
        places = x.flatten(2).transpose(1, 2)
        tokens = torch.cat([places.mean(dim=1, keepdim=True), places], dim=1) + self.positional_embedding
        query, key, value = (
            projected.unflatten(-1, (self.heads, -1)).transpose(1, 2)
            for projected in (self.q_proj(tokens[:, :1]), self.k_proj(tokens), self.v_proj(tokens))
        )
        pooled = F.scaled_dot_product_attention(query, key, value)
        out: Tensor = self.c_proj(pooled.transpose(1, 2).flatten(1))
        return out


class ClipResNet(SplitModule):
    """Images ``vision`` (batch, 3, side, side), normalised, to joint embeddings (batch, embedding)."""

    def __init__(self, stage_blocks: tuple[int, ...], width: int, embedding: int, image_size: int) -> None:
        super().__init__()
        self.image_size = image_size
        self.conv1 = nn.Conv2d(3, width // 2, 3, stride=2, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(width // 2)
        self.conv2 = nn.Conv2d(width // 2, width // 2, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(width // 2)
        self.conv3 = nn.Conv2d(width // 2, width, 3, padding=1, bias=False)
        self.bn3 = nn.BatchNorm2d(width)
        self.avgpool = nn.AvgPool2d(2)
        self.stages: list[str] = []
        channels = width
        for stage, blocks in enumerate(stage_blocks):
            planes = width * 2**stage
            layers = []
            for block in range(blocks):
                layers.append(Bottleneck(channels, planes, stride=2 if stage and block == 0 else 1))
                channels = planes * EXPANSION
            self.stages.append(f"layer{stage + 1}")
            self.add_module(self.stages[-1], nn.Sequential(*layers))
        # 64 channels a head, as in the published configurations.
        self.attnpool = AttentionPool(image_size // DOWNSAMPLING, channels, channels // 64, embedding)

    def forward(self, inputs: Mapping[str, Tensor]) -> Tensor:
        """Stem, four stages, attention pooling."""
        x = inputs["vision"]
        x = F.relu(self.bn1(self.conv1(x)))
        x = F.relu(self.bn2(self.conv2(x)))
        x = self.avgpool(F.relu(self.bn3(self.conv3(x))))
        for stage in self.stages:
            x = self.get_submodule(stage)(x)
        out: Tensor = self.attnpool(x)
        return out

    def example_inputs(self, batch: int, items: Mapping[str, int], generator: torch.Generator) -> dict[str, Tensor]:
        """Images of standard normal pixels."""
        return {"vision": torch.randn(batch, 3, self.image_size, self.image_size, generator=generator)}


def build(*, stage_blocks: tuple[int, ...], width: int, embedding: int, image_size: int) -> ClipResNet:
    """Build the tower: ``stage_blocks`` bottlenecks in each stage, ``width`` inner channels in the first."""
    return ClipResNet(stage_blocks, width, embedding, image_size)
