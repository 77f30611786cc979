"""The vision transformer of CLIP (Radford et al. 2021, arXiv 2103.00020, section 2.4) with its projection."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor
from transformers import CLIPVisionConfig, CLIPVisionModelWithProjection

from splitshare.modules.base import PatchEncoder


def vision_config(
    *, width: int, layers: int, heads: int, patch_size: int, image_size: int, embedding: int
) -> CLIPVisionConfig:
    """The transformers configuration of a CLIP vision tower: MLP four times as wide, quick GELU."""
    return CLIPVisionConfig(
        hidden_size=width,
        intermediate_size=4 * width,
        projection_dim=embedding,
        num_hidden_layers=layers,
        num_attention_heads=heads,
        image_size=image_size,
        patch_size=patch_size,
        hidden_act="quick_gelu",
        attn_implementation="sdpa",
    )


PATCH_LAYER = -2
"""Hidden states that are patch states: those before the last layer, as in LLaVA (Liu et al. 2023, arXiv 2310.03744)."""


class ClipVit(PatchEncoder):
    """Images ``vision`` (batch, 3, side, side), normalised, to joint embeddings (batch, embedding)."""

    def __init__(self, config: CLIPVisionConfig) -> None:
        super().__init__()
        self.tower = CLIPVisionModelWithProjection(config)
        self.image_size = config.image_size

    def forward(self, inputs: Mapping[str, Tensor]) -> Tensor:
        """Pooled at the class token, normalised and projected."""
        embeddings: Tensor = self.tower(pixel_values=inputs["vision"]).image_embeds
        return embeddings

    def patches(self, inputs: Mapping[str, Tensor]) -> Tensor:
        """Hidden states before the last layer, without the class token, as LLaVA takes them.

        The last layer is computed and not used, as in the public implementation.
        """
        outputs = self.tower.vision_model(pixel_values=inputs["vision"], output_hidden_states=True)
        states: Tensor = outputs.hidden_states[PATCH_LAYER][:, 1:]
        return states

    def example_inputs(self, batch: int, items: Mapping[str, int], generator: torch.Generator) -> dict[str, Tensor]:
        """Images of standard normal pixels."""
        return {"vision": torch.randn(batch, 3, self.image_size, self.image_size, generator=generator)}


def build(*, width: int, layers: int, heads: int, patch_size: int, image_size: int, embedding: int) -> ClipVit:
    """Build the tower; parameters as in ``vision_config``."""
    return ClipVit(
        vision_config(
            width=width,
            layers=layers,
            heads=heads,
            patch_size=patch_size,
            image_size=image_size,
            embedding=embedding,
        )
    )
