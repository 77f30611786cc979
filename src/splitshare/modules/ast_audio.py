"""The audio spectrogram transformer (AST; Gong et al. 2021, arXiv 2104.01778): a ViT on mel spectrograms."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor
from transformers import ASTConfig, ASTModel

from splitshare.modules.base import SplitModule


class AstAudio(SplitModule):
    """Log-mel spectrograms ``audio`` (batch, frames, mel bins) to features (batch, width)."""

    def __init__(self, config: ASTConfig) -> None:
        super().__init__()
        self.tower = ASTModel(config)
        self.frames = config.max_length
        self.mel_bins = config.num_mel_bins

    def forward(self, inputs: Mapping[str, Tensor]) -> Tensor:
        """Mean of the class and the distillation token."""
        features: Tensor = self.tower(input_values=inputs["audio"]).pooler_output
        return features

    def example_inputs(self, batch: int, items: Mapping[str, int], generator: torch.Generator) -> dict[str, Tensor]:
        """Spectrograms of standard normal values (AST normalises its input)."""
        return {"audio": torch.randn(batch, self.frames, self.mel_bins, generator=generator)}


def audio_config(
    *, width: int, layers: int, heads: int, mel_bins: int, frames: int, patch_size: int, stride: int
) -> ASTConfig:
    """The transformers configuration of AST; patches overlap by ``patch_size - stride`` both ways."""
    return ASTConfig(
        hidden_size=width,
        intermediate_size=4 * width,
        num_hidden_layers=layers,
        num_attention_heads=heads,
        num_mel_bins=mel_bins,
        max_length=frames,
        patch_size=patch_size,
        frequency_stride=stride,
        time_stride=stride,
        attn_implementation="sdpa",
    )


def build(*, width: int, layers: int, heads: int, mel_bins: int, frames: int, patch_size: int, stride: int) -> AstAudio:
    """Build the tower; parameters as in ``audio_config``."""
    return AstAudio(
        audio_config(
            width=width,
            layers=layers,
            heads=heads,
            mel_bins=mel_bins,
            frames=frames,
            patch_size=patch_size,
            stride=stride,
        )
    )
