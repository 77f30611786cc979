"""The plain vision transformer (ViT; Dosovitskiy et al. 2021, arXiv 2010.11929) without a classifier."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor
from transformers import ViTConfig, ViTModel

from splitshare.modules.base import PatchEncoder


def vit_config(*, width: int, layers: int, heads: int, patch_size: int, image_size: int) -> ViTConfig:
    """The transformers configuration of a ViT: MLP four times as wide, GELU."""
    return ViTConfig(
        hidden_size=width,
        intermediate_size=4 * width,
        num_hidden_layers=layers,
        num_attention_heads=heads,
        image_size=image_size,
        patch_size=patch_size,
        attn_implementation="sdpa",
    )


class Vit(PatchEncoder):
    """Images ``vision`` (batch, 3, side, side), normalised, to features (batch, width)."""

    def __init__(self, config: ViTConfig) -> None:
        super().__init__()
        self.tower = ViTModel(config)
        self.image_size = config.image_size

    def forward(self, inputs: Mapping[str, Tensor]) -> Tensor:
        """The pooler's view of the class token."""
        features: Tensor = self.tower(pixel_values=inputs["vision"]).pooler_output
        return features

    def patches(self, inputs: Mapping[str, Tensor]) -> Tensor:
        """Last hidden states with the class token first, as an encoder-decoder attends to them."""
        states: Tensor = self.tower(pixel_values=inputs["vision"]).last_hidden_state
        return states

    def example_inputs(self, batch: int, items: Mapping[str, int], generator: torch.Generator) -> dict[str, Tensor]:
        """Images of standard normal pixels."""
        return {"vision": torch.randn(batch, 3, self.image_size, self.image_size, generator=generator)}


def build(*, width: int, layers: int, heads: int, patch_size: int, image_size: int) -> Vit:
    """Build the encoder; parameters as in ``vit_config``."""
    return Vit(vit_config(width=width, layers=layers, heads=heads, patch_size=patch_size, image_size=image_size))
